"""Multiple-choice questions: what the letter of an answer stands for in its own question."""

from __future__ import annotations

import re

from app.domain.language import text

OPTION = re.compile(
    r"(?:^|(?<=\s))[（(]?([A-Ja-j])[)）.．、:：]\s*(.+?)(?=\s+[（(]?[A-Ja-j][)）.．、:：]\s|\Z)", re.S
)
_LETTER = re.compile(r"\A\s*[（(]?([A-Ja-j])[)）.．]?\s*\Z")


def chosen(prompt: str, answer: str) -> str:
    """The normalised text of the option whose letter ``answer`` is; '' where it is no letter of an option."""
    letter = _LETTER.match(answer)
    if letter is None:
        return ""
    for found in OPTION.finditer(prompt):
        if found[1].upper() == letter[1].upper():
            return text.normalised(found[2].splitlines()[0])
    return ""
