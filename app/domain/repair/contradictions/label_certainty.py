"""How sure a corrected label is, and when it is a question for a person.

Knows labels as numbers and what the bad cases say; does not know rows and inputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy import ndarray
from scipy.stats import binom

# How often an anchor is found in its label's region when that region is the label's own.
_ANCHOR_HIT_RATE: Final = 0.9

# How much the diagnosis' own probability counts before the first anchor: even odds at least, and never
# so much that a single anchor cannot speak against it.
_PRIOR_FLOOR: Final = 0.5

_PRIOR_CEILING: Final = 0.95
# A label loses the most of its rows, and not about half of them, when chance would do so less often than this.
_CEASING_BY_CHANCE: Final = 0.05


def bounded(probability: Float64[ndarray, " m"]) -> Float64[ndarray, " m"]:
    """0.5..0.95: how sure the diagnosis is that the rows around a case contradict it.

    Never below even odds, as the verdict was conflict, and never certain, as verdicts are sometimes wrong.
    """
    return np.clip(probability, _PRIOR_FLOOR, _PRIOR_CEILING)


def prior(
    probability: Float64[ndarray, " m"],
    expected: Int64[ndarray, " m"],
    in_conflict: Bool[ndarray, " m"],
    labels: Sequence[int],
) -> Float64[ndarray, " l"]:
    """Per label, 0.5..0.95: the mean over its cases in conflict, bounded."""
    made = np.full(len(labels), _PRIOR_FLOOR)
    for i, label in enumerate(labels):
        blamed = probability[in_conflict & (expected == label)]
        if blamed.size:
            made[i] = bounded(blamed.mean(keepdims=True))[0]
    return made


def reliability(
    predicted: Int64[ndarray, " m"], expected: Int64[ndarray, " m"], prior: Float64[ndarray, " l"]
) -> Float64[ndarray, " l"]:
    """Per label, 0..1: probability that its region is its own rather than shared with another label.

    The anchors tell, each left out once: in a region of its own an anchor that expects the label is found
    there, and no other, with probability 0.9; in a region where two labels are both right, half of the
    time (sequential probability ratio, Wald 1945). Before the first anchor stands the diagnosis' own
    ``prior``. From even odds one anchor gives 0.64, three 0.85, ten hits and a miss 0.99; from a diagnosis
    that is 0.9 sure, one anchor gives 0.94.
    """
    hit, miss = _ANCHOR_HIT_RATE / 0.5, (1 - _ANCHOR_HIT_RATE) / 0.5
    odds = prior / (1 - prior)
    for label in range(len(prior)):
        hits = int(((predicted == label) & (expected == label)).sum())
        misses = int(((predicted == label) ^ (expected == label)).sum())
        odds[label] *= hit**hits * miss**misses
    return odds / (1 + odds)


def ceasing(wrong: Int64[ndarray, " w"], given: Int64[ndarray, " n"]) -> frozenset[int]:
    """Labels most of whose rows are called wrong, beyond chance (one-sided sign test).

    ``wrong`` (w,): the given label of each row called wrong, ``given`` (n,): of every row. Noise in labels can be
    told from the data only while the most rows of a label are right (Natarajan et al. 2013); where they are not, a
    label of a region of its own that lost its rows to a trusted neighbour looks the same as a second name of one
    thing, and a handful of cases cannot say which it is.
    """
    labels, sizes = np.unique(given, return_counts=True)
    called = np.array([int((wrong == label).sum()) for label in labels.tolist()])
    by_chance = binom.sf(called - 1, sizes, 0.5)
    return frozenset(labels[by_chance < _CEASING_BY_CHANCE].tolist())
