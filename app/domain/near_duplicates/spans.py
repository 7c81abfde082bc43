"""What a set knows of the places in which two texts differ.

Knows which words, or pairs of Chinese characters, speak for either side of a place, and asks for many at once how
often the set has them. Does not say what a difference means.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from jaxtyping import Bool
from numpy import ndarray

from app.domain.language import text
from app.domain.near_duplicates import contrast_words
from app.domain.near_duplicates.diff_runs import Runs

Occurrences = Callable[[Sequence[str]], Sequence[int]]
"""How often each of these words, or pairs of CJK characters, stands in the set; a space = no such character."""

_CJK = re.compile(text.CJK_CHARACTER)
_APOSTROPHE = re.compile("['’]")


class Span(NamedTuple):
    """Tokens that differ; ``least`` and ``most``: occurrences in the set of the rarest and of the commonest word of
    either side (or pair of characters that crosses it), None for a side without one; the tokens of a side in one
    word, in how many letters these two differ, and whether slips that are spread by chance would hardly do that;
    ``place``: the tokens that they are, first and behind the last on either side; ``counts``: whether a token without
    a counterpart changes a number that it stands beside. (A tuple: a million are made.)"""

    left: tuple[str, ...]
    right: tuple[str, ...]
    least: tuple[int, int] | None
    most: int
    joined: tuple[str, str]
    size: int
    concentrated: bool
    is_cjk: bool
    place: tuple[int, int, int, int]
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """The r runs of m pairs of texts; what the set knows of one is asked for once.

    ``concentrated``, ``cjk`` (r,): as ``Runs`` says of each. ``begins``: the same as of the runs.
    """

    runs: Runs
    begins: list[int]
    concentrated: Bool[ndarray, " r"]
    cjk: Bool[ndarray, " r"]
    occurrences: Occurrences
    read: dict[int, Span] = field(default_factory=dict[int, Span])

    @classmethod
    def of(cls, runs: Runs, occurrences: Occurrences) -> Spans:
        return cls(
            runs=runs,
            begins=runs.begins.tolist(),
            concentrated=runs.concentrated(),
            cjk=runs.cjk(),
            occurrences=occurrences,
        )

    def of_pairs(self, pairs: Sequence[int]) -> Iterator[tuple[int, list[Span]]]:
        """Each of these pairs with all its spans."""
        runs = {pair: range(self.begins[pair], self.begins[pair + 1]) for pair in pairs}
        self.look_up([(pair, run) for pair, of in runs.items() for run in of])
        for pair, of in runs.items():
            yield pair, [self.read[run] for run in of]

    def look_up(self, asked: Sequence[tuple[int, int]]) -> list[Span]:
        """The spans of these runs, of each the pair and its own number."""
        new = [
            (run, pair, self.runs.sides(run, pair), self._evidence(run, pair))
            for pair, run in asked
            if run not in self.read
        ]
        words = sorted({word for _, _, _, sides in new for side in sides for word in side})
        known = dict(zip(words, self.occurrences(words), strict=True)).__getitem__
        for run, pair, (left, right), sides in new:
            one, other = (list(map(known, side)) for side in sides)
            is_cjk = bool(self.cjk[run])
            self.read[run] = Span(
                left=left,
                right=right,
                least=(min(one), min(other)) if one and other else None,
                most=max(*one, *other) if one and other else 0,
                joined=(self.runs.left[run], self.runs.right[run]),
                size=int(self.runs.sizes[run]),
                concentrated=bool(self.concentrated[run]),
                is_cjk=is_cjk,
                place=self.runs.places[run],
                counts=is_cjk and len(left) + len(right) == 1 and self._counts(run, pair),
            )
        return [self.read[run] for _, run in asked]

    def _evidence(self, run: int, pair: int) -> tuple[list[str], list[str]]:
        """What the set is asked about either side: its words, or the pairs of characters that cross the run."""
        left, right = self.runs.sides(run, pair)
        if not self.cjk[run]:
            return _pieces(left), _pieces(right)
        before, behind = self.runs.around(run, pair)
        return _crossing(left, before), _crossing(right, behind)

    def _counts(self, run: int, pair: int) -> bool:
        """Of a token without a counterpart."""
        (left, right), (ours, theirs) = self.runs.sides(run, pair), self.runs.around(run, pair)
        return contrast_words.counts((left or right)[0], ours if left else theirs)


def _crossing(tokens: Sequence[str], around: tuple[str, str]) -> list[str]:
    row = [t if _CJK.match(t) else " " for t in (around[0], *tokens, around[1])]
    return [a + b for a, b in itertools.pairwise(row) if a != " " or b != " "]


def _pieces(tokens: Sequence[str]) -> list[str]:
    if len(tokens) == 1 and tokens[0].isalnum():
        return [tokens[0]]
    return [piece for t in tokens if not contrast_words.SIGN.match(t) for piece in _APOSTROPHE.split(t)]
