"""What is a habit of a task rather than a defect; each detector looks at a reading once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Final, TypeVar

from app.domain.repair.row_quality.defects.finding import NoisyRow, Sign
from app.domain.repair.row_quality.defects.reading import Reading

_SLOPPY_SHARE: Final = 0.08
"""Up to this share of a task's rows a trait may be sloppy work and counts in full ..."""

_HABIT_SHARE: Final = 0.25
"""... from here on it is what the task is like, and no defect at all."""

TASK_PSEUDO_ROWS: Final = 20
"""Rows of the whole set that are added to a task's own before its share of a trait is read."""

R = TypeVar("R", bound=Reading)


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
        share = (fired[task] + overall * TASK_PSEUDO_ROWS) / (reading.task_sizes[task] + TASK_PSEUDO_ROWS)
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
    span = _HABIT_SHARE - _SLOPPY_SHARE
    return min(1.0, max(0.0, (_HABIT_SHARE - share) / span))


def once(detect: Callable[[R], tuple[NoisyRow, ...]]) -> Callable[[R], tuple[NoisyRow, ...]]:
    """A detector that looks at a reading once: the plan and the quality score both ask it."""

    @wraps(detect)
    def remembered(reading: R) -> tuple[NoisyRow, ...]:
        name = detect.__module__
        if name not in reading.findings:
            reading.findings[name] = detect(reading)
        return reading.findings[name]

    return remembered
