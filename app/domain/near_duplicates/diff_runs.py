"""Where two texts differ, token by token, for many pairs at once.

Knows tokens (words of spaced scripts, single characters of Chinese, Japanese and Korean, signs) and how edits
that are spread by chance would lie. Does not say what a difference means.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast

import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64
from numpy import ndarray
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from app.domain.language import text

# Chance below which edits that hit one place so often were no slips but another word.
_CONCENTRATED: Final = 0.05


_TOKEN = re.compile(
    f"{text.CJK_CHARACTER}|{text.WORD_CHARACTER}+(?:['’]{text.WORD_CHARACTER}+)*"
    r"|(?<!\w)-|-(?!\w)|[^\w\s.,;:!?\"'`´‘’“”。，、；：！？…·—–\-（）()]"
)
_CJK = re.compile(text.CJK_CHARACTER)
_FIRST_NUMBER = 0xE000
"""Numbers of tokens as characters: none of them is half of a pair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Runs of tokens that differ, of m pairs of texts, r runs in all. One that is written in other pieces ("data
    base") is none.

    ``begins`` (m + 1): the runs of a pair are those from its number to the next. ``left``, ``right``: the tokens of
    either side in one word; ``places``: the tokens that they are, first and behind the last on either side;
    ``sizes``: in how many letters these words differ. ``characters``: of the longer text. ``tokens``: of each pair.
    """

    tokens: list[tuple[list[str], list[str]]]
    begins: Int64[ndarray, " m+1"]
    places: list[tuple[int, int, int, int]]
    left: list[str]
    right: list[str]
    sizes: Int32[ndarray, " r"]
    characters: Int64[ndarray, " m"]

    @classmethod
    def of(cls, pairs: Sequence[tuple[str, str]]) -> Runs:
        number = _Numbers().__getitem__
        read: dict[str, tuple[list[str], str]] = {}
        for of in dict.fromkeys(side for pair in pairs for side in pair):
            found = _tokens(of)
            read[of] = found, "".join(map(number, found))
        begins, tokens = [0], list[tuple[list[str], list[str]]]()
        places, left, right = list[tuple[int, int, int, int]](), list[str](), list[str]()
        for one, other in pairs:
            (a, coded_a), (b, coded_b) = read[one], read[other]
            tokens.append((a, b))
            for place in _differing(coded_a, coded_b):
                i, j, k, m = place
                ours = a[i] if j - i == 1 else "".join(a[i:j])
                theirs = b[k] if m - k == 1 else "".join(b[k:m])
                if ours != theirs:
                    places.append(place)
                    left.append(ours)
                    right.append(theirs)
            begins.append(len(places))
        return cls(
            tokens=tokens,
            begins=np.array(begins, dtype=np.int64),
            places=places,
            left=left,
            right=right,
            sizes=process.cpdist(left, right, scorer=Levenshtein.distance, dtype=np.int32),
            characters=np.array([max(len(a), len(b), 1) for a, b in pairs], dtype=np.int64),
        )

    def owners(self) -> Int64[ndarray, " r"]:
        """The pair that each run is of."""
        return np.repeat(np.arange(len(self.tokens)), np.diff(self.begins))

    def lengths(self) -> tuple[Int64[ndarray, " r"], Int64[ndarray, " r"]]:
        """Characters of either side; 0 where nothing stands there."""
        left, right = (np.fromiter(map(len, of), np.int64, len(of)) for of in (self.left, self.right))
        return left, right

    def cjk(self) -> Bool[ndarray, " r"]:
        """Whether a Chinese, Japanese or Korean character stands on either side."""
        made = [
            not (a.isascii() and b.isascii()) and _CJK.search(f"{a} {b}") is not None
            for a, b in zip(self.left, self.right, strict=True)
        ]
        return np.array(made, dtype=bool)

    def concentrated(self) -> Bool[ndarray, " r"]:
        """Whether slips that hit every character of the pair alike would hardly ever hit this place so often.

        Chernoff's bound on the binomial tail, for any of the places of this length.
        """
        owners = self.owners()
        length = np.maximum(*self.lengths()).astype(np.float64)
        hit = np.minimum(self.sizes / length, 1.0)
        rates = np.bincount(owners, weights=self.sizes, minlength=len(self.tokens)) / self.characters
        divergence = _divergence(hit, rates[owners])
        chance = self.characters[owners] / length * np.exp(-length * divergence)
        return (divergence > 0) & (chance < _CONCENTRATED)

    def sides(self, run: int, pair: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The tokens of a run on either side."""
        (a, b), (i, j, k, m) = self.tokens[pair], self.places[run]
        return tuple(a[i:j]), tuple(b[k:m])

    def around(self, run: int, pair: int) -> tuple[tuple[str, str], tuple[str, str]]:
        """The tokens before and behind a run on either side; a space for the edge of a text."""
        (a, b), (i, j, k, m) = self.tokens[pair], self.places[run]
        return (
            (a[i - 1] if i else " ", a[j] if j < len(a) else " "),
            (b[k - 1] if k else " ", b[m] if m < len(b) else " "),
        )


class _Numbers(dict[str, str]):
    """A character for every token, given as it is first met."""

    def __missing__(self, token: str) -> str:
        self[token] = made = chr(_FIRST_NUMBER + len(self))
        return made


def _divergence(hit: Float64[ndarray, " r"], rate: Float64[ndarray, " r"]) -> Float64[ndarray, " r"]:
    """Kullback-Leibler divergence of two Bernoulli variables; 0 where fewer were hit than on the whole."""
    more = hit > rate
    made = np.zeros(len(hit))
    h, r = hit[more], rate[more]
    rest = np.where(h < 1, 1 - h, 1.0)
    made[more] = h * np.log(h / r) + np.where(h < 1, rest * np.log(rest / (1 - r)), 0.0)
    return made


def _differing(left: str, right: str) -> list[tuple[int, int, int, int]]:
    """Edits beside each other as one run; what is equal lies between them."""
    made: list[tuple[int, int, int, int]] = []
    behind = False
    codes = cast("list[tuple[str, int, int, int, int]]", Levenshtein.opcodes(left, right).as_list())
    for tag, i, j, k, m in codes:
        if tag == "equal":
            behind = False
        elif behind:
            made[-1] = made[-1][0], j, made[-1][2], m
        else:
            made.append((i, j, k, m))
            behind = True
    return made


# A text is compared with several others in a row.
@lru_cache(maxsize=1 << 12)
def _tokens(of: str) -> list[str]:
    return _TOKEN.findall(of)
