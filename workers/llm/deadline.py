"""A time limit on a whole answer: the HTTP client's own one begins anew with every byte that comes."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx2
from openai import DefaultHttpxClient


def answers_within(seconds: float) -> httpx2.Client:
    """A client that raises ``httpx2.ReadTimeout`` where the body of a response takes longer than ``seconds``."""

    def limit(response: httpx2.Response) -> None:
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _Limited(response.stream, response.request, time.monotonic() + seconds)

    return DefaultHttpxClient(event_hooks={"response": [limit]})


class _Limited(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, request: httpx2.Request, end: float) -> None:
        self._stream = stream
        self._request = request
        self._end = end

    def __iter__(self) -> Iterator[bytes]:
        for part in self._stream:
            if time.monotonic() > self._end:
                raise httpx2.ReadTimeout("the answer did not end in time", request=self._request)
            yield part

    def close(self) -> None:
        self._stream.close()
