"""ASCII punctuation between Chinese characters, and Chinese punctuation between English words, where most of
the set does it the other way."""

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

_HAN = "\u4e00-\u9fff"
_NARROW = re.compile(rf"(?<=[{_HAN}])[,.!?;:](?=\s?[{_HAN}]|\s*\Z)")
_WIDE = re.compile(rf"(?<=[{_HAN}])[，。！？；：](?=[{_HAN}]|\s*\Z)")
_NARROW_AND_SPACE = re.compile(rf"(?<=[{_HAN}])[,.!?;:] ?(?=[{_HAN}]|\s*\Z)")
_TO_WIDE = dict(zip(",.!?;:", "，。！？；：", strict=True))

_WIDE_IN_LATIN = re.compile(r"(?<=[A-Za-z])[，。！？；：](?=\s|[A-Za-z]|\Z)")
_NARROW_IN_LATIN = re.compile(r"(?<=[A-Za-z])[,.!?;:](?=\s|\Z)")
_TO_NARROW = {wide: narrow for narrow, wide in _TO_WIDE.items()}
_ANY_HAN = re.compile(f"[{_HAN}]")


def find(view: SetView) -> Iterator[Suggestion]:
    texts = [[m.content for m in (*e.messages, *e.rejected)] for e in view.examples]
    han = [[bool(_ANY_HAN.search(t)) for t in row] for row in texts]
    narrow = wide = latin_narrow = latin_wide = 0
    for row, chinese in zip(texts, han, strict=True):
        for text, is_han in zip(row, chinese, strict=True):
            if is_han:
                narrow += len(_NARROW.findall(text))
                wide += len(_WIDE.findall(text))
            else:
                latin_narrow += len(_NARROW_IN_LATIN.findall(text))
                latin_wide += 0 if text.isascii() else len(_WIDE_IN_LATIN.findall(text))
    to_wide, to_narrow = _share(wide, narrow), _share(latin_narrow, latin_wide)
    for at, example in enumerate(view.examples):
        for share, pattern, change, name in (
            (to_wide if any(han[at]) else 0.0, _NARROW, _widened, "Chinese punctuation in Chinese text"),
            (
                to_narrow if not all(han[at]) else 0.0,
                _WIDE_IN_LATIN,
                _narrowed,
                "ASCII punctuation in English text",
            ),
        ):
            if share < STYLE_MAJORITY or not any(pattern.search(text) for text in texts[at]):
                continue
            turns = reworded(example, change)
            if turns is not None:
                yield Suggestion(
                    row=at,
                    messages=turns[0],
                    rejected=turns[1],
                    reason=f"{name}, as in {share:.0%} of the places in this set",
                    score=STYLE_SCORE * share,
                    evidence={
                        "majority_share": round(share, 3),
                        "places": wide + narrow + latin_narrow + latin_wide,
                    },
                )


def _share(majority: int, minority: int) -> float:
    places = majority + minority
    return majority / places if minority and places >= STYLE_MIN_PLACES else 0.0


def _widened(text: str) -> str:
    return _NARROW_AND_SPACE.sub(lambda match: _TO_WIDE[match.group()[0]], text)


def _narrowed(text: str) -> str:
    if _ANY_HAN.search(text):
        return text
    made = _WIDE_IN_LATIN.sub(lambda match: _TO_NARROW[match.group()] + " ", text)
    return re.sub(r"(?<=[,.!?;:]) (?=\s|\Z)", "", made)
