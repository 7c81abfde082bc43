"""What a rule for texts is, and which parts of a text no rule may touch."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

# CJK ideographs, kana, hangul syllables.
CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
BLANKS = " \t\u00a0\u3000"

# Code (fenced, inline), formulas (LaTeX) and addresses of pages stay byte for byte. A dollar sign opens a
# formula only where none of two prices does: "$5 and $6" holds none.
PROTECTED = re.compile(
    r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]+`"
    r"|\$\$.+?\$\$|\$(?![\s$])[^$\n]{0,300}?(?<![\s\\])\$(?!\d)"
    r"|\\\(.+?\\\)|\\\[.+?\\\]|\\begin\{[^}\n]{1,40}\}.*?(?:\\end\{[^}\n]{1,40}\}|\Z)"
    r"|https?://[^\s\u3000-\u303f\uff00-\uffef]+",
    re.DOTALL,
)
_MAY_PROTECT = re.compile(r"[`~$\\]|https?:")

# Text in, text and number of changes out.
TextStep = Callable[[str], tuple[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRule:
    """One kind of normalisation. ``trigger`` matches every text that ``steps`` would change, quickly.

    ``steps`` see the pieces between protected spans, ``edge_steps`` the whole text; each has a label for
    the reason. Applied until nothing changes.
    """

    name: str
    trigger: re.Pattern[str]
    steps: tuple[tuple[str, TextStep], ...]
    edge_steps: tuple[tuple[str, TextStep], ...] = ()


def pieces_of(text: str) -> tuple[list[str], bool]:
    """The text in pieces, every second one protected; and whether it ends inside an open code block."""
    if not _MAY_PROTECT.search(text):
        return [text], False
    pieces: list[str] = []
    at = 0
    open_fence = False
    for match in PROTECTED.finditer(text):
        pieces += [text[at : match.start()], match.group()]
        at = match.end()
        fence = match.group()[:3]
        open_fence = fence in ("```", "~~~") and (len(match.group()) < 6 or not match.group().endswith(fence))
    pieces.append(text[at:])
    return pieces, open_fence
