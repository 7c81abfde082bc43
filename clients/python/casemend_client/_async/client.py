"""The way in."""

from __future__ import annotations

import os
import re
from types import TracebackType
from typing import Self

import httpx

from casemend_client._async.resources import Resources
from casemend_client._async.transport import AsyncTransport
from casemend_client.errors import CasemendError

DEFAULT_URL = "http://127.0.0.1:8000"


class AsyncClient(Resources):
    """One service, called with one key.

    ``url`` and ``key`` are those of CASEMEND_URL and CASEMEND_KEY when left out. Requests that got no answer, 429
    or 503 are sent again up to ``max_retries`` times, when the answer's Retry-After says or with growing pauses;
    a POST carries an Idempotency-Key, so that it is done once. Raises CasemendError without a usable key and URL.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        timeout_seconds: float = 120.0,
        max_retries: int = 4,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        key = key or os.environ.get("CASEMEND_KEY")
        if not key:
            raise CasemendError("no API key: give key=, or set CASEMEND_KEY")
        if not key.isascii() or not key.isprintable():
            raise CasemendError("the API key holds characters that no key has")
        self.url = (url or os.environ.get("CASEMEND_URL") or DEFAULT_URL).rstrip("/")
        if not re.match(r"https?://[^/\s]+", self.url):
            raise CasemendError(f"'{self.url}' is no address of a service: give http://HOST:PORT")
        self._http = AsyncTransport(
            self.url, key, timeout_seconds=timeout_seconds, max_retries=max_retries, transport=transport
        )
        super().__init__(self._http)

    async def close(self) -> None:
        await self._http.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
