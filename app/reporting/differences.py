"""Marks where two short texts differ, for a reader who compares them side by side.

Knows words, and characters where a script has no spaces. Does not mark what would not help: texts that
are too long to compare quickly, and texts that share no word, which differ as a whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

# A SequenceMatcher is quadratic; beyond this a reader does not compare word by word either.
MAX_TOKENS = 600

# One CJK character, one word, one run of spaces, or one other character.
_TOKEN = re.compile(
    r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]|[^\W\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]+|\s+|.",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A piece of a text; ``differs`` = it does not stand in the other text."""

    text: str
    differs: bool


def mark_differences(left: str, right: str) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """Both texts as segments whose texts join to the original, marked where they differ."""
    a, b = _tokens(left), _tokens(right)
    if left == right or max(len(a), len(b)) > MAX_TOKENS or not _share_a_word(a, b):
        return _unmarked(left), _unmarked(right)
    marked_left: list[Segment] = []
    marked_right: list[Segment] = []
    for tag, a_from, a_to, b_from, b_to in SequenceMatcher(a=a, b=b, autojunk=False).get_opcodes():
        differs = tag != "equal"
        if a_to > a_from:
            marked_left.append(Segment(text="".join(a[a_from:a_to]), differs=differs))
        if b_to > b_from:
            marked_right.append(Segment(text="".join(b[b_from:b_to]), differs=differs))
    return tuple(marked_left), tuple(marked_right)


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text) if len(text) <= 20 * MAX_TOKENS else [text] * (MAX_TOKENS + 1)


def _share_a_word(a: list[str], b: list[str]) -> bool:
    return any(token.isalnum() for token in set(a) & set(b))


def _unmarked(text: str) -> tuple[Segment, ...]:
    return (Segment(text=text, differs=False),) if text else ()
