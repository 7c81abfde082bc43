"""How often words stand in general writing: what is known of a word of which the set itself says little.

Knows the English and the Chinese list of ``wordfreq`` (Speer 2022: subtitles, news, books, the web and others), read
when first asked for. Refuses to judge what neither list knows well: names, terms of a trade, other languages.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache, lru_cache

import wordfreq

from app.domain.repair import thresholds

_LONGEST = 4
"""Characters of the longest Chinese word that is looked for; longer ones are idioms and names."""

_CHARACTER = 1e-5
"""What every character counts for at least: a rare one is more often a name than a slip."""


def is_misspelling(word: str, of: str) -> bool:
    """Whether English hardly knows ``word`` beside ``of``, which is well known: "recieve" beside "receive"."""
    known = _listed("en").get(of, 0.0)
    rarity = thresholds.MISSPELLING_RARITY
    return known >= thresholds.WELL_KNOWN_FREQUENCY and _listed("en").get(word, 0.0) <= rarity * known


def is_english_word(word: str) -> bool:
    """Whether the list has this word, however rare."""
    return word in _listed("en")


@lru_cache(maxsize=1 << 16)
def log_likelihood(chinese: str) -> float:
    """Natural logarithm of the probability of the likeliest way to read these characters as Chinese words, each drawn
    by its frequency (a unigram model, decoded by Viterbi: Sproat et al. 1996); 0.0 for ''."""
    listed = _listed("zh")
    best = [0.0]
    for end in range(1, len(chinese) + 1):
        likeliest = best[end - 1] + math.log(max(_CHARACTER, listed.get(chinese[end - 1], 0.0)))
        for start in range(max(0, end - _LONGEST), end - 1):
            share = listed.get(chinese[start:end])
            if share is not None:
                likeliest = max(likeliest, best[start] + math.log(share))
        best.append(likeliest)
    return best[-1]


def is_chinese_word(word: str) -> bool:
    """Whether the list has this as one word."""
    return word in _listed("zh")


def is_rare_character(character: str) -> bool:
    """Whether fewer than one in 100,000 Chinese words is this character alone."""
    return _listed("zh").get(character, 0.0) < _CHARACTER


def word_at(chinese: str, at: int) -> tuple[int, int] | None:
    """Where the most frequent word of two to four characters around the character ``at`` begins, and ends (the place
    behind it); None where the list has none there."""
    listed = _listed("zh")
    best: tuple[int, int] | None = None
    most = 0.0
    for start in range(max(0, at - _LONGEST + 1), at + 1):
        for behind in range(max(start + 2, at + 1), min(start + _LONGEST, len(chinese)) + 1):
            share = listed.get(chinese[start:behind], 0.0)
            if share > most:
                best, most = (start, behind), share
    return best


@cache
def _listed(language: str) -> Mapping[str, float]:
    return wordfreq.get_frequency_dict(language)
