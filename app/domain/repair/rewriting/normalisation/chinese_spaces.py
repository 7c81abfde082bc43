"""Chinese text with spaces between its words, as a word segmenter leaves it, in a set that has none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from app.domain.repair.rewriting.normalisation.set_rule import (
    STYLE_MAJORITY,
    STYLE_SCORE,
    SetView,
    Suggestion,
    reworded,
)

# Chinese counts as segmented with a space for every four characters, looked at from twelve characters.
_SEGMENTED_MIN_CHARACTERS: Final = 12

_SEGMENTED_CHARACTERS_A_SPACE: Final = 4

_HAN = re.compile("[\u4e00-\u9fff]")
_SPACE = re.compile(
    "(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff，。！？；：、])|(?<=[，。！？；：、]) (?=[\u4e00-\u9fff])"
)


def find(view: SetView) -> Iterator[Suggestion]:
    chinese = 0
    segmented: list[int] = []
    for at, example in enumerate(view.examples):
        characters = max(len(_HAN.findall(m.content)) for m in example.messages)
        if characters < _SEGMENTED_MIN_CHARACTERS:
            continue
        chinese += 1
        if any(_is_segmented(m.content) for m in example.messages):
            segmented.append(at)
    share = 1 - len(segmented) / chinese if chinese else 0.0
    if share < STYLE_MAJORITY:
        return
    for at in segmented:
        turns = reworded(
            view.examples[at], lambda text: _SPACE.sub("", text) if _is_segmented(text) else text
        )
        if turns is not None:
            yield Suggestion(
                row=at,
                messages=turns[0],
                rejected=turns[1],
                reason=f"Chinese without spaces between its words, as {share:.0%} of this set's Chinese rows",
                score=STYLE_SCORE * share,
                evidence={"majority_share": round(share, 3), "rows": chinese},
            )


def _is_segmented(text: str) -> bool:
    """A word of Chinese has two characters at the mean: a space for every four is no accident and no list."""
    if " " not in text:
        return False
    characters = len(_HAN.findall(text))
    if characters < _SEGMENTED_MIN_CHARACTERS:
        return False
    return len(_SPACE.findall(text)) * _SEGMENTED_CHARACTERS_A_SPACE >= characters
