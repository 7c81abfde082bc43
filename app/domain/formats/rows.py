"""Byte chunks in, decoded rows out: newline-delimited JSON or one JSON array, gzipped or not.

Memory is flat: at most one chunk, one inflated piece and one row are held. A row that cannot be decoded is
a ``RowError`` in its place and the next one follows; only a stream that is broken as a whole raises.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple, NoReturn

from app.domain.formats.fields import RowError
from app.domain.formats.inflate import UploadError, inflated, peek
from app.domain.formats.json_array import array_elements, too_large

_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_WHITESPACE = " \t\r\n"
_BLANK = object()


class Line(NamedTuple):
    """``number`` is the line, or the element of an array, from 1; ``value`` the JSON or why there is none."""

    number: int
    value: object


def iter_rows(
    chunks: Iterable[bytes], *, gzipped: bool | None, max_line_bytes: int, max_total_bytes: int
) -> Iterator[Line]:
    """Every row of an upload, blank lines left out. ``gzipped`` None: look at the first two bytes.

    ``max_line_bytes`` bounds one row (past it: a ``RowError``), ``max_total_bytes`` the unpacked upload (past
    it: an ``UploadError``).
    """
    plain = inflated(chunks, gzipped=gzipped, max_total_bytes=max_total_bytes)
    start, plain = peek(plain, len(_UTF8_BOM))
    if start.startswith(_UTF16_BOMS):
        raise UploadError("not_utf8", "the upload is UTF-16; save it as UTF-8")
    if start.startswith(_UTF8_BOM):
        plain = chain([next(plain)[len(_UTF8_BOM) :]], plain)
    blank_lines, first_byte, plain = _skip_blank(plain)
    if first_byte == b"[":
        pieces, number = array_elements(plain, max_element_bytes=max_line_bytes), 0
    else:
        pieces, number = _lines(plain, max_line_bytes), blank_lines
    for piece in pieces:
        number += 1
        value = _decoded(piece) if isinstance(piece, bytes) else piece
        if value is not _BLANK:
            yield Line(number, value)


def _skip_blank(chunks: Iterable[bytes]) -> tuple[int, bytes, Iterator[bytes]]:
    """How many line ends stand before the first byte that is no white space, that byte, and the rest."""
    line_ends = 0
    stream = iter(chunks)
    for chunk in stream:
        rest = chunk.lstrip(_WHITESPACE.encode())
        line_ends += chunk.count(b"\n", 0, len(chunk) - len(rest))
        if rest:
            return line_ends, rest[:1], chain([rest], stream)
    return line_ends, b"", iter(())


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


def _refuse_constant(name: str) -> NoReturn:
    raise RowError("not_finite", f"{name} is no JSON; write null or a number")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _decoded(piece: bytes) -> object:
    """The JSON value, the ``RowError`` that says why there is none, or ``_BLANK``."""
    try:
        text = piece.decode().strip(_WHITESPACE)
    except UnicodeDecodeError as error:
        return RowError("not_utf8", f"byte {error.start + 1} of the row is not UTF-8; save the file as UTF-8")
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
    return value if end == len(text) else _invalid("Extra data", text, end)


def _invalid(what: str, text: str, position: int) -> RowError:
    return RowError("invalid_json", f"not JSON: {what} at column {position + 1} of {len(text)}")
