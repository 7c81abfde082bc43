"""Characters that no reader sees: control characters, other line ends, halves of characters, open accents."""

from __future__ import annotations

import re
import unicodedata

from app.domain.repair.rewriting.normalisation.text_rule import TextRule

# C0 and C1 controls except tab and newlines; zero-width space, word joiner, BOM, soft hyphen. The zero-width
# joiners stay: emoji and several scripts are spelled with them.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u2060\ufeff]")
_LINE_END = re.compile("\r\n|[\r\u0085\u2028\u2029]")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_LONE = re.compile("[\ud800-\udfff]")

_MARKS = "".join(
    re.escape(chr(code))
    for code in range(0x300, 0xFFFF)
    if unicodedata.combining(chr(code)) or 0x1160 <= code <= 0x11FF
)
# A letter with what is set on it; a sign of mathematics and its stroke stay as they are typed, and so do single
# characters: NFC alone would turn the signs for kelvin, ohm and angstrom, and ideographs of names, into others.
_OPEN = re.compile(rf"[^\W\d_{_MARKS}][{_MARKS}]+")


def _line_ends(text: str) -> tuple[str, int]:
    return _LINE_END.subn("\n", text)


def _controls(text: str) -> tuple[str, int]:
    return _CONTROLS.subn("", text)


def _surrogates(text: str) -> tuple[str, int]:
    """Halves of one character become it; a half alone says nothing but that something is lost."""
    joined, pairs = _PAIR.subn(lambda m: m.group().encode("utf-16", "surrogatepass").decode("utf-16"), text)
    cleaned, lone = _LONE.subn("\ufffd", joined)
    return cleaned, pairs + lone


def _compose(text: str) -> tuple[str, int]:
    return _OPEN.sub(lambda match: _composed(match.group()), text), 1


def _composed(cluster: str) -> str:
    made = unicodedata.normalize("NFC", cluster)
    # The base by itself must not change: only the marks join it.
    base = unicodedata.normalize("NFC", cluster[0])
    return made if base == cluster[0] else cluster


RULE = TextRule(
    name="characters",
    trigger=re.compile(f"{_LINE_END.pattern}|{_CONTROLS.pattern}|{_LONE.pattern}|[{_MARKS}]"),
    steps=(
        ("line ends unified", _line_ends),
        ("control characters removed", _controls),
        ("broken characters marked", _surrogates),
        ("Unicode composed (NFC)", _compose),
    ),
)
