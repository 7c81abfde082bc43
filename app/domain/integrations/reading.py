"""What a delivery of another tool holds: records, one for everything that may be a bad case.

Knows bytes and JSON values. Does not know mappings, tables or HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.formats import RowError, UploadError, delimited, rows
from app.domain.formats.inflate import peek

MAX_ROW_BYTES = 8 << 20
_HEAD_BYTES = 1 << 14


class Unreadable(Exception):
    """Nothing can be read out of the body; says what it is and what is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """``key`` names it in its tool: the same key again is an update. ``group``: what it is a part of and is deleted
    with. ``version`` sorts as text; an older one never replaces a newer one. ``value`` None = it was deleted there.
    ``case_key`` names the bad case where the mapping finds no id: several records may speak of one. ``skip``: why it
    can be no bad case; ``doubt``: why it is none unless the user's mapping says what is bad. ``withdraws``: a case
    that it was goes when it is none any more. ``adds``: to what is known of a case, which else would be replaced."""

    key: str
    value: Mapping[str, Any] | None = None
    version: str | None = None
    group: str | None = None
    case_key: str | None = None
    skip: str | None = None
    doubt: str | None = None
    withdraws: bool = True
    adds: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """``known_fields``: paths that the tool says there are, beside those that the records show. ``listed``:
    beginnings of paths of which it says all there are. ``maybe``: beginnings of paths that a record has where
    somebody filled them in. ``ignored``: why a body that is well formed holds nothing to read."""

    records: tuple[Record, ...] = ()
    unreadable: tuple[str, ...] = ()
    known_fields: frozenset[str] = field(default=frozenset())
    listed: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()
    ignored: str | None = None


def json_value(body: bytes) -> Any:
    """The one JSON value of a body. Raises Unreadable."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"byte {error.start} is not UTF-8; JSON in UTF-8 is expected") from error
    try:
        return json.loads(text)
    except RecursionError:
        raise Unreadable("the JSON is nested too deeply") from None
    except ValueError as error:
        raise Unreadable(f"this is not JSON: {error}") from error


def table(body: bytes) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    """The rows of CSV, TSV, JSON lines or a JSON array, gzipped or not: number and object, or what is wrong with it.

    Raises Unreadable for a body that holds no rows.
    """
    try:
        text = rows.iter_text([body], gzipped=None, max_total_bytes=1 << 30, encoding=None)
        head, text = peek(text, _HEAD_BYTES)
        lines: Iterator[rows.Line]
        if delimited.is_table(head):
            lines = delimited.iter_table(
                text, delimiter=delimited.delimiter_of(head) or ",", max_row_bytes=MAX_ROW_BYTES
            )
        else:
            lines = rows.iter_json(text, max_line_bytes=MAX_ROW_BYTES)
        for line in lines:
            if isinstance(line.value, RowError):
                yield line.number, f"row {line.number}: {line.value.message}"
            elif isinstance(line.value, dict):
                yield line.number, line.value
            else:
                yield line.number, f"row {line.number} is no JSON object"
    except UploadError as error:
        raise Unreadable(str(error)) from error
