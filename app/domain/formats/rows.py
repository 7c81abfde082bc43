"""Byte chunks in, decoded rows out: JSON in every way in which rows are written down.

A JSON object a line; a list of rows a line; one array; arrays, or objects on several lines, one after the other; one
object around the list of rows. Memory is flat: at most one chunk, one inflated piece and one row are held (where
lines are lists or objects around lists: one line). A row that cannot be decoded is a ``RowError`` in its place and
the next one follows; only a stream that is broken as a whole raises.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple, NoReturn

from app.domain.formats import encodings, names
from app.domain.formats.errors import RowError
from app.domain.formats.file_kinds import START_BYTES, Container, NoRows, kind_of
from app.domain.formats.inflate import UploadError, inflated, peek
from app.domain.formats.values import rows_of_values, too_large

_WHITESPACE = " \t\r\n\ufeff"
"""A byte order mark in the middle of a file is where two files were put together."""
_BLANK = object()
# The first lines, by which it is told how rows are written down; a longer first line is an array or a row.
_HEAD_BYTES = 1 << 14
_STRING = rb'"(?:[^"\\]|\\.)*"'
_WRAPPER = re.compile(
    rb"\s*\{\s*((?:" + _STRING + rb"\s*:\s*(?:" + _STRING + rb"|[-\w.+]+)\s*,\s*)*)"
    rb'"('
    + b"|".join(re.escape(key.encode()) for key in sorted(names.WRAPPER_KEYS))
    + rb')"\s*:\s*(?=\[\s*\{)'
)
_KEY = re.compile(rb'"((?:[^"\\]|\\.)*)"\s*:')


class Line(NamedTuple):
    """``number`` is the line, or the row of an array, from 1; ``value`` the JSON or why there is none."""

    number: int
    value: object
    format: str | None = None
    """The format that this row is in, where the file says so."""


def iter_rows(
    chunks: Iterable[bytes],
    *,
    gzipped: bool | None,
    max_line_bytes: int,
    max_total_bytes: int,
    encoding: str | None = None,
) -> Iterator[Line]:
    """Every row of an upload, blank lines left out. ``gzipped`` None: look at the first two bytes.

    ``max_line_bytes`` bounds one row (past it: a ``RowError``), ``max_total_bytes`` the unpacked upload (past
    it: an ``UploadError``).
    """
    text = iter_text(chunks, gzipped=gzipped, max_total_bytes=max_total_bytes, encoding=encoding)
    return iter_json(text, max_line_bytes=max_line_bytes)


def iter_text(
    chunks: Iterable[bytes], *, gzipped: bool | None, max_total_bytes: int, encoding: str | None
) -> Iterator[bytes]:
    """The upload unpacked, as UTF-8. Raises ``UploadError`` for a file that holds no text, by what it is."""
    plain = inflated(chunks, gzipped=gzipped, max_total_bytes=max_total_bytes)
    start, plain = peek(plain, START_BYTES)
    kind = kind_of(start)
    if isinstance(kind, NoRows):
        raise UploadError("no_rows_inside", kind.message)
    if kind in (Container.ZIP, Container.PARQUET):
        raise UploadError(
            "packed_twice", f"a gzip file holds a {kind.value} file; send that one, not packed again"
        )
    return encodings.as_utf8(plain, encoding)


def iter_json(text: Iterable[bytes], *, max_line_bytes: int) -> Iterator[Line]:
    """The rows of a text in UTF-8."""
    blank_lines, text = _skip_blank(text)
    head, text = peek(text, _HEAD_BYTES)
    wrapper = _wrapper(head)
    if wrapper:
        text = _without(text, wrapper)
    by_lines = not wrapper and not _are_values(head)
    if not by_lines:
        pieces, number = rows_of_values(text, max_row_bytes=max_line_bytes, wrapped=wrapper > 0), 0
    else:
        pieces, number = _lines(_unix_line_ends(text), max_line_bytes), blank_lines
    for piece in pieces:
        number += 1
        value = _decoded(piece) if isinstance(piece, bytes) else piece
        if value is _BLANK:
            continue
        for row in _rows_in(value) if by_lines else (value,):
            yield Line(number, row)


def _rows_in(value: object) -> Iterable[object]:
    """The rows that one line holds: the object itself, the elements of a list, the list inside an object."""
    if type(value) is list:
        return value or [RowError("empty_row", "the line is an empty list; drop it")]
    if type(value) is dict and not value.keys().isdisjoint(names.WRAPPER_KEYS):
        lists = [key for key, item in value.items() if _is_rows(item)]
        if value.keys().isdisjoint(names.ROW_KEYS) and any(key in names.WRAPPER_KEYS for key in lists):
            if len(lists) > 1:
                return [
                    RowError("several_lists", f"the object holds several lists: {lists}; send each by itself")
                ]
            return value[lists[0]]
    return [value]


def _is_rows(value: object) -> bool:
    return type(value) is list and len(value) > 0 and all(type(item) is dict for item in value)


def _wrapper(head: bytes) -> int:
    """How many bytes stand in front of the list in an object around all rows; 0 where there is no such object."""
    match = _WRAPPER.match(head)
    if match is None:
        return 0
    before = {key.decode("utf-8", "replace") for key in _KEY.findall(match[1])}
    return match.end() if before.isdisjoint(names.ROW_KEYS) else 0


def _are_values(head: bytes) -> bool:
    """Whether rows are values on any number of lines, and not one line each."""
    lines = [line for line in head.splitlines() if line.strip()]
    first = lines[0].strip() if lines else b""
    if first[:1] not in (b"[", b"{"):
        return False
    second = lines[1].strip() if len(lines) > 1 else b""
    if _is_whole(first):
        if second[:1] in (b"[", b"{"):
            # Two files put together: the second one may be written in another way than the first.
            return second.rstrip(b"[{ \t") == b""
        return first[:1] == b"["
    if first[:1] == b"[":
        return True
    # An object that goes on in the next line, or a broken one that stands by itself?
    return len(lines) > 1 and _is_open(first) and not _is_whole(second)


def _is_whole(line: bytes) -> bool:
    value = _decoded(line)
    return not isinstance(value, RowError) or value.code != "invalid_json"


def _is_open(line: bytes) -> bool:
    """Whether a line is the beginning of a value rather than a broken one."""
    try:
        _DECODER.raw_decode(line.decode("utf-8", "replace"))
    except json.JSONDecodeError as error:
        return error.pos >= len(line.decode("utf-8", "replace")) or line.endswith((b",", b"{", b"["))
    except (RowError, ValueError, RecursionError):
        return False
    return False


def _without(text: Iterable[bytes], count: int) -> Iterator[bytes]:
    stream = iter(text)
    yield next(stream)[count:]  # peek() made the first chunk at least that long
    yield from stream


def _skip_blank(chunks: Iterable[bytes]) -> tuple[int, Iterator[bytes]]:
    """How many line ends stand before the first byte that is no white space, and the text from there on."""
    line_ends = 0
    stream = iter(chunks)
    before = b""
    for chunk in stream:
        # A mark of three bytes may be cut anywhere.
        text = before + chunk
        rest = text
        while (shorter := rest.lstrip(b" \t\r\n").removeprefix(b"\xef\xbb\xbf")) != rest:
            rest = shorter
        if len(rest) < 3 and b"\xef\xbb\xbf".startswith(rest):
            before = text
            continue
        line_ends += (
            len(text[: len(text) - len(rest)].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")) - 1
        )
        return line_ends, chain([rest], stream)
    return 0, iter([before.lstrip(b" \t\r\n\xef\xbb\xbf")])


def _unix_line_ends(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """LF for CR LF and for CR alone, which JSON has in no text."""
    cut = False  # between CR and LF
    for chunk in chunks:
        if cut and chunk.startswith(b"\n"):
            chunk = chunk[1:]  # noqa: PLW2901
            cut = not chunk
        elif chunk:
            cut = False
        if b"\r" in chunk:
            cut = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")  # noqa: PLW2901
        yield chunk


def _lines(chunks: Iterable[bytes], max_line_bytes: int) -> Iterator[bytes | RowError]:
    held: list[bytes] = []  # the pieces of the line that the last chunk left open
    held_bytes = 0

    def line() -> bytes | RowError:
        return too_large(max_line_bytes) if held_bytes > max_line_bytes else b"".join(held)

    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        held_bytes += len(first)
        if held_bytes > max_line_bytes:
            held.clear()
        else:
            held.append(first)
        if others:
            yield line()
            last = others.pop()
            for whole in others:
                yield whole if len(whole) <= max_line_bytes else too_large(max_line_bytes)
            held_bytes = len(last)
            held = [last] if held_bytes <= max_line_bytes else []
    if held_bytes:
        yield line()


def iter_lines(chunks: Iterable[bytes], *, max_line_bytes: int) -> Iterator[str]:
    """The lines of a text in UTF-8 with their ends, for a reader of tables. Bytes that are not UTF-8 come as halves
    of surrogate pairs (PEP 383); an overlong line as the piece that breaks the reader's limit."""
    head, stream = peek(chunks, _HEAD_BYTES)
    text = _unix_line_ends(stream) if b"\n" not in head else stream
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    rest = ""
    for chunk in text:
        *lines, rest = (rest + decoder.decode(chunk)).split("\n")
        yield from (f"{line}\n" for line in lines)
        if len(rest) > max_line_bytes:
            yield rest
            rest = ""
    if rest:
        yield rest


def _refuse_constant(name: str) -> NoReturn:
    raise RowError("not_finite", f"{name} is no JSON; write null or a number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    seen: set[str] = set()
    twice = next(key for key, _ in pairs if key in seen or seen.add(key))
    shown = twice[:40].encode("unicode_escape").decode("ascii")
    raise RowError("duplicate_key", f"the key '{shown}' stands twice in one object; keep one of them")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_object)


def _decoded(piece: bytes) -> object:
    """The JSON value, the ``RowError`` that says why there is none, or ``_BLANK``."""
    try:
        text = piece.decode().strip(_WHITESPACE)
    except UnicodeDecodeError as error:
        return RowError(
            "not_utf8", f"byte {error.start + 1} of the row is not UTF-8; {encodings.likely(piece)}"
        )
    if not text:
        return _BLANK
    try:
        value, end = _DECODER.raw_decode(text)
    except RowError as error:
        return error
    except json.JSONDecodeError as error:
        return _invalid(error.msg, text, error.pos)
    except RecursionError:
        return RowError("too_deep", "the row is nested too deeply to be read; flatten it")
    except ValueError as error:  # a whole number of thousands of digits
        return RowError("invalid_json", f"not JSON that can be read: {error}")
    # Rows copied out of an array keep its comma.
    if end == len(text) or text[end:].strip() == ",":
        return value
    return _invalid("Extra data", text, end)


def _invalid(what: str, text: str, position: int) -> RowError:
    hint = "; JSON has double quotes" if text[:2] in ("{'", "['") else ""
    return RowError("invalid_json", f"not JSON: {what} at column {position + 1} of {len(text)}{hint}")
