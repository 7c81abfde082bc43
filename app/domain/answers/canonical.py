"""One spelling for every answer: equal answers have equal spellings, whatever is harmless in how they are written.

Harmless in prose: letter case, runs of spaces, curly quotes, full width, quotes or emphasis around the whole, a full
stop at the end, how numbers with units, dates and times are written. In JSON: the order of keys, spaces, 1.0 for 1.
In code nothing but spaces at the end of lines and empty lines around it. Words that are no prose, as names with
capitals inside, paths and addresses, keep their case anywhere.
"""

from __future__ import annotations

import json
import re
import unicodedata
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from app.domain.language import quantities, text
from app.domain.language.code import is_code

_WIDTH: Final = {0x3000: " ", **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}}
_SIGNS: Final = str.maketrans(
    {
        **_WIDTH,
        **dict.fromkeys("‘’‛´", "'"),
        **dict.fromkeys("“”„‟", '"'),
        **dict.fromkeys("‐‑‒–—−", "-"),
        "\ufeff": None,
    }
)
_WRAPPERS: Final = ("***", "**", "__", "*", "_", "`", '"', "'", "「」", "『』", "《》", "【】")
_STOPS: Final = " \t\r\n.。!,、;:…"
_BESIDE_CJK = re.compile(rf"(?<={text.CJK_CHARACTER}) +| +(?={text.CJK_CHARACTER})")
_BEFORE_SIGN = re.compile(r"(?<=\S) +(?=[,.;:!?)。、](?:\s|$))")
_AFTER_SIGN = re.compile(r"(?<=[。、,;:!?()]) +(?=[^\x00-\x7f])")
_LETTER = re.compile(r"[(（]?([A-Ja-j])[)）.．]?")
"""An option's letter: (B), B) and B. are B."""
_FENCE = re.compile(r"\A```([\w+-]*)[ \t]*\n(.*)\n[ \t]*```\Z", re.DOTALL)
_NOT_PROSE = re.compile(r"[\w]*[\\/@_#][\w]*|\d")


def spelt(answer: str) -> str:
    """The spelling of an answer that is no code: JSON as JSON, anything else as prose; '' for an empty one."""
    stripped = answer.strip()
    if stripped[:1] in ("{", "[", "`"):
        value = as_json(stripped)
        if value is not None:
            return value
    return prose(stripped)


def prose(of: str) -> str:
    """The spelling of prose or a label."""
    return folded(noted(of))


def noted(of: str) -> str:
    """``bare`` with numbers, amounts, dates and times in one notation (``language.quantities``)."""
    plain = bare(of)
    return quantities.rewritten(plain) if _may_count(plain) else plain


def loose(of: str) -> str:
    """A cheap spelling that is the same where ``spelt`` is, but for the numbers of long texts; in lower case."""
    stripped = of.strip()
    short = len(stripped) <= _LOOSE_CHARACTERS or stripped[:1] in ("{", "[", "`")
    return _spelt_short(stripped) if short else bare(stripped).casefold()


@lru_cache(maxsize=65_536)
def _spelt_short(of: str) -> str:
    """Labels and numbers come again and again."""
    return spelt(of).casefold()


_LOOSE_CHARACTERS: Final = 48


def folded(plain: str) -> str:
    """In lower case where case says nothing. It does in a unit: a short word behind a number keeps its case."""
    words = plain.split(" ")
    return " ".join(
        word if len(word) <= _UNIT_LENGTH and before[:1].isdigit() else _folded(word)
        for before, word in zip(["", *words], words, strict=False)
    )


_UNIT_LENGTH: Final = 3


def bare(of: str) -> str:
    """Prose with its case and its numbers, without what is harmless in signs and spaces."""
    plain = of if of.isascii() else unicodedata.normalize("NFC", of).translate(_SIGNS)
    plain = " ".join(plain.split())
    if not plain.isascii():
        plain = _AFTER_SIGN.sub("", _BESIDE_CJK.sub("", plain))
    plain = _BEFORE_SIGN.sub("", plain)
    letter = _LETTER.fullmatch(plain)
    return letter[1] if letter else _unwrapped(plain) or plain


def code(of: str) -> str:
    """The spelling of code: lines without spaces at their ends, without empty lines before and after."""
    return "\n".join(line.rstrip() for line in of.splitlines()).strip("\n")


def as_json(of: str) -> str | None:
    """JSON in one spelling, or within the same code fence; None for what is no JSON object or list, or has a key
    twice, or is a number or a text by itself."""
    fence = _FENCE.match(of)
    try:
        value = json.loads(
            fence[2] if fence else of,
            parse_int=_number,
            parse_float=_number,
            object_pairs_hook=_once,
        )
    except (ValueError, RecursionError, ArithmeticError):
        return None
    if not isinstance(value, dict | list):
        return None
    made = json.dumps(_dumpable(value), ensure_ascii=False, sort_keys=True)
    return f"```{fence[1]} {made}" if fence else made


def keys_of(of: str) -> tuple[str, ...] | None:
    """The keys of a JSON object, of a call those of its arguments behind its name, sorted; None for anything else."""
    if of.lstrip()[:1] != "{":
        return None
    try:
        value = json.loads(of)
    except (ValueError, RecursionError):
        return None
    arguments = value.get("arguments")
    if isinstance(arguments, dict):
        return (str(value.get("name")), *sorted(arguments))
    return tuple(sorted(value))


class _Number(str):
    """A JSON number by its value: 1.0 is 1, and neither is "1" or true."""


def _number(written: str) -> _Number:
    value = Decimal(written)
    return _Number(format(value.normalize(), "f") if abs(value.adjusted()) < 400 else written)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice")
    return made


def _dumpable(value: Any) -> Any:
    match value:
        case _Number():
            return {"#": str(value)} if value != "-0" else {"#": "0"}
        case dict():
            return {key: _dumpable(item) for key, item in value.items()}
        case list():
            return [_dumpable(item) for item in value]
        case _:
            return value


def looks_like_code(of: str) -> bool:
    """Whether the case, the spaces and the signs of an answer are read by a machine."""
    # Blanks before and after the whole make no code of prose.
    return is_code(of.strip())


def _unwrapped(plain: str) -> str:
    """Without quotes or emphasis around the whole, and without stops at the end."""
    before = ""
    while plain != before:
        before = plain
        # 5! is a factorial
        cut = plain.rstrip(_STOPS)
        plain = plain if plain.endswith("!") and cut[-1:].isdigit() else cut
        for wrapper in _WRAPPERS:
            front, back = (wrapper[0], wrapper[1]) if len(set(wrapper)) == 2 else (wrapper, wrapper)
            inside = plain[len(front) : len(plain) - len(back)]
            if (
                len(plain) > len(front) + len(back)
                and plain.startswith(front)
                and plain.endswith(back)
                and front[0] not in inside
                and back[0] not in inside
            ):
                plain = inside.strip()
                break
    return plain


def _may_count(plain: str) -> bool:
    return any(map(str.isdigit, plain)) or not quantities.VOCABULARY.isdisjoint(text.tokens(plain))


def _folded(word: str) -> str:
    """In lower case where case says nothing: all of a word in capitals, or its first letter."""
    if word.islower() or quantities.OPEN in word:
        return word
    if _NOT_PROSE.search(word):
        return word
    parts = re.split(r"([^\w])", word)
    return "".join(
        part.casefold() if part.isupper() or part[1:].islower() or len(part) == 1 else part for part in parts
    )
