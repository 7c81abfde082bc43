"""Punctuation that was typed twice. Three marks stay three: they are emphasis, and "!!" may be a formula."""

from __future__ import annotations

import re

from app.domain.repair.rewriting.normalisation.text_rule import TextRule

_CHINESE_TWICE = re.compile(r"([，、；：])\1+")
# Three and more full stops stand for an ellipsis.
_STOP_TWICE = re.compile(r"(?<!。)。。(?!。)")
_COMMA_TWICE = re.compile(r"(?<=[^\W\d_]{2}),,+(?= [^\W\d_])")
_SHOUTED = re.compile(r"(?<=[^\W\d_]{2})([!?])\1{3,}|([！？])\2{3,}")


def _twice(text: str) -> tuple[str, int]:
    text, chinese = _CHINESE_TWICE.subn(r"\1", text)
    text, stops = _STOP_TWICE.subn("。", text)
    text, commas = _COMMA_TWICE.subn(",", text)
    return text, chinese + stops + commas


def _shouted(text: str) -> tuple[str, int]:
    return _SHOUTED.subn(lambda match: match.group()[0] * 3, text)


RULE = TextRule(
    name="punctuation",
    trigger=re.compile(r"([，、；：,])\1|。。|([!?！？])\2{3}"),
    steps=(("repeated punctuation removed", _twice), ("repeated marks shortened to three", _shouted)),
)
