"""Full- and half-width forms of one character. Chinese punctuation in full width is right and stays.

Refuses NFKC: it would turn x² into x2, ½ into 1⁄2 and ① into 1.
"""

from __future__ import annotations

import re
import unicodedata

from app.domain.repair.rewriting.normalisation.text_rule import TextRule

_OFFSET = 0xFEE0
_ALNUM = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]")
_TABLE = {code: code - _OFFSET for code in range(0xFF10, 0xFF5B)}
# Signs that belong to a number or an address once its characters are narrow. A full-width stop between two
# digits may end a sentence ("the ratio is 5：4．3 groups …"): only in front of a per cent sign it cannot.
_SIGN = re.compile(r"(?<=\d)．(?=\d{1,4}[%％])|(?<=\d)％|(?<=[A-Za-z0-9])＠(?=[A-Za-z0-9])")
# Half-width katakana, its voice marks and its punctuation.
_KATAKANA = re.compile("[\uff61-\uff9f]+")


def _letters_and_digits(text: str) -> tuple[str, int]:
    return _ALNUM.subn(lambda match: match.group().translate(_TABLE), text)


def _signs(text: str) -> tuple[str, int]:
    return _SIGN.subn(lambda match: chr(ord(match.group()) - _OFFSET), text)


def _katakana(text: str) -> tuple[str, int]:
    return _KATAKANA.subn(lambda match: unicodedata.normalize("NFKC", match.group()), text)


RULE = TextRule(
    name="width",
    trigger=re.compile("[\uff05\uff0e\uff10-\uff3a\uff41-\uff5a\uff61-\uff9f]"),
    steps=(
        ("full-width letters and digits narrowed", _letters_and_digits),
        ("full-width signs of numbers narrowed", _signs),
        ("half-width katakana widened", _katakana),
    ),
)
