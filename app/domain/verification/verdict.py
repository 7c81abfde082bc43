"""The verdict on one case, and whether an adapter may be served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final

from app.domain.answers.scoring import AnswerScore
from app.domain.verification.retention import Retention

# The gate's defaults: what the adapter must keep of the earlier scores, in all and in the worst slice.
_MIN_RETENTION: Final = 0.9

_MAX_DEGRADATION: Final = 0.5


class CaseVerdict(StrEnum):
    FIXED = "fixed"
    NOT_FIXED = "not_fixed"
    REGRESSED = "regressed"
    STILL_RIGHT = "still_right"


def judge_case(before: AnswerScore, after: AnswerScore) -> CaseVerdict:
    """What became of a case: right now or not, and whether it was."""
    match before.correct, after.correct:
        case False, True:
            return CaseVerdict.FIXED
        case True, False:
            return CaseVerdict.REGRESSED
        case True, True:
            return CaseVerdict.STILL_RIGHT
        case _:
            return CaseVerdict.NOT_FIXED


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """``min_retention``: the retention mean must be above it. ``max_degradation`` (share lost by the
    worst slice, 0..1): the largest degradation must be below it."""

    min_retention: float = _MIN_RETENTION
    max_degradation: float = _MAX_DEGRADATION

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> GateSettings:
        """Validate settings from outside; a ValueError says what is wrong and how to fix it."""
        known = {f.name: f.name for f in fields(cls)}
        for name, value in raw.items():
            if name not in known:
                raise ValueError(f"gate has no setting {name!r}; its settings are {', '.join(sorted(known))}")
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise ValueError(f"gate.{name} is {value!r}; give a number from 0 to 1")
        return cls(**raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Whether the adapter may be served; ``reasons`` holds every figure that decided it."""

    accepted: bool
    reasons: tuple[str, ...]


def gate(retention: Retention | None, settings: GateSettings | None = None) -> Gate:
    """Accept an adapter that kept enough. Without a retention set nothing is proven: rejected."""
    limits = settings or GateSettings()
    if retention is None:
        reason = "no retention set: nothing shows what was forgotten; give one or hold rows back"
        return Gate(accepted=False, reasons=(reason,))
    kept = retention.mean > limits.min_retention
    worst = retention.largest_degradation < limits.max_degradation
    where = f" (slice {retention.worst_slice!r})" if retention.worst_slice else ""
    return Gate(
        accepted=kept and worst,
        reasons=(
            f"retention {retention.mean:.3f} on {retention.n} rows is "
            f"{'above' if kept else 'not above'} {limits.min_retention:g}",
            f"largest degradation {retention.largest_degradation:.3f}{where} is "
            f"{'below' if worst else 'not below'} {limits.max_degradation:g}",
        ),
    )
