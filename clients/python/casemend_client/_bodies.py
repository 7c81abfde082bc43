"""What is sent: models as JSON, files as they stand, piece by piece."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class Form:
    """A form with files (``multipart/form-data``)."""

    files: Mapping[str, File | None]
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Content:
    """The body of a request; ``type`` None: there is none, or it is a form, which names its own."""

    _source: File
    type: str | None
    _start: int | None = None
    _files: Mapping[str, Content] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def repeatable(self) -> bool:
        """Whether it can be sent once more."""
        files = self._files.values()
        whole = isinstance(self._source, (bytes, Path)) or self._start is not None
        return whole and all(file.repeatable for file in files)

    @contextmanager
    def parts(self) -> Iterator[dict[str, tuple[str, BinaryIO, str | None]]]:
        """The files of a form, open while it is sent: name, content and type of each."""
        with ExitStack() as stack:
            yield {
                name: (file.filename, stack.enter_context(file._opened()), file.type)
                for name, file in self._files.items()
            }

    @property
    def filename(self) -> str:
        name = self._source if isinstance(self._source, Path) else getattr(self._source, "name", None)
        return Path(name).name if isinstance(name, (str, Path)) else "upload"

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
        if isinstance(self._source, bytes):
            yield io.BytesIO(self._source)
            return
        if self._start is not None:
            self._source.seek(self._start)
        yield self._source


def content(body: Any, content_type: str | None = None) -> Content:
    if body is None:
        return Content(b"", None)
    if isinstance(body, Form):
        files = {name: content(file) for name, file in body.files.items() if file is not None}
        fields = {name: value for name, value in body.fields.items() if value is not None}
        return Content(b"", None, _files=files, fields=fields)
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
