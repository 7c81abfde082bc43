"""How the training rows are spread over lengths, tasks and languages, beside the bad cases; and what to repeat.

Knows counts and distances of distributions. Does not know which spread is right: that is a proposal.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.domain.language import scripts, text

# Groups that a distribution names; the rest is "other".
_BALANCE_SHOWN_GROUPS: Final = 20


OTHER = "other"
_LENGTHS = (8, 16, 32, 64, 128, 256, 512, 1024)
"""Upper edges in tokens: doubling, as prompts of 10 and 20 tokens differ like those of 100 and 200."""


def length_bucket(prompt: str) -> str:
    """The prompt's length in tokens as a range: '9-16'."""
    tokens = len(text.tokens(prompt))
    low = 0
    for edge in _LENGTHS:
        if tokens <= edge:
            return f"{low}-{edge}"
        low = edge + 1
    return f"{low}+"


def language_of(prompt: str) -> str:
    """What the prompt is written in: a language where that is sure, else a script; 'none' without letters."""
    return scripts.writing(prompt) or "none"


def compared(rows: Sequence[str], cases: Sequence[str]) -> dict[str, Any]:
    """Two groupings as shares 0..1 by group, largest first, JSON-ready, and how far they are apart.

    ``distance`` is the Jensen-Shannon distance to base 2 (Lin 1991; a metric: Endres and Schindelin 2003), 0 =
    the same shares, 1 = no group in common; None where there are no cases.
    """
    counted = Counter(rows), Counter(cases)
    return {
        "rows": _shares(counted[0]),
        "cases": _shares(counted[1]),
        "distance": round(distance(counted[0], counted[1]), 4) if rows and cases else None,
    }


def distance(left: Mapping[str, int], right: Mapping[str, int]) -> float:
    """Square root of the Jensen-Shannon divergence to base 2 of two counts, 0..1; neither may be empty."""
    n, m = sum(left.values()), sum(right.values())
    divergence = 0.0
    for group in left.keys() | right.keys():
        p, q = left.get(group, 0) / n, right.get(group, 0) / m
        middle = (p + q) / 2
        divergence += sum(x * math.log2(x / middle) for x in (p, q) if x > 0) / 2
    return math.sqrt(min(1.0, max(0.0, divergence)))


def _shares(counts: Counter[str]) -> dict[str, float]:
    total = counts.total()
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    named = {group: round(n / total, 4) for group, n in ranked[:_BALANCE_SHOWN_GROUPS]}
    rest = sum(n for _, n in ranked[_BALANCE_SHOWN_GROUPS:])
    if rest:
        named[OTHER] = round(named.get(OTHER, 0.0) + rest / total, 4)
    return named


def copies(sizes: Mapping[str, int], alpha: float, max_repeats: int) -> dict[str, int]:
    """How many copies each group needs for the shares p_i = n_i^alpha / sum_j n_j^alpha, groups without left out.

    Temperature sampling (multilingual BERT, Devlin 2019, alpha 0.7; XLM, Lample and Conneau 2019, 0.5). The
    largest group stays as it is, so that no row is lost, and each row is seen at most ``max_repeats`` times.
    """
    largest = max(sizes.values(), default=0)
    needed: dict[str, int] = {}
    for group, size in sizes.items():
        if size:
            extra = round(largest * (size / largest) ** alpha) - size
            needed[group] = min(extra, size * (max_repeats - 1))
    return {group: extra for group, extra in needed.items() if extra > 0}
