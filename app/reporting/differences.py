"""Marks where two short texts differ, for a reader who compares them side by side.

Knows words, and characters where a script has no spaces. Does not mark what would not help: texts that
are too long to compare quickly, and texts that share no word, which differ as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.domain.language import text_diff

MAX_TOKENS: Final = 4000
"""Beyond this a reader does not compare word by word; 10 ms. A resource bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A piece of a text; ``differs`` = it does not stand in the other text."""

    text: str
    differs: bool


def mark_differences(left: str, right: str) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """Both texts as segments whose texts join to the original, marked where they differ."""
    a, b = text_diff.words(left), text_diff.words(right)
    if left == right or max(len(a), len(b)) > MAX_TOKENS or not _share_a_word(a, b):
        return _unmarked(left), _unmarked(right)
    changes = text_diff.joined(
        text_diff.changes(a, b), a, b, over=lambda between: all(map(str.isspace, between))
    )
    return _segments(a, [(c.start, c.end) for c in changes]), _segments(
        b, [(c.new_start, c.new_end) for c in changes]
    )


def _segments(tokens: list[str], changed: list[tuple[int, int]]) -> tuple[Segment, ...]:
    made: list[Segment] = []
    at = 0
    for start, end in [*changed, (len(tokens), len(tokens))]:
        made.append(Segment(text="".join(tokens[at:start]), differs=False))
        made.append(Segment(text="".join(tokens[start:end]), differs=True))
        at = end
    return tuple(segment for segment in made if segment.text)


def _share_a_word(a: list[str], b: list[str]) -> bool:
    return any(token.isalnum() for token in set(a) & set(b))


def _unmarked(text: str) -> tuple[Segment, ...]:
    return (Segment(text=text, differs=False),) if text else ()
