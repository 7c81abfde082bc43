"""The verdict on one case, and whether an adapter may be served."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from app.domain.answers.scoring import AnswerScore
from app.domain.section import Section, Seed, Share, Whole
from app.domain.verification.retention import Retention

# The gate's defaults: what the adapter must keep of the earlier scores, in all and in the worst slice.
_MIN_RETENTION: Final = 0.9

_MAX_DEGRADATION: Final = 0.5

MaxNewTokens = Annotated[Whole, Field(ge=1, le=4096)]


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


class GateSettings(Section):
    """What an adapter must keep to be served."""

    title = "gate"
    min_retention: Share = _MIN_RETENTION
    """The retention mean must be above it."""
    max_degradation: Share = _MAX_DEGRADATION
    """The share lost by the worst slice must be below it."""


class EvaluationOptions(Section):
    """How a model is asked."""

    title = "options"
    max_new_tokens: MaxNewTokens | None = None
    """Longest answer in tokens; null: from the longest expected answer."""


class VerificationOptions(EvaluationOptions):
    """How the models are asked, and what the gate allows."""

    seed: Seed = 0
    gate: GateSettings = Field(default_factory=GateSettings)


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
