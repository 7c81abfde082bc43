"""What users do from the command line, from rows to a decided plan; and a cycle's exit codes."""

from __future__ import annotations

import io
import json
import threading
import time
import zipfile
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from casemend_client._sync import resources
from casemend_client._sync.resources import Datasets, Versions
from rich.console import Console
from sqlalchemy import select

from app.cli import data, objects, output
from app.db.models import CycleRow
from app.db.session import SessionFactory, transaction
from app.domain.job_status import Status
from app.services.cycles import advance
from tests.cli.conftest import Run
from tests.importing import alpaca_rows, ndjson
from tests.seed import Seeded

CASES = [
    {
        "external_id": f"t-{i}",
        "instruction": "Answer the customer.",
        "input": f"May my dog fly to city {i}?",
        "model_output": f"Order {i} is on its way.",
        "expected_output": "Dogs fly in the cabin up to 8 kg.",
        "tags": ["pets"],
    }
    for i in range(3)
]


@pytest.mark.usefixtures("worker")
def test_from_rows_to_a_repaired_version(run: Run, tmp_path: Path) -> None:
    rows = tmp_path / "desk.jsonl"
    # the first and the last are the same row: there is something to repair
    rows.write_bytes(ndjson([*alpaca_rows(40), alpaca_rows(1)[0]]))
    imported = run("import", rows)
    assert imported.exit_code == 0, imported.output
    version, rest = imported.stdout.split(": ")
    assert rest == "41 rows in dataset 'desk'\n"
    assert "import" in imported.stderr
    assert "100%" in imported.stderr

    case_file = tmp_path / "cases.jsonl"
    case_file.write_bytes(ndjson(CASES))
    assert run("cases", "add", case_file).stdout == "3 cases: 3 created\n"
    assert run("cases", "add", "-", stdin=json.dumps(CASES)).stdout == "3 cases: 3 unchanged\n"
    listed = run("cases", "list", "--tag", "pets")
    assert len(listed.stdout.splitlines()) == 3
    assert listed.stdout.split("\t")[1] == "t-2"
    case_id = json.loads(run("cases", "list", "--json", "--limit", "1").stdout)[0]["id"]
    assert json.loads(run("cases", "show", case_id[:12]).stdout)["external_id"] == "t-2"

    diagnosed = run("diagnose", "desk", "--tag", "pets")
    assert diagnosed.exit_code == 0, diagnosed.output
    diagnosis, told = diagnosed.stdout.split(": ", 1)
    assert told.startswith("3 cases\n")
    counts = dict(line.split("\t") for line in told.splitlines() if "\t" in line)
    assert sum(map(int, counts.values())) == 3

    for name in ("report.html", "report.md", "report.csv", "report.json"):
        written = run("report", diagnosis, "--out", tmp_path / name)
        assert written.exit_code == 0, written.output
        assert (tmp_path / name).stat().st_size > 200
    assert (tmp_path / "report.html").read_text().lstrip().startswith("<!")
    printed = run("report", diagnosis, "-o", "-", "--format", "json").stdout
    assert json.loads(printed)["title"] == json.loads((tmp_path / "report.json").read_text())["title"]

    planned = run("plan", diagnosis, "--json")
    assert planned.exit_code == 0, planned.output
    plan = json.loads(planned.stdout)
    repair, actions = plan["repair"]["id"], plan["actions"]
    assert actions
    assert run("decide", repair, "--reject", "--all").stdout.startswith(f"{len(actions)} actions decided")
    drop = next(a for a in actions if a["kind"] in ("drop", "merge"))
    decisions = tmp_path / "decisions.jsonl"
    decisions.write_bytes(ndjson([{"id": drop["id"], "decision": "approved"}]))
    assert run("decide", repair, "--file", decisions).stdout.startswith("1 actions decided")
    shown = run("plan", repair)
    assert "\tapproved\t1\n" in shown.stdout
    preview = run("apply", repair, "--dry-run")
    assert preview.stdout.startswith("1 actions would make a version of 40 rows\n")
    # 41 rows are more than the request of this test may apply: a worker does it
    applied = run("apply", repair)
    assert applied.exit_code == 0, applied.output
    assert "apply the repair" in applied.stderr
    assert applied.stdout.endswith(": 40 rows\n")
    repaired = applied.stdout.split(":")[0]
    assert repaired != version

    exported = run("export", "desk", "--format", "csv", "--out", tmp_path / "desk.csv")
    assert exported.stdout == f"{tmp_path / 'desk.csv'}: 40 rows\n"
    assert len(run("export", repaired, "-o", "-").stdout.splitlines()) == 40
    run("export", repaired, "--format", "llamafactory", "-o", tmp_path / "lf.zip")
    assert zipfile.is_zipfile(tmp_path / "lf.zip")

    assert run("watch", repair).stdout == f"{repair}: succeeded\n"
    assert run("watch", repair[:12]).stdout == f"{repair}: succeeded\n"
    assert run("cases", "delete", case_id).stdout == f"deleted {case_id}\n"


def test_a_file_is_refused_by_line_and_code(run: Run, worker: None, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(ndjson(alpaca_rows(2)) + b'{"instruction": "no answer"}\n')
    some = run("import", rows)
    assert some.exit_code == 0
    assert f"{rows} line 3: missing_" in some.stderr
    piped = run("import", "-", "--dataset", "piped", "--json", stdin=rows.read_text())
    assert json.loads(piped.stdout)["rows_accepted"] == 2
    strict = run("import", rows, "--strict")
    assert strict.exit_code == 1
    assert "was not imported" in strict.stderr
    assert "line 3" in strict.stderr
    cases = tmp_path / "cases.jsonl"
    cases.write_bytes(ndjson([CASES[0], {"model_output": "no prompt"}, 7]))
    added = run("cases", "add", cases, "--json")
    assert added.exit_code == 1
    assert f"{cases} line 2: " in added.stderr
    assert f"{cases} line 3: not_an_object" in added.stderr
    assert [c["status"] for c in json.loads(added.stdout)] == ["created", "rejected", "rejected"]


def _end_cycle(sessions: SessionFactory, gate: str | None, status: Status) -> threading.Thread:
    """Ends the only cycle that has not ended, once it is there."""

    def end() -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with transaction(sessions) as session:
                cycle = session.scalar(select(CycleRow).where(CycleRow.finished_at.is_(None)))
                if cycle is not None:
                    if gate is not None:
                        cycle.verdict = {
                            "fix_rate": 0.5,
                            "held_back_fix_rate": None,
                            "retention": 0.9,
                            "gate": gate,
                            "reasons": ["retention fell"],
                        }
                    error = {"type": "/problems/stage-failed", "detail": "no room"} if gate is None else None
                    advance.end(session, cycle, status, error=error)
                    return
            time.sleep(0.05)

    thread = threading.Thread(target=end)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("gate", "status", "exit_code", "told"),
    [
        ("accepted", Status.SUCCEEDED, 0, "gate: accepted\n"),
        ("rejected", Status.SUCCEEDED, 3, "because: retention fell\n"),
        ("inconclusive", Status.SUCCEEDED, 3, "gate: inconclusive\n"),
        (None, Status.FAILED, 1, "no room"),
        (None, Status.CANCELLED, 1, "cancelled"),
    ],
)
def test_a_cycle_s_exit_code_says_how_it_ended(
    run: Run,
    seeded: Seeded,
    sessions: SessionFactory,
    tmp_path: Path,
    gate: str | None,
    status: Status,
    exit_code: int,
    told: str,
) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text('{"max_attempts": 1, "hold_back": 0}')
    ending = _end_cycle(sessions, gate, status)
    done = run("cycle", "--version", seeded.version_id, "--policy", policy, "--wait")
    ending.join()
    assert done.exit_code == exit_code, done.output
    assert told in (done.stdout if gate else done.stderr)
    assert "cycle: diagnose" in done.stderr
    with sessions() as session:
        cycle = session.scalars(select(CycleRow).order_by(CycleRow.created_at.desc())).first()
        assert cycle is not None
        assert cycle.policy["max_attempts"] == 1
    again = run("watch", cycle.id)
    assert again.exit_code == exit_code


def test_a_cycle_is_started_and_waited_for_in_vain(run: Run, seeded: Seeded) -> None:
    started = run("cycle", "--version", seeded.version_id, "--case", seeded.bad_case_id)
    assert started.exit_code == 0
    cycle = started.stdout.strip()
    waited = run("watch", cycle, "--timeout", "0")
    assert waited.exit_code == 1
    assert "it goes on" in waited.stderr


def test_who_waits_for_a_person_says_what_to_do(run: Run, seeded: Seeded, sessions: SessionFactory) -> None:
    with transaction(sessions) as session:
        cycle = session.get_one(CycleRow, seeded.cycle_id)
        cycle.status, cycle.finished_at = "running", None
        cycle.stages = [
            {
                "name": "repair",
                "status": "awaiting_approval",
                "started_at": None,
                "finished_at": None,
                "result_id": seeded.repair_id,
            }
        ]
    waited = run("watch", seeded.cycle_id, "--timeout", "0")
    assert f"casemend decide {seeded.repair_id}" in waited.stderr
    assert f"casemend apply {seeded.repair_id}" in waited.stderr


def test_adapters_are_listed_shown_and_taken_away(run: Run, seeded: Seeded, tmp_path: Path) -> None:
    assert run("adapters", "list").stdout.startswith(f"{seeded.adapter_id}\ttiny\taccepted\t")
    assert json.loads(run("adapters", "show", seeded.adapter_id).stdout)["card"]["seed"] == 0
    nobody = run("adapters", "download", "current")
    assert nobody.exit_code == 1
    assert "no adapter is called 'current'" in nobody.stderr
    out = tmp_path / "adapter.zip"
    assert run("adapters", "download", seeded.adapter_id, "--out", out).exit_code == 0
    assert zipfile.is_zipfile(out)


def test_a_fine_tuning_job_is_watched_too(run: Run, seeded: Seeded) -> None:
    watched = run("watch", seeded.fine_tuning_job_id)
    assert watched.exit_code == 0, watched.output
    assert watched.stdout.startswith(f"{seeded.fine_tuning_job_id}: succeeded: ")
    assert json.loads(run("watch", seeded.fine_tuning_job_id, "--json").stdout)["status"] == "succeeded"


def test_the_formats_are_those_of_the_api() -> None:
    def taken(method: Any) -> set[str]:
        hint = get_type_hints(method)["format"]
        options = [hint, *get_args(hint)]
        return {value for option in options for value in get_args(option) if isinstance(value, str)}

    assert set(get_args(data.ImportFormat)) == taken(Datasets.upload)
    assert set(get_args(data.ExportFormat)) == taken(Versions.export)


def test_all_that_the_client_watches_can_be_watched() -> None:
    watched = {
        name for name, kind in vars(resources).items() if hasattr(kind, "watch") and hasattr(kind, "get")
    }
    groups = {"".join(word.title() for word in kind.group.split("_")) for kind in objects.WORK}
    assert groups == watched


def test_a_table_in_a_terminal_shows_ids_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    narrow = Console(file=out, width=50, force_terminal=True, color_system=None)
    monkeypatch.setattr(output, "Console", lambda: narrow)
    identifier = "bc_pg34h0m1q6qfazbf4anr22"
    output.print_table(("id", "prompt"), [(identifier, "[/] what is it?\nLong " * 20)])
    head, row, *rest = out.getvalue().splitlines()
    assert head.split() == ["id", "prompt"]
    assert row.startswith(f"{identifier}  [/] what is it? Long")
    assert rest
    assert max(map(len, rest)) <= 50
