"""Few candidates that differ most, instead of many that say the same."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.near_duplicates.grouping import exact_jaccard


def select_diverse(
    candidates: Sequence[str], count: int, *, away_from: Sequence[str] = ()
) -> tuple[str, ...]:
    """``count`` candidates, greedily the one least like all chosen and all of ``away_from``.

    Farthest-point selection (Gonzalez 1985) under the Jaccard distance of character n-grams; ties go to
    the earlier candidate.
    """
    left = list(dict.fromkeys(candidates))
    nearest = {c: max((exact_jaccard(c, other) for other in away_from), default=0.0) for c in left}
    chosen: list[str] = []
    while left and len(chosen) < count:
        best = min(left, key=lambda c: nearest[c])
        left.remove(best)
        chosen.append(best)
        for other in left:
            nearest[other] = max(nearest[other], exact_jaccard(other, best))
    return tuple(chosen)


def diversity(texts: Sequence[str]) -> float:
    """Mean Jaccard distance over all pairs, 0..1; 1 = nothing in common, 0 = all equal (or fewer than 2)."""
    pairs = [(a, b) for i, a in enumerate(texts) for b in texts[i + 1 :]]
    return sum(1 - exact_jaccard(a, b) for a, b in pairs) / len(pairs) if pairs else 0.0
