"""What a cluster of cases is called by its words.

Knows words and their counts. A language model's name in their place: ``llm_names``.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from app.domain.language import phrases, text
from app.domain.language.stop_words import STOP_WORDS

_CLUSTER_WHOLE_TERM_SHARE: Final = 0.7

_CLUSTER_KEYWORDS: Final = 8

_HAN_RUN: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]{2,}")
_NOWHERE: Final = frozenset(phrases.listed("stop_words", "never_in_a_term"))
_NOT_AT_EDGES: Final = frozenset(phrases.listed("stop_words", "never_at_an_end"))
_LONGEST_WORD: Final = 30
_LONGEST_CHINESE: Final = 4


def keywords(groups: Sequence[Sequence[str]], everything: Sequence[str]) -> list[tuple[str, ...]]:
    """Class-based TF-IDF (Grootendorst 2022): a term counts by its share of the cluster's cases and by how
    rare it is among all cases. Words and pairs of words; for Chinese, two to four characters."""
    whole = Counter(term for prompt in everything for term in terms(prompt))
    total = max(1, len(everything))
    made = []
    for prompts in groups:
        own = Counter(term for prompt in prompts for term in terms(prompt))
        weight = {
            term: rows / len(prompts) * float(np.log(1 + total / whole[term]))
            for term, rows in own.items()
            if rows > 1 or len(prompts) == 1
        }
        ranked = sorted(weight, key=lambda term: (-weight[term], -len(term), term))
        made.append(tuple(_distinct(_whole_terms(ranked, own))))
    return made


def label(words: Sequence[str], fallback: str) -> str:
    """The first three keywords as one name; the fallback where there are none."""
    chinese = bool(words) and all(text.is_chinese(w) for w in words)
    return ("、" if chinese else ", ").join(words[:3]) or text.clip(fallback, 60)


def terms(prompt: str) -> frozenset[str]:
    """The terms of a prompt, each once, without function words and plain numbers."""
    clipped = text.clip(prompt)
    words = text.tokens(clipped)
    content = {w for w in words if 2 < len(w) <= _LONGEST_WORD and w.isalpha()} - STOP_WORDS
    pairs = {f"{a} {b}" for a, b in itertools.pairwise(words) if a in content and b in content}
    return frozenset(content | pairs) | _chinese_terms(clipped)


def _chinese_terms(clipped: str) -> frozenset[str]:
    found: set[str] = set()
    for run in _HAN_RUN.findall(clipped):
        for size in range(2, _LONGEST_CHINESE + 1):
            found.update(run[i : i + size] for i in range(len(run) - size + 1))
    stop = STOP_WORDS
    edges = (t for t in found if t[0] not in _NOT_AT_EDGES and t[-1] not in _NOT_AT_EDGES)
    return frozenset(t for t in edges if t not in stop and not _NOWHERE & set(t))


def _whole_terms(ranked: Sequence[str], rows: Counter[str]) -> list[str]:
    """Without parts of a longer term that stands in nearly as many cases: 信用 where 信用卡 is meant."""
    best = ranked[: 8 * _CLUSTER_KEYWORDS]
    share = _CLUSTER_WHOLE_TERM_SHARE
    return [
        term
        for term in best
        if not any(term != other and term in other and rows[other] >= share * rows[term] for other in best)
    ]


def _distinct(ranked: Sequence[str]) -> list[str]:
    """Without terms that share words, or overlap (手机, 机号), with one already taken."""
    taken: list[str] = []
    for term in ranked:
        if not any(_overlap(term, other) for other in taken):
            taken.append(term)
        if len(taken) >= _CLUSTER_KEYWORDS:
            break
    return taken


def _overlap(term: str, other: str) -> bool:
    if text.is_chinese(term):
        return bool(set(term) & set(other))
    return bool(set(term.split()) & set(other.split()))
