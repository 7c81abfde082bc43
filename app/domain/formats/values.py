"""Cuts a stream of JSON values into rows, one at a time, without reading them.

Values stand one after the other, on as many lines as they like: an object is a row, of an array every element is.
Rows are found by counting brackets outside of texts, so that a broken or an overlong one costs only itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from app.domain.formats.errors import RowError

_WHITESPACE = b" \t\r\n"
_QUOTE, _COMMA, _ARRAY = ord('"'), ord(","), ord("[")
_OPENING, _CLOSING = b"[{", b"]}"

# Each runs to the next byte that decides something; `*+` never looks back, so a long text costs one pass.
_TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]|' + _TEXT + rb")*+", re.DOTALL)
_TO_BRACKET_OR_COMMA = re.compile(rb'(?:[^"\[\]{,]|' + _TEXT + rb")*+", re.DOTALL)
_TO_QUOTE = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)


def rows_of_values(
    chunks: Iterable[bytes], *, max_row_bytes: int, wrapped: bool = False
) -> Iterator[bytes | RowError]:
    """The bytes of each row. ``wrapped``: the first array stands in an object whose beginning was cut off."""
    splitter = _Splitter(max_row_bytes, wrapped=wrapped)
    for chunk in chunks:
        yield from splitter.feed(chunk)
    yield from splitter.finish()


class _Splitter:
    def __init__(self, max_row_bytes: int, *, wrapped: bool) -> None:
        self._limit = max_row_bytes
        self._depth = (
            0  # 0: between values, 1: between the elements of an array or inside an object, more: deeper
        )
        self._in_array = False
        self._in_text = False
        self._wrapped = wrapped  # what follows the first array, up to the end of its object, is no row
        self._in_rest = False
        self._held: list[bytes] = []  # the current row, as far as it has come
        self._held_bytes = 0
        self._elements = 0
        self._carried = b""

    def feed(self, chunk: bytes) -> Iterator[bytes | RowError]:
        data = self._carried + chunk if self._carried else chunk
        # A backslash at the very end says what the byte after it means: it waits for that byte.
        backslashes = len(data) - len(data.rstrip(b"\\"))
        cut = len(data) - backslashes % 2
        data, self._carried = data[:cut], data[cut:]
        at = start = 0
        while (at := self._next_mark(data, at)) < len(data):
            mark = data[at]
            at += 1
            if mark in _OPENING:
                if self._depth == 0:
                    self._hold(data[start : at - 1])
                    yield from self._between()
                    self._in_array = mark == _ARRAY
                    self._elements = 0
                    start = at if self._in_array else at - 1
                self._depth += 1
            elif mark == _COMMA:
                self._hold(data[start : at - 1])
                yield from self._between() if self._depth == 0 else self._element(last=False)
                start = at
            elif self._depth > 0:
                self._depth -= 1
                if self._depth > 0:
                    continue
                self._hold(data[start : at - 1 if self._in_array else at])
                yield from self._element(last=True)
                start = at
        self._hold(data[start:])

    def finish(self) -> Iterator[bytes | RowError]:
        if self._carried:
            self._hold(self._carried)
        if self._depth == 0:
            yield from self._between()
        elif not self._in_rest:
            what = (
                "array ends early, without its ']'"
                if self._in_array
                else "object ends early, without its '}'"
            )
            yield RowError("invalid_json", f"the {what}; the upload may be cut off")

    def _next_mark(self, data: bytes, at: int) -> int:
        """Where the next bracket (or, between rows, comma) stands; the end when there is none."""
        if self._in_text:
            at = _skip(_TO_QUOTE, data, at)
            if at == len(data):
                return at
            self._in_text = False
            at += 1
        between = self._depth == 0 or (self._depth == 1 and self._in_array)
        at = _skip(_TO_BRACKET_OR_COMMA if between else _TO_BRACKET, data, at)
        if at < len(data) and data[at] == _QUOTE:
            # No quote closes this text in the chunk, or the pattern would have passed it.
            self._in_text = True
            return len(data)
        return at

    def _hold(self, piece: bytes) -> None:
        self._held_bytes += len(piece)
        if self._held_bytes > self._limit:
            self._held.clear()
        elif piece:
            self._held.append(piece)

    def _taken(self) -> tuple[bytes, bool]:
        """What is held, and whether it was too long to be held."""
        held, too_long = b"".join(self._held), self._held_bytes > self._limit
        self._held.clear()
        self._held_bytes = 0
        return held, too_long

    def _element(self, *, last: bool) -> Iterator[bytes | RowError]:
        self._elements += 1
        element, too_long = self._taken()
        if self._in_rest:
            self._in_rest = False
            yield from _other_lists(element, too_long)
        elif too_long:
            yield too_large(self._limit)
        elif element.strip(_WHITESPACE):
            yield element
        elif not last or self._elements > 1:
            yield RowError("invalid_json", "a comma stands where a row is expected; remove it")
        if last and self._wrapped:
            # The object goes on behind its array: read to its end as an object of its own.
            self._wrapped, self._in_rest = False, True
            self._in_array, self._depth = False, 1
            self._hold(b"{")

    def _between(self) -> Iterator[RowError]:
        text, too_long = self._taken()
        if too_long or text.strip(_WHITESPACE):
            yield RowError(
                "invalid_json", "text stands between the rows or behind the last one; it is no row"
            )


def _other_lists(rest: bytes, too_long: bool) -> Iterator[RowError]:
    """What stands in an object behind the list of its rows: a second list would be rows that nobody reads."""
    if too_long or re.search(rb'"[^"]*"\s*:\s*\[\s*\{', rest):
        yield RowError(
            "several_lists",
            "the object holds a second list behind that of its rows; send each list by itself",
        )


def _skip(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    match = pattern.match(data, at)
    return at if match is None else match.end()


def too_large(limit_bytes: int) -> RowError:
    return RowError("too_large", f"the row is longer than {limit_bytes:,} bytes; shorten or split it")
