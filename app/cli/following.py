"""Long work, followed to its end: bars in a terminal, lines elsewhere."""

from __future__ import annotations

from typing import Any

import typer
from casemend_client import Client, models

from app.cli import output
from app.cli.objects import WORK, Kind, kind_of
from app.terminal import Told, telling, training_note

_STAGE_GROUPS = {
    "diagnose": "diagnoses",
    "repair": "repairs",
    "augment": "augmentations",
    "mix": "mixtures",
    "train": "training_jobs",
    "verify": "verifications",
}
_POLL_SECONDS = 0.5


class CycleProgress:
    """A step for each stage of each attempt."""

    def __init__(self, client: Client, told: Told, *, tell_who_waits: bool = True) -> None:
        self._client = client
        self._told = told
        self._steps: dict[tuple[str, str | None], int] = {}
        self._asked: set[str] = set()
        self._tells = tell_who_waits

    def __call__(self, cycle: models.Cycle) -> None:
        for stage in cycle.stages:
            key = (stage.name, stage.result_id)
            if key not in self._steps:
                self._steps[key] = self._told.start(f"cycle: {stage.name}")
            if stage.status == "succeeded":
                self._told.tell(self._steps[key], 1.0)
            elif stage.status == "awaiting_approval" or stage.name == "questions":
                if self._tells:
                    self._tell_who_waits(cycle, stage)
            elif stage.name in _STAGE_GROUPS and stage.result_id:
                work: Any = getattr(self._client, _STAGE_GROUPS[stage.name]).get(stage.result_id)
                self._told.tell(self._steps[key], min(work.progress, 0.99), training_note(work))

    def _tell_who_waits(self, cycle: models.Cycle, stage: models.CycleStage) -> None:
        repair = next((s.result_id for s in cycle.stages if s.name == "repair"), None)
        if stage.name in self._asked or repair is None:
            return
        self._asked.add(stage.name)
        typer.echo(
            f"cycle {cycle.id} waits for a person: 'casemend plan {repair}' shows the plan, "
            f"'casemend decide {repair}' answers, 'casemend apply {repair}' lets it go on",
            err=True,
        )


def follow(client: Client, work_id: str, *, text: str | None = None, timeout: float | None = None) -> Any:
    """The work once it has succeeded; raises the client's errors where it does not."""
    kind = kind_of(work_id, WORK)
    with telling(output.errors()) as told:
        if kind.group == "cycles":
            return client.cycles.wait(
                work_id,
                timeout_seconds=timeout,
                poll_seconds=_POLL_SECONDS,
                on_update=CycleProgress(client, told),
            )
        return _followed(client, kind, work_id, told, text or kind.noun, timeout)


def _followed(client: Client, kind: Kind, work_id: str, told: Told, text: str, timeout: float | None) -> Any:
    step = told.start(text)
    note = ""

    def on_event(event: models.Event) -> None:
        nonlocal note
        note = str(event.data.get("step", "")) if event.type == "progress" else ""

    done = kind.resource(client).wait(
        work_id,
        timeout_seconds=timeout,
        poll_seconds=_POLL_SECONDS,
        on_event=on_event,
        on_update=lambda work: told.tell(step, min(work.progress, 0.99), training_note(work) or note),
    )
    told.tell(step, 1.0)
    return done
