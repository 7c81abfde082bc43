"""Whether an answer is the name of a class."""

from __future__ import annotations

import re
from typing import Final

from app.domain.language import text

# An output that stands on this many rows is a label (or a canned answer), not a text of its own. A definition.
LABEL_MIN_ROWS: Final = 3


CLOSED_ANSWER_MAX_TOKENS: Final = 3
"""Answers this short (yes, 42, a name) are compared as labels: they have no wording to vary."""


# A name is a few words and no sentence. Definitions, not tuned.
_MAX_WORDS: Final = 5
_MAX_CJK: Final = 8
_SENTENCE = re.compile(r"[{}\[\];\"\n。！？]|[.!?](?:\s|$)")
_CJK = re.compile(text.CJK_CHARACTER)


def is_label(output: str) -> bool:
    """Whether an answer can be a label. Other answers that repeat are canned: near ones belong to other questions,
    and what stands around a row says nothing about it."""
    said = output.strip()
    short = len(said.split()) <= _MAX_WORDS and len(_CJK.findall(said)) <= _MAX_CJK
    return short and not _SENTENCE.search(said)
