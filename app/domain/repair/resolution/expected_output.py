"""The side that bad cases expect is right: whoever reported them said what the answer should have been."""

from __future__ import annotations

from typing import Final

from app.domain.repair.draft.draft import excerpt
from app.domain.repair.resolution.context import ResolutionContext
from app.domain.repair.resolution.dispute import Dispute, Resolution

# A person's expected answer weighs as much as this many rows of the training set.
ANCHOR_WEIGHT: Final = 3.0


def resolve(dispute: Dispute, context: ResolutionContext) -> Resolution | None:
    """None where no bad case asks what the dispute asks, or as many expect one side as another.

    Every case weighs as much as ``ANCHOR_WEIGHT`` rows; the score is Laplace's rule of succession over the cases.
    """
    votes = context.votes(dispute)
    most = max(votes)
    if votes.count(most) > 1:
        return None
    keep, weight = votes.index(most), ANCHOR_WEIGHT
    of = (
        f"{most} of {sum(votes)} bad cases"
        if sum(votes) > most
        else f"{most} bad {'case' if most == 1 else 'cases'}"
    )
    expect = "expects" if most == 1 and sum(votes) == 1 else "expect"
    return Resolution(
        keep=keep,
        score=(weight * most + 1) / (weight * sum(votes) + 2),
        because=f'{of} that ask the same {expect} "{excerpt(dispute.answers[keep])}"',
        # Rows are outvoted by what somebody reported; who says otherwise in the set may know better.
        ask=sum(votes) > most,
    )
