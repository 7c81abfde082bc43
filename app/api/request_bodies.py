"""Request bodies: unpacked, bounded, and checked for what PostgreSQL cannot store.

Knows bytes and JSON. Does not know what a body means.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncGenerator, Iterator
from math import isfinite
from typing import Any, NoReturn

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Message, Receive, Scope

from app.errors import ContentTooLarge, InvalidInput, ServiceError, UnsupportedMediaType

MAX_DEPTH = 64
"""Deeper JSON is refused: it is never meant, and every reader and writer after us has a limit of its own."""

_PIECE_BYTES = 1 << 20
# A client that has not read our answer yet is let finish this much, so that it sees the answer.
_DRAIN_BYTES = 64 << 20


class MalformedBody(ServiceError):
    status_code = 400
    type = "malformed-body"
    title = "The body cannot be read"


class Inflater:
    """Unpacks a gzip stream of one or more members piece by piece; a bomb never fills the memory."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)
        self._started = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        waiting = chunk
        while waiting:
            if self._member.eof:
                waiting = waiting.lstrip(b"\0")  # padding between members is allowed
                if not waiting:
                    return
                self._member = zlib.decompressobj(wbits=31)
            self._started = True
            try:
                piece = self._member.decompress(waiting, _PIECE_BYTES)
            except zlib.error as error:
                raise MalformedBody(f"the gzip stream is damaged ({error}); send it again") from error
            waiting = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            if piece:
                yield piece

    def close(self) -> None:
        if self._started and not self._member.eof:
            raise MalformedBody("the gzip stream ends early; the body was cut off, send it again")


class BodyRequest(Request):
    """A request whose body comes unpacked and never longer than ``body_limit_bytes``."""

    def __init__(self, scope: Scope, receive: Receive, *, body_limit_bytes: int) -> None:
        super().__init__(scope, self._receive_and_note)
        self._receive_next = receive
        self._has_more = True
        self.body_limit_bytes = body_limit_bytes

    async def _receive_and_note(self) -> Message:
        message = await self._receive_next()
        self._has_more = message["type"] == "http.request" and message.get("more_body", False)
        return message

    async def stream(self) -> AsyncGenerator[bytes, None]:
        if hasattr(self, "_body"):
            yield self._body
            return
        inflater = _inflater(self.headers)
        if inflater is None and _declared_bytes(self.headers) > self.body_limit_bytes:
            raise self._too_large()
        total = 0
        async for chunk in super().stream():
            for piece in inflater.feed(chunk) if inflater else (chunk,):
                total += len(piece)
                if total > self.body_limit_bytes:
                    raise self._too_large()
                yield piece
        if inflater:
            inflater.close()

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = strict_json(await self.body())
        return self._json

    async def drain(self) -> None:
        """Take in what the client still sends, up to a bound."""
        drained = 0
        while self._has_more and drained < _DRAIN_BYTES:
            drained += len((await self._receive_and_note()).get("body", b""))

    def _too_large(self) -> ContentTooLarge:
        return ContentTooLarge(
            f"the body is longer than {self.body_limit_bytes:,} bytes (unpacked); send less at once"
        )


def _inflater(headers: Headers) -> Inflater | None:
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("gzip", "x-gzip"):
        return Inflater()
    if encoding in ("", "identity"):
        return None
    raise UnsupportedMediaType(f"Content-Encoding {encoding[:40]!r} is not supported; send gzip or none")


def _declared_bytes(headers: Headers) -> int:
    declared = headers.get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() else 0


def media_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def is_json(headers: Headers) -> bool:
    kind = media_type(headers)
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def strict_json(body: bytes) -> Any:
    """The JSON value of a body. Raises MalformedBody for what is no JSON, InvalidInput for what cannot be kept."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedBody(f"byte {error.start} of the body is not UTF-8; send UTF-8") from error
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise MalformedBody(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    except RecursionError:
        raise _too_deep("") from None
    except ValueError as error:  # a whole number of thousands of digits
        raise MalformedBody(f"the JSON cannot be read: {error}") from error
    require_storable(value)
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedBody(f"{name} is no JSON; send null or a number")


def _finite(digits: str) -> float:
    value = float(digits)
    if not isfinite(value):
        raise MalformedBody(f"the number {digits[:40]} is too large")
    return value


def require_storable(value: object, pointer: str = "", depth: int = 0) -> None:
    """Raises InvalidInput where a text holds NUL or half a surrogate pair, or the nesting is too deep."""
    if depth > MAX_DEPTH:
        raise _too_deep(pointer)
    match value:
        case str():
            problem = text_problem(value)
            if problem:
                raise InvalidInput(f"{pointer or 'the body'} {problem}", errors=[_error(pointer, problem)])
        case dict():
            for key, item in value.items():
                problem = text_problem(key)
                if problem:
                    raise InvalidInput(
                        f"a key in {pointer or 'the body'} {problem}",
                        errors=[_error(pointer, f"a key {problem}")],
                    )
                require_storable(item, f"{pointer}/{_escaped(key)}", depth + 1)
        case list():
            for i, item in enumerate(value):
                require_storable(item, f"{pointer}/{i}", depth + 1)
        case _:
            return


def text_problem(text: str) -> str | None:
    """Why PostgreSQL cannot store ``text``; None when it can."""
    if "\0" in text:
        return "holds a NUL character (\\u0000); remove it"
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return "holds half of a surrogate pair; send the whole character or remove it"
    return None


def _escaped(key: str) -> str:
    shown = key if len(key) <= 80 else f"{key[:77]}..."
    return shown.replace("~", "~0").replace("/", "~1")


def _too_deep(pointer: str) -> InvalidInput:
    message = f"is nested more than {MAX_DEPTH} levels deep; flatten it"
    return InvalidInput(f"the body {message}", errors=[_error(pointer[:200], message)])


def _error(pointer: str, message: str) -> dict[str, str]:
    return {"pointer": pointer, "message": message}
