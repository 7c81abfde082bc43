"""What a fine-tuning job tells: its own events and those of its training, with a step's metrics, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from app.db.models import EventRow, FineTuningJobRow
from app.errors import InvalidInput
from app.services import events
from app.services.fine_tuning import jobs, training_side

Level = Literal["info", "warn", "error"]

MESSAGE: Final = "message"
"""Type of the events that are written for the job's reader; what they say is in their data."""

_EVENT, _STEP = "ftevent-", "ftevent-step-"
_ID_DIGITS: Final = 18

# The subject's other events in words. {job}, and what stands in the event's data.
_OWN: Final = {
    "queued": "Created fine-tuning job: {job}",
    "running": "Validating files",
    "succeeded": "Files validated; the training is queued",
    "cancel_requested": "Cancelling the validation of the files",
}
_TRAINING: Final = {
    "queued": "Training queued",
    "running": "Fine-tuning job started",
    "succeeded": "The job has successfully completed",
    "cancel_requested": "Cancelling the training",
    "pause_requested": "Pausing after the running step",
    "paused": "The job is paused",
    "resumed": "The job is resumed",
}
_EITHER: Final = {
    "cancelled": "The job was cancelled",
    "taken_over": "Another worker goes on with it",
    "retrying": "Will be tried again: {reason}",
    "progress": "{step}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvent:
    id: str
    created_at: datetime
    level: Level
    message: str
    data: dict[str, Any]
    type: Literal["message", "metrics"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvents:
    data: Sequence[JobEvent]
    has_more: bool


def say(session: Session, job: FineTuningJobRow, message: str, *, level: Level = "info", **data: Any) -> None:
    events.append(
        session, job.project_id, job.id, MESSAGE, {"level": level, "message": message, "data": data}
    )


def page(session: Session, project_id: str, job_id: str, *, limit: int, after: str | None) -> JobEvents:
    """Events before ``after``. Rows of the event table and lines of the metrics log are merged by time."""
    job = jobs.get(session, project_id, job_id)
    subjects = [job_id, *([job.training.id] if job.training is not None else [])]
    steps = [(_time(line), line) for line in job.training.metrics] if job.training is not None else []
    statement = select(EventRow).where(EventRow.subject_id.in_(subjects))
    if after is not None and after.startswith(_STEP):
        place = next((p for p, line in steps if str(line["step"]) == after.removeprefix(_STEP)), None)
        if place is None:
            raise _unknown(after)
        step = int(after.removeprefix(_STEP))
        statement = statement.where(EventRow.created_at <= place)
        steps = [(p, line) for p, line in steps if (p, line["step"]) < (place, step)]
    elif after is not None:
        number = after.removeprefix(_EVENT)
        is_id = number.isascii() and number.isdigit() and len(number) <= _ID_DIGITS
        row = session.get(EventRow, int(number)) if is_id else None
        if row is None or row.subject_id not in subjects:
            raise _unknown(after)
        statement = statement.where(tuple_(EventRow.created_at, EventRow.id) < tuple_(row.created_at, row.id))
        steps = [(p, line) for p, line in steps if p < row.created_at]
    newest = statement.order_by(EventRow.created_at.desc(), EventRow.id.desc()).limit(limit + 1)
    # of an event and a step at one time the step is the newer one
    merged = [((row.created_at, 0, row.id), _shown(row, job_id)) for row in session.scalars(newest)]
    merged += [((place, 1, line["step"]), _step(place, line)) for place, line in steps[-(limit + 1) :]]
    merged.sort(key=lambda e: e[0], reverse=True)
    return JobEvents(data=[event for _, event in merged[:limit]], has_more=len(merged) > limit)


def _time(line: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(line.get("time", 0.0), tz=UTC)


def _unknown(after: str) -> InvalidInput:
    detail = f"after: {after!r} is no event of this job"
    return InvalidInput(detail, errors=[{"pointer": "/after", "message": detail}])


def _step(place: datetime, line: dict[str, Any]) -> JobEvent:
    measured = {name: value for name, value in training_side.metrics_of(line).items() if value is not None}
    said = ", ".join(f"{name}={value:.4g}" for name, value in measured.items())
    return JobEvent(
        id=f"{_STEP}{line['step']}",
        created_at=place,
        level="info",
        message=f"Step {line['step']}/{line['total_steps']}: {said}",
        data={"step": line["step"], "total_steps": line["total_steps"], **measured},
        type="metrics",
    )


def _shown(row: EventRow, job_id: str) -> JobEvent:
    level, message, data = _in_words(row, job_id)
    return JobEvent(
        id=f"{_EVENT}{row.id}",
        created_at=row.created_at,
        level=level,
        message=message,
        data=data,
        type="message",
    )


def _in_words(row: EventRow, job_id: str) -> tuple[Level, str, dict[str, Any]]:
    if row.type == MESSAGE:
        return row.data["level"], row.data["message"], row.data["data"]
    if row.type == "failed":
        error = row.data.get("error") or {}
        return "error", f"The job failed: {error.get('detail', '')}", row.data
    own = _OWN if row.subject_id == job_id else _TRAINING
    template = own.get(row.type) or _EITHER.get(row.type)
    if template is None:
        return "info", row.type.replace("_", " "), row.data
    values = {"job": job_id, "reason": row.data.get("reason", ""), "step": row.data.get("step", "")}
    return "warn" if row.type in ("retrying", "taken_over") else "info", template.format(**values), row.data
