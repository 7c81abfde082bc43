"""Text that was decoded with the wrong encoding ("mojibake"): cafÃ© is café.

Knows what ftfy (Speer, 2019) finds in Latin scripts, and Chinese UTF-8 that was read as GBK. Only claims what
decodes without a rest.
"""

from __future__ import annotations

import re

import ftfy
from ftfy.badness import badness

from app.domain.repair.rewriting.normalisation.text_rule import TextRule

_GBK_RUN = re.compile("[^\x00-\x7f]{4,}")
_CONTINUED = re.compile("[\u0080-\u04ff\u2010-\u2122]{2}")
_CHINESE = re.compile("[\u4e00-\u9fff，。！？；：、“”（）《》\x20-\x7e]+")
_SURROGATE = re.compile("[\ud800-\udfff]")


def _mojibake(text: str) -> tuple[str, int]:
    # Two signs in a row, since every character that took more than one byte left at least two.
    if not _CONTINUED.search(text) or _SURROGATE.search(text):
        return text, 0
    # Lossy guesses ("replacement characters") are no certainty, and a no-break space is left to the rule for
    # spaces.
    fixed = ftfy.fix_encoding(
        text, restore_byte_a0=False, replace_lossy_sequences=False, fix_c1_controls=False
    )
    # What still looks wrong was not understood.
    return (text, 0) if badness(fixed) else (fixed, 1)


def _gbk(text: str) -> tuple[str, int]:
    changed = 0

    def read(match: re.Match[str]) -> str:
        nonlocal changed
        run = match.group()
        try:
            decoded = run.encode("gbk").decode("utf-8")
            decoded.encode("gb2312")
        except UnicodeError:
            return run
        # Rare characters become everyday Chinese, or two readings of one byte string prove nothing.
        if not _CHINESE.fullmatch(decoded) or _everyday(run):
            return run
        changed += 1
        return decoded

    return _GBK_RUN.sub(read, text), changed


def _everyday(run: str) -> bool:
    try:
        run.encode("gb2312")
    except UnicodeError:
        return False
    return True


RULE = TextRule(
    name="encoding",
    trigger=re.compile(f"{_CONTINUED.pattern}|{_GBK_RUN.pattern}"),
    steps=(("wrong encoding fixed", _mojibake), ("wrong encoding fixed", _gbk)),
)
