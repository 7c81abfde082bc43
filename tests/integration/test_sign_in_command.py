"""``casemend sign-in``: a link that the service takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from app.cli import cli
from app.main import create_app
from app.settings import Settings, get_settings


@pytest.fixture
def environment(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("CASEMEND_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CASEMEND_HOST", "0.0.0.0")  # noqa: S104 - as in a container
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.mark.usefixtures("environment")
def test_the_command_prints_a_link_that_signs_in(settings: Settings, project: str) -> None:
    for more, address in (
        ((), "http://127.0.0.1:8000"),
        (("--url", "https://c.example/"), "https://c.example"),
    ):
        done = CliRunner().invoke(cli, ["sign-in", *more])
        assert done.exit_code == 0, done.output
        link = done.output.strip()
        assert link.startswith(f"{address}/sign-in?token=")
        with TestClient(create_app(settings), headers={"Accept": "text/html"}) as browser:
            assert "Waiting for a person" in browser.get(link.removeprefix(address)).text
            assert browser.get("/v1/project").json()["id"] == project


@pytest.mark.usefixtures("environment", "project")
def test_the_command_knows_no_project_of_another_name() -> None:
    done = CliRunner().invoke(cli, ["sign-in", "--project", "nobody's"])
    assert done.exit_code == 1
    assert "casemend keys" in done.output
