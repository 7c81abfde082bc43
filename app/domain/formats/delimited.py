"""Tables as text: CSV, TSV and their like, a header first. Cells are texts; an empty one counts as missing.

Knows where cells end. What a column means is the business of the formats.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from app.domain.formats.encodings import likely
from app.domain.formats.errors import RowError
from app.domain.formats.rows import Line, iter_lines
from app.domain.formats.signs import KTO_TAG, LABEL

_DELIMITERS: Final = (",", "\t", ";", "|")
_SIGNS: Final = {"true": True, "false": False}
_LONGEST_NAME: Final = 60


def delimiter_of(head: bytes) -> str | None:
    """What the first lines of a text separate their columns by; None where they are no table."""
    text = head.decode("utf-8", "replace").lstrip("\ufeff\r\n")
    if not text or text[0] in "{[":
        return None
    best = max(_DELIMITERS, key=lambda d: _columns(text, d))
    return best if _columns(text, best) > 1 else None


def is_table(head: bytes) -> bool:
    """Whether the first lines have columns and none of them is JSON."""
    delimiter = delimiter_of(head)
    if delimiter is None or any(line.lstrip()[:1] in (b"{", b"[") for line in head.splitlines()):
        return False
    names, *rows = _first_rows(head.decode("utf-8", "replace").lstrip("\ufeff\r\n"), delimiter)
    plain = all(name.strip() and len(name) <= _LONGEST_NAME for name in names)
    return plain and bool(rows) and len(rows[0]) == len(names)


def columns_of(head: bytes) -> list[str]:
    """The names of the columns, as the first line of a table has them."""
    rows = _first_rows(head.decode("utf-8", "replace").lstrip("\ufeff\r\n"), delimiter_of(head) or ",")
    return [name.strip() for name in rows[0]] if rows else []


def iter_table(text: Iterable[bytes], *, delimiter: str, max_row_bytes: int) -> Iterator[Line]:
    """The rows below the header as objects; ``number`` is the line on which a row begins. A quote that is never
    closed costs the rows up to ``max_row_bytes``, told as one."""
    # The csv module knows one limit for all its readers; every caller has the same setting.
    csv.field_size_limit(max_row_bytes)
    lines = iter_lines(text, max_line_bytes=max_row_bytes)
    before = 0
    columns: list[str] | None = None
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        number = before + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(
                number, RowError("bad_table", f"the row cannot be read: {error}; is a quote left open?")
            )
            before += reader.line_num
            reader = csv.reader(lines, delimiter=delimiter)
            continue
        if not any(cells):
            continue
        if columns is None:
            columns = [name.strip().lstrip("\ufeff") for name in cells]
            twice = next((name for i, name in enumerate(columns) if name and name in columns[:i]), None)
            if twice is not None:
                yield Line(
                    number, RowError("duplicate_key", f"two columns are called '{twice[:40]}'; rename one")
                )
                return
            continue
        yield Line(number, _row(columns, cells))


def written(rows: Iterable[Sequence[str]]) -> bytes:
    """Rows of cells as CSV (RFC 4180, lines ended by LF)."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue().encode()


def _row(columns: list[str], cells: list[str]) -> dict[str, Any] | RowError:
    if len(cells) > len(columns):
        return RowError(
            "wrong_columns",
            f"the row has {len(cells)} cells, the header {len(columns)}; put cells that hold the separator in quotes",
        )
    row: dict[str, Any] = {}
    for name, cell in zip(columns, cells, strict=False):
        if not cell or not name:
            continue
        if not cell.isascii():
            try:
                cell.encode()
            except UnicodeEncodeError:
                raw = cell.encode("utf-8", "surrogateescape")
                return RowError("not_utf8", f"'{name[:40]}' is not UTF-8; {likely(raw)}")
        is_sign = name in (KTO_TAG, LABEL) and cell.strip().lower() in _SIGNS
        row[name] = _SIGNS[cell.strip().lower()] if is_sign else cell
    return row


def _columns(text: str, delimiter: str) -> int:
    rows = _first_rows(text, delimiter)
    return len(rows[0]) if rows else 0


def _first_rows(text: str, delimiter: str) -> list[list[str]]:
    try:
        # The last line may be cut off.
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        return [cells for cells, _ in zip(reader, range(3), strict=False) if any(cells)]
    except csv.Error:
        return []
