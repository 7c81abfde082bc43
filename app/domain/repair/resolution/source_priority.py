"""The side of the source that the policy trusts most is right."""

from __future__ import annotations

from app.domain.records import TrainingExample
from app.domain.repair.resolution.context import ResolutionContext
from app.domain.repair.resolution.dispute import RULE_SCORE, Dispute, Resolution

SOURCE_KEYS = ("source", "dataset", "origin", "annotator")


def resolve(dispute: Dispute, context: ResolutionContext) -> Resolution | None:
    """None where no row is of a named source, or two sides have one of equal rank."""
    rank = {name: i for i, name in enumerate(context.source_priority)}
    best = [
        min(rank.get(source_of(dispute.examples[row]) or "", len(rank)) for row in side)
        for side in dispute.sides
    ]
    first = min(best, default=len(rank))
    if first == len(rank) or best.count(first) > 1:
        return None
    return Resolution(
        keep=best.index(first),
        score=RULE_SCORE,
        because=f'its source "{context.source_priority[first]}" goes before the others',
    )


def source_of(example: TrainingExample) -> str | None:
    """Where the row came from, as its metadata says."""
    for key in SOURCE_KEYS:
        value = example.metadata.get(key)
        if isinstance(value, str) and value:
            return value
    return None
