"""The side with the best row is right, where rows differ in quality."""

from __future__ import annotations

from typing import Final

from app.domain.repair.resolution.context import ResolutionContext
from app.domain.repair.resolution.dispute import Dispute, Resolution

# How far apart the qualities of two answers must be for the better one to be proposed.
_QUALITY_MARGIN: Final = 0.1


def resolve(dispute: Dispute, context: ResolutionContext) -> Resolution | None:
    """None where the two best sides are about as good. Quality says nothing about truth: a person is asked."""
    best = [max(float(context.quality[row]) for row in side) for side in dispute.sides]
    ordered = sorted(best, reverse=True)
    if len(ordered) < 2 or ordered[0] - ordered[1] < _QUALITY_MARGIN:
        return None
    return Resolution(
        keep=best.index(ordered[0]),
        score=0.5 + (ordered[0] - ordered[1]) / 2,
        because=f"its quality is {ordered[0]:.2f}, the others' at most {ordered[1]:.2f}",
        ask=True,
    )
