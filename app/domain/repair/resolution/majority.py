"""The side that most rows are on is right."""

from __future__ import annotations

from typing import Final

from app.domain.repair.draft.draft import excerpt
from app.domain.repair.resolution.context import ResolutionContext
from app.domain.repair.resolution.dispute import Dispute, Resolution

# A majority decides a conflicting group when it holds at least this share of the group's rows.
MAJORITY_SHARE: Final = 2 / 3


def resolve(dispute: Dispute, context: ResolutionContext) -> Resolution | None:
    """Two rows at least, and two thirds of all, and no bad case that expects another side; the score is Laplace's
    rule of succession."""
    most, rows = len(dispute.sides[0]), len(dispute.rows)
    if most < 2 or most / rows < MAJORITY_SHARE or any(context.votes(dispute)[1:]):
        return None
    return Resolution(
        keep=0,
        score=(most + 1) / (rows + 2),
        because=f'{most} of {rows} say "{excerpt(dispute.answers[0])}"',
    )
