"""Cuts a streamed JSON array into its elements, one at a time, without reading their values.

Elements are found by counting brackets outside of texts, so that a broken or an overlong element costs only
itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from app.domain.formats.fields import RowError

_WHITESPACE = b" \t\r\n"
_QUOTE, _COMMA = ord('"'), ord(",")
_OPENING, _CLOSING = b"[{", b"]}"

# Each runs to the next byte that decides something; `*+` never looks back, so a long text costs one pass.
_TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]|' + _TEXT + rb")*+", re.DOTALL)
_TO_BRACKET_OR_COMMA = re.compile(rb'(?:[^"\[\]{,]|' + _TEXT + rb")*+", re.DOTALL)
_TO_QUOTE = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)


def array_elements(chunks: Iterable[bytes], *, max_element_bytes: int) -> Iterator[bytes | RowError]:
    """The bytes of each element of the array that ``chunks`` begin with."""
    splitter = _Splitter(max_element_bytes)
    for chunk in chunks:
        yield from splitter.feed(chunk)
    yield from splitter.finish()


class _Splitter:
    def __init__(self, max_element_bytes: int) -> None:
        self._limit = max_element_bytes
        self._depth = 0  # 0: before the array, 1: between its elements, more: inside one
        self._in_text = False
        self._closed = False
        self._followed = False  # by something that is no white space; told once
        self._held: list[bytes] = []  # the current element, as far as it has come
        self._held_bytes = 0
        self._elements = 0
        self._carried = b""

    def feed(self, chunk: bytes) -> Iterator[bytes | RowError]:
        data = self._carried + chunk if self._carried else chunk
        # A backslash at the very end says what the byte after it means: it waits for that byte.
        backslashes = len(data) - len(data.rstrip(b"\\"))
        cut = len(data) - backslashes % 2
        data, self._carried = data[:cut], data[cut:]
        at = element_start = 0
        while not self._closed and (at := self._next_mark(data, at)) < len(data):
            mark = data[at]
            at += 1
            if mark in _OPENING:
                self._depth += 1
                if self._depth == 1:
                    element_start = at
                continue
            if mark in _CLOSING:
                self._depth -= 1
                self._closed = self._depth == 0
            if self._closed or mark == _COMMA:
                self._hold(data[element_start : at - 1])
                yield from self._element()
                element_start = at
        if not self._closed:
            self._hold(data[element_start:])
        elif not self._followed and data[at:].strip(_WHITESPACE):
            self._followed = True
            yield RowError("invalid_json", "text follows the end of the array; it was not read as rows")

    def finish(self) -> Iterator[RowError]:
        if not self._closed:
            yield RowError("invalid_json", "the array ends early, without its ']'; the upload may be cut off")

    def _next_mark(self, data: bytes, at: int) -> int:
        """Where the next bracket (or, between elements, comma) stands; the end when there is none."""
        if self._in_text:
            at = _skip(_TO_QUOTE, data, at)
            if at == len(data):
                return at
            self._in_text = False
            at += 1
        at = _skip(_TO_BRACKET if self._depth > 1 else _TO_BRACKET_OR_COMMA, data, at)
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

    def _element(self) -> Iterator[bytes | RowError]:
        self._elements += 1
        element = b"".join(self._held)
        if self._held_bytes > self._limit:
            yield too_large(self._limit)
        elif element.strip(_WHITESPACE):
            yield element
        elif not self._closed or self._elements > 1:
            yield RowError("invalid_json", "a comma stands where a row is expected; remove it")
        self._held.clear()
        self._held_bytes = 0


def _skip(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    match = pattern.match(data, at)
    return at if match is None else match.end()


def too_large(limit_bytes: int) -> RowError:
    return RowError("too_large", f"the row is longer than {limit_bytes:,} bytes; shorten or split it")
