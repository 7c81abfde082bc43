"""Rows that say the same in other words: near vectors, and nothing that differs commits to another thing.

Knows vectors and the differences of two texts. Does not embed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray

from app.domain.answers import agreement, commitments
from app.domain.language import pair_differences, text
from app.domain.language.pair_differences import DifferenceKind
from app.domain.near_duplicates.lsh import CANDIDATES_PER_ROW
from app.domain.vectors import search

_COMMITS = frozenset(
    {DifferenceKind.NUMBER, DifferenceKind.NEGATION, DifferenceKind.ENTITY, DifferenceKind.DIRECTION}
)


def same_meaning(
    prompts: Sequence[str],
    frames: Sequence[str],
    vectors: Float32[ndarray, "n d"],
    cosine: float,
    rows: Int64[ndarray, " m"],
) -> dict[tuple[int, int], float]:
    """Pairs of ``rows`` (first < second) whose vectors reach ``cosine`` and whose texts differ in words alone.

    Numbers, negation, names and direction must be the same, and so the frame. Each row is compared with its
    few nearest: at most ``CANDIDATES_PER_ROW`` n pairs. Rows without text are left out.
    """
    given: list[int] = rows.tolist()
    asked = np.array([r for r in given if text.normalised(prompts[r])], dtype=np.int64)
    if asked.size < 2:
        return {}
    near = search.nearest_others(vectors[asked], min(CANDIDATES_PER_ROW, asked.size - 1))
    found: dict[tuple[int, int], float] = {}
    who, place = np.nonzero(near.present & (near.similarities >= cosine))
    others: list[int] = asked[near.indices[who, place]].tolist()
    asking: list[int] = asked[who].tolist()
    for row, other, value in zip(asking, others, near.similarities[who, place].tolist(), strict=True):
        pair = (min(row, other), max(row, other))
        if pair not in found and frames[row] == frames[other] and not commits(prompts[row], prompts[other]):
            found[pair] = float(value)
    return found


def commits(left: str, right: str) -> bool:
    """Whether the two texts differ in a number, an operator, a code, a negation, a name, an option or a direction:
    then they ask two things."""
    clipped = text.clip(left), text.clip(right)
    return not commitments.same_question_guard(*clipped) or any(
        difference.kind in _COMMITS for difference in pair_differences.between(*clipped)
    )


def same_answers(
    outputs: Sequence[str], vectors: Float32[ndarray, "n d"], pairs: Sequence[tuple[int, int]], cosine: float
) -> list[bool]:
    """Whether the answers of each pair of rows agree (``agreement.outputs_agree``)."""
    if not pairs:
        return []
    rows = sorted({row for pair in pairs for row in pair})
    place = {row: i for i, row in enumerate(rows)}
    read = agreement.commitments(
        [outputs[r] for r in rows], vectors[rows].astype(np.float32), agreement.labels_of(outputs)
    )
    left = np.array([place[a] for a, _ in pairs], dtype=np.int64)
    right = np.array([place[b] for _, b in pairs], dtype=np.int64)
    return agreement.outputs_agree(read, left, read, right, same_meaning_cosine=cosine).tolist()
