"""What a row detector says, and what is a habit of a task rather than a defect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from app.domain.repair.noise import limits

if TYPE_CHECKING:
    from app.domain.repair.noise.reading import Reading

R = TypeVar("R", bound="Reading")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoisyRow:
    """``score`` 0..1: probability that the row is bad. ``reason`` is a sentence a person can check;
    ``evidence`` is JSON-ready. ``statistical``: no sign in the text, a comparison with the other rows."""

    row: int
    detector: str
    score: float
    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    statistical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A trait seen in one row. ``certainty`` 0..1: probability of a defect where the task has no such habit."""

    certainty: float
    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


def weighed(reading: Reading, detector: str, signs: Mapping[int, Sign]) -> tuple[NoisyRow, ...]:
    """Signs as findings, each weighed by how usual it is in its task: a habit is no defect.

    A task's share is its own rows' and some rows of the whole set's (shrinkage to the mean), so that a task of
    one row is judged by what is usual in the set.
    """
    if not signs:
        return ()
    overall = len(signs) / len(reading)
    fired = Counter(int(reading.tasks[row]) for row in signs)
    made = []
    for row, sign in sorted(signs.items()):
        task = int(reading.tasks[row])
        share = (fired[task] + overall * limits.TASK_PSEUDO_ROWS) / (
            reading.task_sizes[task] + limits.TASK_PSEUDO_ROWS
        )
        score = sign.certainty * _not_a_habit(share)
        if score > 0:
            made.append(
                NoisyRow(
                    row=row,
                    detector=detector,
                    score=score,
                    reason=sign.reason,
                    evidence={**sign.evidence, "share_in_task": round(share, 4)},
                )
            )
    return tuple(made)


def _not_a_habit(share: float) -> float:
    span = limits.HABIT_SHARE - limits.SLOPPY_SHARE
    return min(1.0, max(0.0, (limits.HABIT_SHARE - share) / span))


def once(detect: Callable[[R], tuple[NoisyRow, ...]]) -> Callable[[R], tuple[NoisyRow, ...]]:
    """A detector that looks at a reading once: the plan and the quality score both ask it."""

    @wraps(detect)
    def remembered(reading: R) -> tuple[NoisyRow, ...]:
        name = detect.__module__
        if name not in reading.findings:
            reading.findings[name] = detect(reading)
        return reading.findings[name]

    return remembered
