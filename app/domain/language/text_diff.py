"""What was changed in a text to make another: the one comparison of texts piece by piece.

Knows sequences of tokens and two ways to cut a text into them. Does not know what a change means.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from rapidfuzz.distance import Indel

from app.domain.language.text import CJK_CHARACTER

_MAX_CELLS: Final = 400_000_000
"""Tokens times tokens that are compared at all: a third of a second, 50 MB. A resource bound."""

_CJK = CJK_CHARACTER[1:-1]
_WORD = re.compile(rf"[{_CJK}]|[^\W{_CJK}]+|\s+|.", re.DOTALL)
_PIECE = re.compile(rf"[{_CJK}]|[^\s{_CJK}]+|\s+")


class Change(NamedTuple):
    """Tokens ``start`` to ``end`` of one text stand as ``new_start`` to ``new_end`` in the other."""

    start: int
    end: int
    new_start: int
    new_end: int


def words(of: str) -> list[str]:
    """Words, runs of spaces, single signs and single CJK characters; joined they are the text."""
    return _WORD.findall(of)


def pieces(of: str) -> list[str]:
    """The same, a word with the signs attached to it as one: an address or an amount is one piece."""
    return _PIECE.findall(of)


def is_comparable(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether both are short enough to be compared in under a second."""
    return len(old) * len(new) <= _MAX_CELLS


def changes(old: Sequence[str], new: Sequence[str]) -> list[Change]:
    """What differs, in order; between two changes stands at least one token of both.

    The longest common subsequence stays (Hyyrö 2004, bit-parallel, as rapidfuzz does it).
    """
    found: list[Change] = []
    for code in Indel.opcodes(old, new):
        if code.tag == "equal":
            continue
        if found and (found[-1].end, found[-1].new_end) == (code.src_start, code.dest_start):
            found[-1] = found[-1]._replace(end=code.src_end, new_end=code.dest_end)
        else:
            found.append(Change(code.src_start, code.src_end, code.dest_start, code.dest_end))
    return found


def joined(
    found: Sequence[Change], old: Sequence[str], new: Sequence[str], *, over: Callable[[Sequence[str]], bool]
) -> list[Change]:
    """Two changes become one where the tokens between them are ``over``'s; what both ends share stays out."""
    made: list[Change] = []
    for change in found:
        if made and over(old[made[-1].end : change.start]):
            made[-1] = made[-1]._replace(end=change.end, new_end=change.new_end)
        else:
            made.append(change)
    return [_trimmed(change, old, new) for change in made]


def _trimmed(change: Change, old: Sequence[str], new: Sequence[str]) -> Change:
    start, end, new_start, new_end = change
    while start < end and new_start < new_end and old[start] == new[new_start]:
        start, new_start = start + 1, new_start + 1
    while start < end and new_start < new_end and old[end - 1] == new[new_end - 1]:
        end, new_end = end - 1, new_end - 1
    return Change(start, end, new_start, new_end)
