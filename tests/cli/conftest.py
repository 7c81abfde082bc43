"""The command line against the real application, with a worker in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from app.artifacts import ArtifactStore
from app.cli import cli
from app.db.session import SessionFactory
from app.domain.job_status import Status
from app.main import create_app
from app.queue import Stage
from app.services.work.work import ROW_OF
from app.settings import Settings
from tests.conftest import ADMIN_KEY, Server, _fresh_database, _settings
from tests.live import listening
from workers.context import Resources
from workers.run_stage import run_stage

Run = Callable[..., Result]
_STAGES = (Stage.IMPORT, Stage.DIAGNOSE, Stage.REPAIR, Stage.APPLY)


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with listening(create_app(settings.model_copy(update={"apply_rows_in_request": 2}))) as url:
        yield url


@pytest.fixture(scope="session")
def refusing_url(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One application for all tests whose commands are refused, and so change nothing."""
    with _fresh_database(server) as database:
        settings = _settings(database, tmp_path_factory.mktemp("refusing_cli"))
        with listening(create_app(settings)) as url:
            yield url


@pytest.fixture(scope="session")
def refused(refusing_url: str) -> Run:
    return _runner(refusing_url)


@pytest.fixture
def run(url: str) -> Run:
    return _runner(url)


def _runner(url: str) -> Run:
    """``casemend`` with these arguments; whatever a user does, there is no traceback."""

    def invoke(*arguments: object, key: str = ADMIN_KEY, stdin: str | None = None) -> Result:
        where = {"CASEMEND_URL": url, "CASEMEND_KEY": key}
        result = CliRunner().invoke(cli, [str(a) for a in arguments], input=stdin, env=where)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return invoke


@pytest.fixture
def worker(settings: Settings, sessions: SessionFactory, store: ArtifactStore) -> Iterator[None]:
    """Runs what is queued, but no training."""
    resources = Resources(settings=settings, sessions=sessions, store=store)
    ended = threading.Event()

    def queued() -> list[tuple[Stage, str]]:
        with sessions() as session:
            return [
                (stage, row_id)
                for stage in _STAGES
                for row_id in session.scalars(
                    select(ROW_OF[stage].id).where(ROW_OF[stage].status == Status.QUEUED)
                )
            ]

    def work() -> None:
        while not ended.is_set():
            for stage, row_id in queued():
                run_stage(resources, stage, row_id)
            time.sleep(0.05)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    ended.set()
    thread.join(timeout=60)
