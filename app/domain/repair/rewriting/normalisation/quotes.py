"""Curly quotes and apostrophes in English text, where nearly all of the set writes straight ones."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.domain.repair.rewriting.normalisation.set_rule import (
    STYLE_MAJORITY,
    STYLE_MIN_PLACES,
    STYLE_SCORE,
    SetView,
    Suggestion,
    reworded,
)

_CURLY = re.compile("[\u2018\u2019\u201c\u201d]")
_STRAIGHT = re.compile("(?<=[A-Za-z])'(?=[A-Za-z])|\"")
_TABLE = {0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"'}
_CJK = re.compile("[\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def find(view: SetView) -> Iterator[Suggestion]:
    curly: list[int] = []
    straight = 0
    for at, example in enumerate(view.examples):
        texts = [m.content for m in (*example.messages, *example.rejected)]
        if any(not t.isascii() and _CURLY.search(t) and not _CJK.search(t) for t in texts):
            curly.append(at)
        elif any(_STRAIGHT.search(t) for t in texts):
            straight += 1
    rows = straight + len(curly)
    share = straight / rows if rows >= STYLE_MIN_PLACES else 0.0
    if share < STYLE_MAJORITY:
        return
    for at in curly:
        turns = reworded(
            view.examples[at], lambda text: text if _CJK.search(text) else text.translate(_TABLE)
        )
        if turns is not None:
            yield Suggestion(
                row=at,
                messages=turns[0],
                rejected=turns[1],
                reason=f"straight quotes, as {share:.0%} of this set's rows with quotes",
                score=STYLE_SCORE * share,
                evidence={"majority_share": round(share, 3), "rows": rows},
            )
