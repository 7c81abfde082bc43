"""Which JSON values can be stored and come back the same.

PostgreSQL cannot hold NUL or a lone surrogate in text, and its ``jsonb`` writes numbers in full: ``1e16``
comes back as an integer, ``-0.0`` without its sign. A row is brought into that form once, at the door, so
that its hash is the same before and after the database.
"""

from __future__ import annotations

from decimal import Decimal
from math import isfinite
from typing import Any

from app.domain.formats.errors import RowError
from app.domain.formats.fields import ParsedRow

# How deep a value that a format does not look into may be nested: far under the recursion limits of every
# JSON reader and writer on its way.
MAX_DEPTH = 64
# From here on Python writes a float with an exponent, and jsonb reads that as a whole number.
_WRITTEN_WITH_EXPONENT = 1e16


def storable(value: dict[str, Any]) -> dict[str, Any]:
    """``value`` itself when every part can be stored as it is, else a copy with its numbers written in full.

    Raises ``RowError`` for what cannot be stored at all.
    """
    return _object(value, "", 0)


def check_depth(row: ParsedRow) -> ParsedRow:
    """The row, unless its tools, its metadata or what its turns carry is nested too deeply.

    Counted here and not in the row as it came, so that what one format lets in, every format does.
    """
    if row.tools is not None and _depth(row.tools) > MAX_DEPTH:
        raise _too_deep("tools")
    for turn in (*row.messages, *row.rejected):
        if turn.extra and _depth(turn.extra) > MAX_DEPTH:
            raise _too_deep(turn.role.value)
    for key, value in row.metadata.items():
        if _depth(value) > MAX_DEPTH:
            raise _too_deep(key)
    return row


def _depth(value: object) -> int:
    match value:
        case dict():
            return 1 + max(map(_depth, value.values()), default=0)
        case list():
            return 1 + max(map(_depth, value), default=0)
        case _:
            return 0


def _too_deep(path: str) -> RowError:
    return RowError("too_deep", f"'{_short(path)}' is nested more than {MAX_DEPTH} levels deep; flatten it")


def _object(value: dict[str, Any], path: str, depth: int) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for key, item in value.items():
        if "\0" in key or not key.isascii():
            _check_text(key, f"{path}.{key}" if path else key)
        kind = type(item)
        if kind is str:
            if "\0" in item or not item.isascii():
                _check_text(item, f"{path}.{key}" if path else key)
        elif kind is not int and kind is not bool and item is not None:
            kept = _value(item, f"{path}.{key}" if path else key, depth + 1)
            if kept is not item:
                changed[key] = kept
    return {**value, **changed} if changed else value


def _value(value: object, path: str, depth: int) -> object:
    if depth > MAX_DEPTH:
        raise RowError(
            "too_deep", f"'{_short(path)}' is nested more than {MAX_DEPTH} levels deep; flatten it"
        )
    match value:
        case str():
            if "\0" in value or not value.isascii():
                _check_text(value, path)
            return value
        case dict():
            return _object(value, path, depth)
        case list():
            kept = [_value(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(value)]
            same = all(new is old for new, old in zip(kept, value, strict=True))
            return value if same else kept
        case float():
            return _number(value, path)
        case _:
            return value


def _number(value: float, path: str) -> float | int:
    if not isfinite(value):
        raise RowError("not_finite", f"'{_short(path)}' is not a finite number; write null or a number")
    if abs(value) >= _WRITTEN_WITH_EXPONENT:
        return int(Decimal(repr(value)))
    if value == 0.0:
        return 0.0
    return value


def _check_text(text: str, path: str) -> None:
    if "\0" in text:
        raise RowError("nul_character", f"'{_short(path)}' holds a NUL character (\\u0000); remove it")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RowError(
            "lone_surrogate",
            f"'{_short(path)}' holds half of a surrogate pair; write the whole character or remove it",
        ) from None


def _short(path: str) -> str:
    """A path that is safe to store and to show: its odd characters escaped, its middle left out."""
    shown = path.encode("unicode_escape").decode("ascii")
    return shown if len(shown) <= 80 else f"{shown[:40]}...{shown[-30:]}"
