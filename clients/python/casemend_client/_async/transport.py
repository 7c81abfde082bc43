"""Requests and their answers: retries, errors, pages, streams, files."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from casemend_client import _bodies, _retries, _sse, errors
from casemend_client._version import VERSION
from casemend_client.models import Event

Item = TypeVar("Item")
Work = TypeVar("Work")
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
_FINAL = frozenset({"succeeded", "failed", "cancelled"})


class Page(BaseModel, Generic[Item]):
    """One page of a list; ``next_after`` is None on the last one."""

    data: list[Item]
    has_more: bool = False
    next_after: str | None = None


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


class AsyncTransport:
    """What all resources send their requests through."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout_seconds: float,
        max_retries: int,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self.url = url
        self._max_retries = max_retries
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {key}", "User-Agent": f"casemend-client/{VERSION}"},
            timeout=timeout_seconds,
            transport=transport,
            # a proxy for the world does not know this machine's own ports
            trust_env=urlsplit(url).hostname not in _LOCAL,
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def read(
        self,
        kind: Any,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str | None] | None = None,
        body: Any = None,
        content_type: str | None = None,
    ) -> Any:
        """The answer as ``kind``; None: there is nothing to read."""
        answer = await self.fetch(
            method, path, query=query, headers=headers, body=body, content_type=content_type
        )
        if kind is None:
            return None
        try:
            return _adapter(kind).validate_json(answer)
        except ValidationError as error:
            raise errors.UnexpectedAnswer(
                f"{method} {path}: this version of the client cannot read the answer of {self.url}: {error}"
            ) from error

    async def fetch(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str | None] | None = None,
        body: Any = None,
        content_type: str | None = None,
    ) -> bytes:
        """The answer as it stands."""
        content = _bodies.content(body, content_type)
        async with self.answer(method, path, query=query, headers=headers, content=content) as response:
            try:
                return await response.aread()
            except httpx.TransportError as error:
                raise self._unreachable(error) from error

    @asynccontextmanager
    async def answer(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str | None] | None = None,
        content: _bodies.Content | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """The successful answer, its body still to be read; raises ApiError or ServiceUnreachable."""
        content = content or _bodies.content(None)
        sent = {name: value for name, value in (headers or {}).items() if value is not None}
        if content.type is not None:
            sent["Content-Type"] = content.type
        if method == "POST":
            sent["Idempotency-Key"] = uuid4().hex
        params = {name: value for name, value in (query or {}).items() if value is not None}
        response = await self._send(method, path, params, sent, content)
        try:
            yield response
        finally:
            await response.aclose()

    async def _send(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any],
        headers: Mapping[str, str],
        content: _bodies.Content,
    ) -> httpx.Response:
        attempt = 0
        while True:
            last = attempt >= self._max_retries or not content.repeatable
            try:
                with content.parts() as parts:
                    request = self._http.build_request(
                        method,
                        path,
                        params=params,
                        headers=headers,
                        data=content.fields if parts else None,
                        files=parts or None,
                        content=None if parts else content.async_chunks(),
                    )
                    response = await self._http.send(request, stream=True)
                if response.is_success:
                    return response
                try:
                    await response.aread()
                finally:
                    await response.aclose()
            except httpx.TransportError as error:
                wait = _retries.after_error(error, method, attempt)
                if last or wait is None:
                    raise self._unreachable(error) from error
            else:
                wait = _retries.after_answer(response, method, attempt)
                if last or wait is None:
                    raise errors.from_response(response)
            await asyncio.sleep(wait)
            attempt += 1

    def _unreachable(self, error: httpx.TransportError) -> errors.ServiceUnreachable:
        return errors.ServiceUnreachable(f"no answer from {self.url}: {error or type(error).__name__}")

    async def watch(self, path: str, *, after: str | None) -> AsyncIterator[Event]:
        """Events as they happen, until the work is final; a broken stream is taken up where it broke."""
        failures = 0
        while True:
            parser = _sse.Parser()
            headers = {"Accept": "text/event-stream", "Last-Event-ID": after}
            try:
                async with self.answer("GET", path, headers=headers) as response:
                    async for piece in response.aiter_bytes():
                        for data in parser.feed(piece):
                            event = Event.model_validate_json(data)
                            after, failures = str(event.id), 0
                            yield event
            except httpx.TransportError as error:
                if failures >= self._max_retries:
                    raise self._unreachable(error) from error
                await asyncio.sleep(_retries.backoff_seconds(failures))
                failures += 1
            else:
                return

    async def wait(
        self,
        get: Callable[[], Awaitable[Work]],
        events_path: str,
        *,
        timeout_seconds: float | None,
        poll_seconds: float,
        on_update: Callable[[Work], None] | None,
        on_event: Callable[[Event], None] | None,
    ) -> Work:
        """Ask until the work is final; raises WorkFailed, WorkCancelled or WaitTimeout."""
        end = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        after: str | None = None
        while True:
            # Asked before the events: those of the last move are then told, too.
            work: Any = await get()
            if on_event is not None:
                async for event in AsyncPages(self, Event, events_path, {"after": after}):
                    after = str(event.id)
                    on_event(event)
            if on_update is not None:
                on_update(work)
            if work.status in _FINAL:
                if work.status == "succeeded":
                    return work
                raise (errors.WorkCancelled if work.status == "cancelled" else errors.WorkFailed)(work)
            if end is not None and time.monotonic() + poll_seconds > end:
                raise errors.WaitTimeout(
                    f"{work.object} {work.id} is {work.status} after {timeout_seconds} s"
                )
            await asyncio.sleep(poll_seconds)


class AsyncPages(Generic[Item]):
    """A list, fetched page by page while it is iterated over."""

    def __init__(self, http: AsyncTransport, kind: type[Item], path: str, query: Mapping[str, Any]) -> None:
        self._http = http
        self._kind = kind
        self._path = path
        self._query = query

    async def page(self, *, after: str | None = None) -> Page[Item]:
        """One page: the first, or the one that follows ``after``."""
        query = {**self._query, **({} if after is None else {"after": after})}
        return await self._http.read(Page[self._kind], "GET", self._path, query=query)

    async def __aiter__(self) -> AsyncIterator[Item]:
        after = None
        while True:
            page = await self.page(after=after)
            for item in page.data:
                yield item
            if page.next_after is None:
                return
            after = page.next_after


class AsyncDownload:
    """An answer that is a file. Nothing is sent before it is asked for its content."""

    def __init__(self, http: AsyncTransport, path: str, query: Mapping[str, Any]) -> None:
        self._http = http
        self._path = path
        self._query = query

    async def read(self) -> bytes:
        return await self._http.fetch("GET", self._path, query=self._query)

    async def text(self) -> str:
        return (await self.read()).decode()

    async def to_file(self, path: str | PathLike[str]) -> Path:
        """Written piece by piece; under its name only once it is whole. What is no file, such as a pipe or a device,
        is written to and not replaced."""
        target = Path(path)
        is_special = target.exists() and not target.is_file()
        part = target if is_special else target.with_name(f"{target.name}.part")
        try:
            async with self._http.answer("GET", self._path, query=self._query) as response:
                with part.open("wb") as file:
                    try:
                        async for piece in response.aiter_bytes():
                            file.write(piece)
                    except httpx.TransportError as error:
                        raise errors.ServiceUnreachable(f"the download broke off: {error}") from error
            if not is_special:
                part.replace(target)
        finally:
            if not is_special:
                part.unlink(missing_ok=True)
        return target


class Resource:
    """The requests of one noun."""

    def __init__(self, http: AsyncTransport) -> None:
        self._http = http
