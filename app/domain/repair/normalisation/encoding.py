"""Text that was decoded with the wrong encoding ("mojibake"): cafÃ© is café.

Knows what ftfy (Speer, 2019) finds in Latin scripts, and Chinese UTF-8 that was read as GBK. Only claims what
decodes without a rest.
"""

from __future__ import annotations

import re

import ftfy

from app.domain.repair.normalisation.text_rule import TextRule

# Ideographs, and the other signs that GBK has where UTF-8's bytes fall.
_GBK_RUN = re.compile("[\u20ac\u3400-\u4dbf\u4e00-\u9fff\ue000-\uf8ff]{4,}")
_CONTINUED = re.compile("[\u0080-\u04ff\u2010-\u2122]{2}")
_SURROGATE = re.compile("[\ud800-\udfff]")


def _mojibake(text: str) -> tuple[str, int]:
    # Two signs in a row, since every character that took more than one byte left at least two.
    if not _CONTINUED.search(text) or _SURROGATE.search(text):
        return text, 0
    # Only whole sequences that decode: lossy guesses ("replacement characters") are no certainty, and
    # a no-break space is left to the rule for spaces.
    return (
        ftfy.fix_encoding(
            text,
            restore_byte_a0=False,
            replace_lossy_sequences=False,
            decode_inconsistent_utf8=True,
            fix_c1_controls=False,
        ),
        1,
    )


def _gbk(text: str) -> tuple[str, int]:
    changed = 0

    def read(match: re.Match[str]) -> str:
        nonlocal changed
        run = match.group()
        try:
            decoded = run.encode("gbk").decode("utf-8")
            # What comes out has to be everyday Chinese: two rare readings of one byte string prove nothing.
            decoded.encode("gb2312")
        except UnicodeError:
            return run
        changed += 1
        return decoded

    return _GBK_RUN.sub(read, text), changed


RULE = TextRule(
    name="encoding",
    trigger=re.compile(f"{_CONTINUED.pattern}|{_GBK_RUN.pattern}"),
    steps=(("wrong encoding mended", _mojibake), ("wrong encoding mended", _gbk)),
)
