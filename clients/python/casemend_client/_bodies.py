"""What is sent: models as JSON, files as they stand, piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter

File = bytes | Path | BinaryIO
"""Content to upload: in memory, a file by its path, or one that is open for reading bytes."""

_PIECE_BYTES = 256 * 1024
_TYPE_OF_SUFFIX = {
    ".jsonl": "application/x-ndjson",
    ".ndjson": "application/x-ndjson",
    ".json": "application/json",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".parquet": "application/vnd.apache.parquet",
    ".zip": "application/zip",
    ".gz": "application/gzip",
}


def content_type_of(file: object) -> str:
    """By the name of the file; what has none is sent as bytes, which the service looks into."""
    name = file if isinstance(file, Path) else getattr(file, "name", None)
    suffix = Path(name).suffix.lower() if isinstance(name, (str, Path)) else ""
    return _TYPE_OF_SUFFIX.get(suffix, "application/octet-stream")


def quoted(value: str) -> str:
    """One segment of a path."""
    return quote(value, safe="")


@dataclass(slots=True)
class Content:
    """The body of a request; ``type`` None: there is none."""

    _source: File
    type: str | None
    _start: int | None = None

    @property
    def repeatable(self) -> bool:
        """Whether it can be sent once more."""
        return isinstance(self._source, (bytes, Path)) or self._start is not None

    def chunks(self) -> bytes | Iterator[bytes]:
        return self._source if isinstance(self._source, bytes) else self._pieces()

    def async_chunks(self) -> bytes | AsyncIterator[bytes]:
        return self._source if isinstance(self._source, bytes) else self._async_pieces()

    def _pieces(self) -> Iterator[bytes]:
        with self._opened() as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece

    async def _async_pieces(self) -> AsyncIterator[bytes]:
        with self._opened() as file:
            while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
                yield piece

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        if isinstance(self._source, Path):
            with self._source.open("rb") as file:
                yield file
            return
        assert not isinstance(self._source, bytes)
        if self._start is not None:
            self._source.seek(self._start)
        yield self._source


def content(body: Any, content_type: str | None = None) -> Content:
    if body is None:
        return Content(b"", None)
    if isinstance(body, (bytes, Path)):
        return Content(body, content_type or content_type_of(body))
    if hasattr(body, "read"):
        start = body.tell() if body.seekable() else None
        return Content(body, content_type or content_type_of(body), start)
    # What was not set stays away: the service's defaults hold, not those of this package's version.
    if isinstance(body, BaseModel):
        json = body.model_dump_json(exclude_unset=True, by_alias=True).encode()
    else:
        json = TypeAdapter[Any](Any).dump_json(body, exclude_unset=True, by_alias=True)
    return Content(json, "application/json")
