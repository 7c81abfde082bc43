"""The repair plan: made, read, decided, applied."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from casemend_client import Client, WorkFailed, models

from app.cli import objects, output
from app.cli.data import read_rows
from app.cli.following import follow
from app.cli.service import USAGE, Json, Key, Url, Wait, connected, fail, given, options_from, readable
from app.terminal import telling

ActionKind = Literal["drop", "relabel", "merge", "normalise", "redact", "add", "upsample"]
Decision = Literal["proposed", "approved", "rejected"]
_POLL_SECONDS = 0.5


def register(cli: typer.Typer) -> None:
    for command in (plan, decide, apply):
        cli.command()(command)


def plan(
    target: Annotated[
        str, typer.Argument(help="A diagnosis, a dataset version, or a dataset; a repair: shows its plan.")
    ],
    policy: Annotated[Path | None, typer.Option(help="JSON file of a repair policy.")] = None,
    evaluation: Annotated[
        str | None, typer.Option(help="Version of the evaluation set: rows that repeat it are dropped.")
    ] = None,
    wait: Wait = True,
    as_json: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Plan the repair of the training rows; or show a plan that is there."""
    chosen = options_from(policy, models.RepairPolicy)
    with connected(url, key) as client:
        if target.startswith("rp_"):
            found = objects.find(client, target, objects.REPAIR)
        else:
            about = (
                {"diagnosis_id": objects.diagnosis_id(client, target)}
                if target.startswith(("dg_", "cyc_"))
                else {"dataset_version_id": objects.version(client, target).id}
            )
            tested = None if evaluation is None else objects.version(client, evaluation).id
            asked = {**about, **given(policy=chosen, evaluation_dataset_version_id=tested)}
            found = client.repairs.create(models.NewRepair(**asked))
            found = follow(client, found.id, text="repair plan") if wait else found
        if as_json:
            actions = list(client.repairs.actions(found.id, limit=200)) if found.status == "succeeded" else []
            output.print_json({"repair": found, "actions": actions})
        else:
            _show(client, found)


def _show(client: Client, repair: Any) -> None:
    typer.echo(f"{repair.id}: {repair.status}")
    if repair.status != "succeeded":
        return
    output.print_table(
        ("kind", "rule", "decision", "actions"),
        ((c.kind, c.rule, c.decision, c.actions) for c in repair.counts),
    )
    open_questions = list(client.repairs.actions(repair.id, decision="proposed", asks=True, limit=200))
    for action in open_questions:
        typer.echo(f"asks: {action.id}: {action.reason}")
    if repair.result_version_id:
        typer.echo(f"applied: {repair.result_version_id}")
    else:
        typer.echo(f"next: casemend decide {repair.id} ...; casemend apply {repair.id}")


def decide(
    repair: Annotated[str, typer.Argument()],
    approve: Annotated[bool, typer.Option("--approve", help="Approve the actions that are chosen.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="Reject them.")] = False,
    all_: Annotated[bool, typer.Option("--all", help="Choose every action.")] = False,
    kind: Annotated[ActionKind | None, typer.Option(help="Choose by kind.")] = None,
    rule: Annotated[str | None, typer.Option(help="Choose by the rule that proposed it.")] = None,
    current: Annotated[Decision | None, typer.Option(help="Choose by the decision now.")] = None,
    min_score: Annotated[float | None, typer.Option(min=0, max=1, help="Choose by score.")] = None,
    max_score: Annotated[float | None, typer.Option(min=0, max=1, help="Choose by score.")] = None,
    reason: Annotated[str | None, typer.Option(help="Choose by a text in the reason.")] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            callback=readable,
            help='JSON, one a line: {"id": "ra_...", "decision": "approved", "answer": "..."}',
        ),
    ] = None,
    as_json: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Approve or reject actions of a plan: all, those that meet all conditions, or as a file says."""
    conditions = given(
        kind=kind, rule=rule, current=current, min_score=min_score, max_score=max_score, reason=reason
    )
    if file is not None:
        if approve or reject or all_ or conditions:
            fail("--file says it all: give no other decision beside it", USAGE)
        decided = list(_decisions(file))
    elif approve == reject:
        fail("give --approve or --reject, or --file", USAGE)
    elif all_ == bool(conditions):
        fail("which actions? Give --all, or conditions such as --kind and --min-score", USAGE)
    else:
        decided = []
    with connected(url, key) as client:
        repair_id = objects.find(client, repair, objects.REPAIR).id
        if file is None:
            verdict: Decision = "approved" if approve else "rejected"
            answer = client.repairs.decide(repair_id, models.NewDecisions(decision=verdict, **conditions))
            count = answer.decided
        else:
            for action_id, decision in decided:
                client.repair_actions.decide(action_id, decision)
            count = len(decided)
        found = client.repairs.get(repair_id)
        if as_json:
            output.print_json(found)
            return
        typer.echo(f"{count} actions decided")
        _show(client, found)


def _decisions(file: Path) -> list[tuple[str, models.NewDecision]]:
    """Every line is read before the first decision is sent."""
    decisions = []
    for place, row in read_rows(file):
        if not isinstance(row, Mapping) or not isinstance(row.get("id"), str) or not _is_decision(row):
            fail(
                f'{file} {place}: give {{"id": "ra_...", "decision": "approved"}} (or rejected, proposed), and '
                '"answer" where the action asks for one',
                USAGE,
            )
        sent = {name: row[name] for name in ("decision", "answer") if row.get(name) is not None}
        decisions.append((row["id"], models.NewDecision.model_validate(sent)))
    return decisions


def _is_decision(row: Mapping[str, Any]) -> bool:
    return row.get("decision") in ("approved", "rejected", "proposed") and isinstance(
        row.get("answer", ""), (str, type(None))
    )


def apply(
    repair: Annotated[str, typer.Argument()],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would change.")] = False,
    as_json: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Carry out the approved actions: a new dataset version."""
    with connected(url, key) as client:
        repair_id = objects.find(client, repair, objects.REPAIR).id
        made = client.repairs.apply(repair_id, dry_run=dry_run)
        if isinstance(made, models.RepairRun):
            made = _run_to_its_end(client, repair_id)
        if as_json:
            output.print_json(made)
        elif isinstance(made, models.RepairPreview):
            typer.echo(f"{made.actions} actions would make a version of {made.rows} rows")
            output.print_fields(made.counts.model_dump())
        else:
            typer.echo(f"{made.id}: {made.rows} rows")


def _run_to_its_end(client: Client, repair_id: str) -> models.DatasetVersion:
    """The version that a worker makes; its run stands in the repair."""
    with telling(output.errors()) as told:
        step = told.start("apply the repair")
        while True:
            run = client.repairs.get(repair_id).run
            assert run is not None
            if run.status in ("failed", "cancelled"):
                raise WorkFailed(run)
            if run.status == "succeeded":
                assert run.result_version_id is not None
                told.tell(step, 1.0)
                return client.versions.get(run.result_version_id)
            told.tell(step, min(run.progress, 0.99))
            time.sleep(_POLL_SECONDS)
