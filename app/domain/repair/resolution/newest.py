"""The side with the newest row is right: answers are corrected over time."""

from __future__ import annotations

from datetime import UTC, datetime

from app.domain.records import TrainingExample
from app.domain.repair.resolution.context import ResolutionContext
from app.domain.repair.resolution.dispute import RULE_SCORE, Dispute, Resolution

TIME_KEYS = ("updated_at", "created_at", "timestamp", "occurred_at", "datetime", "date", "time")
"""Where rows say when they were written, the most telling first."""

_MILLISECONDS_FROM = 1e11
"""Unix times from here on are milliseconds: as seconds they would lie beyond the year 5000. A definition."""


def resolve(dispute: Dispute, context: ResolutionContext) -> Resolution | None:  # noqa: ARG001
    """None where a row does not say when it was written, or two sides are equally new."""
    newest: list[datetime] = []
    for side in dispute.sides:
        times = [written_at(dispute.examples[row]) for row in side]
        known = [t for t in times if t is not None]
        if len(known) < len(times):
            return None
        newest.append(max(known))
    latest = max(newest)
    if newest.count(latest) > 1:
        return None
    return Resolution(
        keep=newest.index(latest),
        score=RULE_SCORE,
        because=f"the newest row is of {latest:%Y-%m-%d %H:%M}",
    )


def written_at(example: TrainingExample) -> datetime | None:
    """When the row was written, as its metadata says: ISO 8601 or Unix time; UTC where no zone is named."""
    for key in TIME_KEYS:
        value = example.metadata.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                seconds = value / 1000 if value > _MILLISECONDS_FROM else value
                return datetime.fromtimestamp(seconds, UTC)
            except (ValueError, OverflowError, OSError):
                continue
        if isinstance(value, str):
            try:
                read = datetime.fromisoformat(value.strip())
            except ValueError:
                continue
            return read if read.tzinfo else read.replace(tzinfo=UTC)
    return None
