"""The input cannot be answered: it speaks of a picture, a file or a text below that is not there, or is a link.

What the words of the input do not show (a question without enough data) is not seen.
"""

from __future__ import annotations

import re
from typing import Final

from app.domain.diagnosis.symptoms.finding import quoted
from app.domain.language import text
from app.domain.repair.row_quality.defects.finding import FAINT_SIGN, PLAIN_SIGN, NoisyRow, Sign
from app.domain.repair.row_quality.defects.habits import once, weighed
from app.domain.repair.row_quality.defects.reading import Reading

_SHOWN_MAX_TOKENS: Final = 60
"""A longer input tells a story in which a picture may occur."""


_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_SEEN = (
    r"(?:picture|image|photo|photograph|screenshot|attachment|diagram)s?\b(?!\s+(?:of|by|with|from|that)\b)"
)
_PICTURE = re.compile(
    rf"\b(?:this|these|(?:the\s+)?(?:attached|following|above|given|provided|uploaded))\s+(?:\w+\s+)?{_SEEN}"
    rf"|\b(?:describe|caption|look at|analy[sz]e|identify|explain|recogni[sz]e|see|shown? in|in)\s+the\s+{_SEEN}"
    r"|\b(?:picture|image|photo|figure|diagram|screenshot)s? (?:above|below)\b"
    r"|(?:这|下|上|附)(?:张|幅)?(?:图片|图像|照片|截图|附件)|(?:附件|图片|照片)(?:中|里)|见附件|如图片所示",
    re.IGNORECASE,
)
_SHOWN = re.compile(r"!\[|\[image|<img|<image|\bdata:image|\[图", re.IGNORECASE)
_TEXT = r"(?:sentence|paragraph|passage|text|article|table|list|code|poem|email|story|essay|conversation|document)s?"
_MISSING = re.compile(
    rf"(?:\b(?:the|this|these)\s+(?:following|below)\s+(?:\w+\s+)?{_TEXT}|\b(?:see|listed|given|shown|provided)\s+below|"
    rf"\b{_TEXT}\s+below|(?:以下|下面|下列|如下)(?:这|的|一)?[段篇个句]?"
    r"(?:内容|文字|文本|文章|段落|句子|短文|代码|表格|列表|材料|文段))"
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
