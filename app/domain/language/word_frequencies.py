"""How often words stand in general writing: what is known of a word of which the set itself says little.

Knows the English and the Chinese list of ``wordfreq`` (Speer 2022: subtitles, news, books, the web and others), read
when first asked for. Does not judge what neither list knows well: names, terms of a trade, other languages.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Final

from rapidfuzz.distance import OSA

# Shares of running words: a word that is well known (one in a million), and one that is used now and then.
WELL_KNOWN_FREQUENCY: Final = 1e-6

_LISTED_FREQUENCY: Final = 1e-7
# Share of a known word's frequency up to which what looks like it is a misspelling: "wether" has .003 of "whether".
_MISSPELLING_RARITY: Final = 0.01


_LONGEST = 4
"""Characters of the longest Chinese word that is looked for; longer ones are idioms and names."""

_CHARACTER = 1e-5
"""What every character counts for at least: a rare one is more often a name than a typo."""

_SHORTEST, _LONG = 4, 8
"""Letters from which a word is known by its spelling, and from which two typos leave it known."""


def is_misspelling(word: str, of: str) -> bool:
    """Whether English hardly knows ``word`` beside ``of``, which is well known and differs in one letter, or two of a
    long word: "recieve" beside "receive". Two neighbours that changed places are one letter (optimal string
    alignment)."""
    shortest = min(len(word), len(of))
    if shortest < _SHORTEST or OSA.distance(word, of) > (2 if shortest >= _LONG else 1):
        return False
    known = _listed("en").get(of, 0.0)
    rarity = _MISSPELLING_RARITY
    return known >= _LISTED_FREQUENCY and _listed("en").get(word, 0.0) <= rarity * known


def is_english_word(word: str) -> bool:
    """Whether at least one in a million English words is this one."""
    return _listed("en").get(word, 0.0) >= WELL_KNOWN_FREQUENCY


def is_listed(word: str) -> bool:
    """Whether more than one in ten million English words is this one; so are common misspellings."""
    return _listed("en").get(word, 0.0) > _LISTED_FREQUENCY


@lru_cache(maxsize=1 << 16)
def log_likelihood(chinese: str) -> float:
    """Natural logarithm of the probability of the likeliest way to read these characters as Chinese words, each drawn
    by its frequency (a unigram model, decoded by Viterbi: Sproat et al. 1996); 0.0 for ''."""
    listed = _listed("zh")
    best = [0.0]
    for end in range(1, len(chinese) + 1):
        likeliest = best[end - 1] + math.log(max(_CHARACTER, frequency(chinese[end - 1])))
        for start in range(max(0, end - _LONGEST), end - 1):
            share = listed.get(chinese[start:end])
            if share is not None:
                likeliest = max(likeliest, best[start] + math.log(share))
        best.append(likeliest)
    return best[-1]


def frequency(chinese: str) -> float:
    """Share 0..1 of the running words of Chinese text that are this one; 0.0 for one that is not listed."""
    return _listed("zh").get(chinese, 0.0)


def is_rare_character(character: str) -> bool:
    """Whether fewer than one in 100,000 Chinese words is this character alone. So is every character of Japanese and
    Korean, and of traditional writing, that the list has not."""
    return frequency(character) < _CHARACTER


def word_at(chinese: str, at: int) -> tuple[int, int] | None:
    """Where the most frequent word of two to four characters around the character ``at`` begins, and ends (the place
    behind it); None where the list has none there."""
    best: tuple[int, int] | None = None
    most = 0.0
    for start in range(max(0, at - _LONGEST + 1), at + 1):
        for behind in range(max(start + 2, at + 1), min(start + _LONGEST, len(chinese)) + 1):
            share = frequency(chinese[start:behind])
            if share > most:
                best, most = (start, behind), share
    return best


@cache
def _listed(language: str) -> Mapping[str, float]:
    # A tenth of a second, which a process that compares nothing does not spend.
    import wordfreq

    return wordfreq.get_frequency_dict(language)
