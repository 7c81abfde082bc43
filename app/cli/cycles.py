"""The whole loop, started and followed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from casemend_client import Client, models

from app.cli import fine_tuning, objects, output
from app.cli.data import chosen_cases
from app.cli.diagnosing import Cases, Source, Tag
from app.cli.following import follow
from app.cli.service import (
    GATE_REJECTED,
    USAGE,
    Json,
    Key,
    Url,
    address,
    connected,
    fail,
    given,
    options_from,
)

Timeout = Annotated[float | None, typer.Option(min=0, help="Seconds to wait at most; then it exits 1.")]


def register(cli: typer.Typer) -> None:
    cli.command()(cycle)
    cli.command()(watch)


def cycle(
    dataset: Annotated[str | None, typer.Option(help="Dataset by name or id: its newest version.")] = None,
    version: Annotated[str | None, typer.Option(help="Dataset version.")] = None,
    base_model: Annotated[str, typer.Option(help="Base model.")] = "smollm2-135m-instruct",
    policy: Annotated[Path | None, typer.Option(help="JSON file of a cycle's policy.")] = None,
    case: Cases = None,
    tag: Tag = None,
    source: Source = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Follow it; exits 3 where the gate does not accept the adapter.")
    ] = False,
    timeout: Timeout = None,
    as_json: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Start a cycle: diagnose, repair, retrain, verify."""
    chosen = options_from(policy, models.CyclePolicy)
    where = [text for text in (dataset, version) if text is not None]
    if len(where) != 1:
        fail("give --dataset or --version, one of them", USAGE)
    with connected(url, key) as client:
        started = client.cycles.create(
            models.NewCycle(
                dataset_version_id=objects.version(client, where[0]).id,
                base_model=base_model,
                **chosen_cases(client, case, tag=tag, source=source),
                **given(policy=chosen),
            )
        )
        if wait:
            typer.echo(f"cycle {started.id}", err=True)
            _follow_cycle(client, started.id, timeout=timeout, as_json=as_json)
        elif as_json:
            output.print_json(started)
        else:
            typer.echo(started.id)


def watch(
    work: Annotated[str, typer.Argument(help="Id of a cycle, job, import, diagnosis ..., or its beginning.")],
    timeout: Timeout = None,
    as_json: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Follow any work to its end. Exits 1 where it fails, 3 where a cycle's gate does not accept."""
    if work.startswith(fine_tuning.PREFIX):
        where, secret = address(url, key)
        fine_tuning.watch(where, secret, work, timeout=timeout, as_json=as_json)
        return
    with connected(url, key) as client:
        found = objects.find(client, work, *objects.WORK)
        if isinstance(found, models.Cycle):
            _follow_cycle(client, found.id, timeout=timeout, as_json=as_json)
            return
        done = follow(client, found.id, timeout=timeout)
        if as_json:
            output.print_json(done)
        else:
            typer.echo(f"{done.id}: {done.status}")


def _follow_cycle(client: Client, cycle_id: str, *, timeout: float | None, as_json: bool) -> None:
    done: models.Cycle = follow(client, cycle_id, timeout=timeout)
    verdict = done.verdict
    if as_json:
        output.print_json(done)
    else:
        output.print_fields(
            {
                "cycle": done.id,
                "adapter": done.adapter_id,
                "fix rate": verdict and verdict.fix_rate,
                "fix rate on held-back cases": verdict and verdict.held_back_fix_rate,
                "retention": verdict and verdict.retention,
                "gate": verdict and verdict.gate,
            }
        )
        for reason in verdict.reasons if verdict else ():
            typer.echo(f"because: {reason}")
    if verdict is None or verdict.gate != "accepted":
        raise typer.Exit(GATE_REJECTED)
