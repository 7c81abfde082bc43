"""Places of a text that were to be filled in and were not: '{{name}}', '<AUTHOR>', '[Your Name]', 'TODO', 'nan'.

Knows how templates and programs write them. Refuses code, where such a place is a variable.
"""

from __future__ import annotations

import re
from functools import cache

from app.domain.language import phrases
from app.domain.language.code import is_code

_MAX = 40
# {{name}} and {% name %} of templates, ${NAME} of shells, {name} of Python, %(name)s.
_SLOT = re.compile(
    rf"\{{\{{[^{{}}\n]{{1,{_MAX}}}\}}\}}|\$\{{\w[\w.]{{0,{_MAX}}}\}}|(?<![\w\\^$}}])\{{[A-Za-z_]\w{{1,{_MAX}}}\}}|%\(\w+\)s"
)
_BRACKETS = re.compile(
    rf"\[([^\[\]\n]{{2,{_MAX}}})\](?![(\[])|<([^<>/=\n]{{2,{_MAX}}})>|【([^【】\n]{{2,{_MAX}}})】|＜([^＜＞\n]{{2,{_MAX}}})＞"
)
_IN_CAPITALS = re.compile(r"[A-Z][A-Z]+(?:[ _'-][A-Z]+)*")


def found(said: str) -> str | None:
    """The first place that was not filled in, as it is written; None where there is none, or the text is code."""
    filled = _SLOT.sub("it", said)
    slot = _SLOT.search(said) or _bracket(said)
    if slot is not None and not is_code(_BRACKETS.sub("it", filled)):
        return slot.group()
    filler = phrases.pattern("placeholders", "filler").search(said) or _capitals().search(said)
    return filler.group() if filler is not None and not is_code(said) else None


def is_nothing(said: str) -> bool:
    """Whether the whole text is how a program writes that there is no text."""
    return said.strip().casefold() in phrases.listed("placeholders", "nothing")


def is_also_said(said: str) -> bool:
    """Whether people answer so as well: 'none', 'n/a'."""
    return said.strip().casefold() in phrases.listed("placeholders", "spoken")


def is_topic(prompt: str) -> bool:
    """Whether a prompt speaks of templates, of code, or of a text that its reader fills in."""
    return phrases.pattern("placeholders", "asked_for").search(prompt) is not None


def _bracket(said: str) -> re.Match[str] | None:
    return next((match for match in _BRACKETS.finditer(said) if _names_a_field(match)), None)


def _names_a_field(match: re.Match[str]) -> bool:
    inside = next(group for group in match.groups() if group is not None).strip()
    if match.group()[0] in "[<" and _IN_CAPITALS.fullmatch(inside) and len(inside) >= len("NAME"):
        return True
    begins = phrases.pattern("placeholders", "orders").match(inside)
    # 【姓名】 in front of a line is how Chinese forms write a heading.
    at = match.start()
    heading = match.group()[0] == "【" and (at == 0 or match.string[at - 1].isspace())
    return begins is not None or (not heading and _field().search(inside) is not None)


@cache
def _field() -> re.Pattern[str]:
    return re.compile(
        rf"(?:^|[\s_'’-]|(?<=[^\x00-\x7f]))(?:{'|'.join(phrases.listed('placeholders', 'fields'))})$",
        re.IGNORECASE,
    )


@cache
def _capitals() -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z])(?:{'|'.join(phrases.listed('placeholders', 'capitals'))})(?![A-Za-z])")
