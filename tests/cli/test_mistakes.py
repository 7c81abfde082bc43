"""What a user does wrong is answered by a line that says what to do, an exit code, and no traceback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli, main
from app.services.projects import Role
from app.settings import get_settings
from tests.cli.conftest import Run
from tests.conftest import ADMIN_KEY
from tests.seed import Seeded


@pytest.mark.parametrize(
    ("arguments", "exit_code", "told"),
    [
        (["diagnose", "dsv_missing"], 1, "no dataset version dsv_missing"),
        (["diagnose", "nobody's desk"], 1, "casemend import FILE --dataset NAME"),
        (["report", "dg_missing"], 1, "dg_missing"),
        (["report", "ds_1"], 2, "dg_... (diagnosis)"),
        (["plan", "rp_missing"], 1, "rp_missing"),
        (["apply", "rp_missing"], 1, "rp_missing"),
        (["watch", "bc_1"], 2, "cyc_... (cycle)"),
        (["watch", "cyc_"], 1, "cyc_"),
        (["watch", "ftjob-missing"], 1, "ftjob-missing"),
        (["adapters", "show", "adp_missing"], 1, "adp_missing"),
        (["export", "dsv_missing"], 1, "dsv_missing"),
        (["cases", "delete", "bc_missing"], 1, "bc_missing"),
        (["cycle"], 2, "--dataset or --version"),
        (["cycle", "--dataset", "a", "--version", "b"], 2, "one of them"),
        (["decide", "rp_1"], 2, "--approve or --reject"),
        (["decide", "rp_1", "--approve", "--reject", "--all"], 2, "--approve or --reject"),
        (["decide", "rp_1", "--approve"], 2, "--all"),
        (["decide", "rp_1", "--approve", "--all", "--kind", "drop"], 2, "--all"),
        (["decide", "rp_1", "--approve", "--kind", "paint"], 2, "--kind"),
        (["decide", "rp_1", "--file", "no-such-file.jsonl"], 2, "no-such-file.jsonl"),
        (["cycle", "--version", "dsv_1", "--policy", "no-such-file.json"], 2, "no-such-file.json"),
        (["cases", "add", "."], 2, "folder"),
        (["cases", "show", "bc_\udcff"], 1, "UTF-8"),
        (["import", "no-such-file.jsonl"], 2, "no-such-file.jsonl"),
        (["import", "-"], 2, "--dataset"),
        (["export", "x", "--format", "yaml"], 2, "--format"),
        (["report", "dg_1", "--out", "report.pdf"], 2, "--format"),
        (["diagnose"], 2, "VERSION"),
        (["fly"], 2, "fly"),
    ],
)
def test_ids_and_options(refused: Run, arguments: list[str], exit_code: int, told: str) -> None:
    done = refused(*arguments)
    assert done.exit_code == exit_code, done.output
    assert told.lower() in done.stderr.lower()
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("where", "exit_code", "told"),
    [
        (["--url", "http://127.0.0.1:1", "--key", "k"], 1, "casemend up --detach"),
        (["--url", "127.0.0.1:8000", "--key", "k"], 2, "http://HOST:PORT"),
        (["--url", "http://127.0.0.1:1"], 1, "no key for http://127.0.0.1:1"),
        ([], 1, "no service runs here"),
    ],
)
@pytest.mark.parametrize("command", [["cases", "list"], ["cycle", "--version", "dsv_1"], ["ask", "hi"]])
def test_no_service(
    command: list[str],
    where: list[str],
    exit_code: int,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("CASEMEND_URL", "CASEMEND_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("app.cli.service.get_settings", type("S", (), {"data_dir": tmp_path}))
    done = CliRunner().invoke(cli, [*command, *where])
    assert isinstance(done.exception, SystemExit)
    assert done.exit_code == exit_code
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_wrong_key_and_a_small_one(
    run: Run, key_with_role: Callable[[Role], str], seeded: Seeded, tmp_path: Path
) -> None:
    wrong = run("cases", "list", key="cm_wrong")
    assert wrong.exit_code == 1
    assert "does not know this key" in wrong.stderr
    assert "casemend keys" in wrong.stderr
    reader = key_with_role(Role.READER)
    assert run("cases", "list", key=reader).exit_code == 0
    small = run("cases", "delete", seeded.bad_case_id, key=reader)
    assert small.exit_code == 1
    assert "use a key of a higher role" in small.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "policy.json: Invalid JSON"),
        ('{"hold_bak": 0.2}', "policy.json: hold_bak"),
        ('{"repair": {"decisions": 3}}', "policy.json: repair.decisions"),
    ],
)
def test_a_policy_that_is_none(refused: Run, tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "policy.json"
    path.write_text(text)
    done = refused("cycle", "--version", "dsv_1", "--policy", path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert told in done.stderr


def test_what_the_service_refuses_is_told_with_its_place(run: Run, seeded: Seeded, tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    path.write_text('{"hold_back": 7}')
    done = run("cycle", "--version", seeded.version_id, "--policy", path)
    assert done.exit_code == 1
    assert "hold_back" in done.stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"instruction": "a"}\n{"instruction"', "line 2: invalid_json"),
        (b"\xff\xfe{}", "UTF-8"),
        (b"[1, ", "invalid_json"),
        pytest.param(b"[" * 100_000, "invalid_json", id="deep"),
        (rb'{"instruction": "\ud800"}', "line 1: invalid_json"),
    ],
)
def test_cases_that_are_no_json_are_not_sent(refused: Run, tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_bytes(content)
    done = refused("cases", "add", path)
    assert done.exit_code == 1
    assert told in done.stderr
    assert json.loads(refused("cases", "list", "--json").stdout) == []


@pytest.mark.parametrize(
    "line", ['{"id": 3, "decision": "approved"}', '{"id": "ra_1", "decision": "yes"}', "[]"]
)
def test_decisions_that_are_none(run: Run, seeded: Seeded, tmp_path: Path, line: str) -> None:
    path = tmp_path / "decisions.jsonl"
    path.write_text(f'{{"id": "{seeded.action_id}", "decision": "rejected"}}\n{line}\n')
    done = run("decide", seeded.repair_id, "--file", path)
    assert done.exit_code == 2, done.output
    assert "line 2: give" in done.stderr
    shown = json.loads(run("plan", seeded.repair_id, "--json").stdout)
    assert [a["decision"] for a in shown["actions"]] == ["approved"]


def test_a_folder_that_is_not_there(run: Run, seeded: Seeded, tmp_path: Path) -> None:
    out = tmp_path / "missing" / "report.html"
    done = run("report", seeded.diagnosis_id, "--out", out)
    assert done.exit_code == 1
    assert "No such file or directory" in done.stderr


def test_the_key_of_the_service_here_is_sent_to_no_other(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = type("Service", (), {"url": "http://127.0.0.1:1", "key": ADMIN_KEY})()
    monkeypatch.setattr("app.cli.service.supervisor.running", lambda settings: here)
    monkeypatch.delenv("CASEMEND_KEY", raising=False)
    done = CliRunner().invoke(cli, ["cases", "list", "--url", url])
    assert done.exit_code == 1
    assert done.stderr == f"no key for {url}: give --key, or set CASEMEND_KEY\n"


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(cli, ["--version"]).stdout.startswith("casemend ")


@pytest.mark.parametrize(
    ("name", "value", "exit_code", "told"),
    [
        ("CASEMEND_PORT", "eighty", 2, "CASEMEND_PORT"),
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none?connect_timeout=2", 1, "look at DATABASE_URL"),
    ],
)
def test_settings_that_are_wrong(
    name: str,
    value: str,
    exit_code: int,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    get_settings.cache_clear()
    monkeypatch.setenv("CASEMEND_DATA_DIR", str(tmp_path))
    monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["casemend", "keys"])
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        get_settings.cache_clear()
    assert ended.value.code == exit_code
    (line,) = capsys.readouterr().err.splitlines()
    assert told.lower() in line.lower()


def test_a_role_that_there_is_not() -> None:
    done = CliRunner().invoke(cli, ["keys", "--role", "king"])
    assert done.exit_code == 2
    assert "contributor" in done.stderr
