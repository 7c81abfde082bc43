"""The input cannot be answered: it speaks of a picture, a file or a text below that is not there, or is a link.

What the words of the input do not show (a question without enough data) is not seen.
"""

from __future__ import annotations

import re
from typing import Final

from app.domain.diagnosis.symptoms.quoting import quoted
from app.domain.language import phrases, text
from app.domain.repair.row_quality.defects.finding import FAINT_SIGN, PLAIN_SIGN, NoisyRow, Sign
from app.domain.repair.row_quality.defects.habits import once, weighed
from app.domain.repair.row_quality.defects.reading import Reading

_SHOWN_MAX_TOKENS: Final = 60
"""A longer input tells a story in which a picture may occur."""


_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)


def _one_of(table: str, language: str = "en") -> str:
    return phrases.one_of("absent_material", table, language)


_SEEN = rf"(?:{_one_of('picture')})s?\b(?!\s+(?:of|by|with|from|that)\b)"
_PICTURE = re.compile(
    rf"\b(?:this|these|(?:the\s+)?(?:{_one_of('attached')}))\s+(?:\w+\s+)?{_SEEN}"
    rf"|\b(?:{_one_of('looking')})\s+the\s+{_SEEN}"
    rf"|\b(?:{_one_of('picture')}|figure)s? (?:above|below)\b"
    rf"|(?:这|下|上|附)(?:张|幅)?(?:{_one_of('picture', 'zh')})"
    rf"|(?:{_one_of('picture', 'zh')})(?:中|里)|见附件|如图片所示",
    re.IGNORECASE,
)
_SHOWN = re.compile(r"!\[|\[image|<img|<image|\bdata:image|\[图", re.IGNORECASE)
_TEXT = rf"(?:{_one_of('text')})s?"
_MISSING = re.compile(
    rf"(?:\b(?:the|this|these)\s+(?:following|below)\s+(?:\w+\s+)?{_TEXT}|\b(?:see|listed|given|shown|provided)\s+below|"
    rf"\b{_TEXT}\s+below|(?:以下|下面|下列|如下)(?:这|的|一)?[段篇个句]?"
    rf"(?:{_one_of('text', 'zh')}))"
    r"\s*[:：.。?？]?\s*$",
    re.IGNORECASE,
)


@once
def detect(reading: Reading) -> tuple[NoisyRow, ...]:
    signs = {}
    for row, example in enumerate(reading.examples):
        # A tool may open what a model cannot.
        if example.tools or example.answer.tool_calls:
            continue
        # Earlier turns may hold what the last one speaks of.
        if len([m for m in example.prompt_messages if m.content.strip()]) - bool(example.system) > 1:
            continue
        if any(m.extra for m in example.prompt_messages):
            continue
        sign = _unanswerable(example.prompt, reading.prompts[row])
        if sign is not None:
            signs[row] = sign
    return weighed(reading, "unanswerable", signs)


def _unanswerable(prompt: str, varying: str) -> Sign | None:
    if not prompt.strip():
        return Sign(certainty=PLAIN_SIGN, reason="the input is empty: nothing says what to answer")
    link = _LINK.search(varying[:2000])
    if link and not text.tokens(_LINK.sub(" ", varying[:2000])):
        return Sign(
            certainty=PLAIN_SIGN,
            reason=f"the input is a link alone, which a model cannot open: {quoted(varying)}",
        )
    short = len(text.tokens(varying[:1000])) <= _SHOWN_MAX_TOKENS
    shown = _PICTURE.search(text.clip(prompt)) if short else None
    if shown and not _SHOWN.search(prompt) and not link:
        return Sign(
            certainty=FAINT_SIGN,
            reason=f"the input speaks of {quoted(shown.group())}, and the row holds none",
        )
    below = _MISSING.search(prompt.rstrip()[-120:])
    if below:
        return Sign(
            certainty=FAINT_SIGN,
            reason=f"the input ends with {quoted(below.group().strip())}, and nothing follows",
        )
    return None
