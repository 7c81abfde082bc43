"""Word lists, one TOML file a topic: a list of words for each language, read as one pattern."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

_UNSPACED = re.compile("[\u3040-\uffff]")
"""Chinese, Japanese and Korean: no spaces tell where a word ends."""


@cache
def pattern(topic: str, table: str = "words") -> re.Pattern[str]:
    """Matches any word of ``data/<topic>.toml``'s ``table``, in any case.

    Words of spaced scripts stand by themselves (``token`` is no part of ``tokenless``); a word that ends in ``*``
    goes on as it likes; Chinese, Japanese and Korean words match anywhere.
    """
    return re.compile("|".join(map(_alternative, listed(topic, table))), re.IGNORECASE)


@cache
def document(topic: str) -> Mapping[str, Any]:
    """``data/<topic>.toml`` as it is, for what is no list of words."""
    return tomllib.loads(
        (resources.files("app.domain.language") / "data" / f"{topic}.toml").read_text(encoding="utf-8")
    )


@cache
def listed(topic: str, table: str = "words", language: str | None = None) -> tuple[str, ...]:
    """The words themselves, of one language or all, longest first: the longer of two that begin alike is meant."""
    tables: Mapping[str, Iterable[str]] = document(topic)[table]
    words = (word for name, of in tables.items() if language in (None, name) for word in of)
    return tuple(sorted(set(words), key=lambda word: (-len(word), word)))


def one_of(topic: str, table: str = "words", language: str | None = None) -> str:
    """The words as alternatives of a longer pattern, which says what may stand around them."""
    return "|".join(map(re.escape, listed(topic, table, language)))


def _alternative(word: str) -> str:
    stem = re.escape(word.removesuffix("*")).replace(r"\ ", r"[\s-]?")
    if _UNSPACED.search(word):
        return stem
    front = r"(?<!\w)" if word[0].isalnum() else ""
    back = "" if word.endswith("*") or not word[-1].isalnum() else r"(?!\w)"
    return f"{front}{stem}{back}"
