"""A file as the body of a request: streamed to the artifact store, never held in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from app.api.dependencies import AppSettings, Contributor, Store
from app.api.request_bodies import BodyRequest, Inflater, media_type
from app.errors import ContentTooLarge, InvalidInput, UnsupportedMediaType

_GZIP_MAGIC = b"\x1f\x8b"
# Writes go to a thread in pieces of this size: fewer hops, and the event loop never waits for a disk.
_WRITE_BYTES = 1 << 20

UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "Training rows: ndjson, a JSON array, CSV or TSV, gzipped or not; Parquet; a zip that was "
        "exported for LLaMA-Factory.",
        "content": {
            "application/json": {"schema": {}},
            **{
                kind: {"schema": {"type": "string", "format": "binary"}}
                for kind in (
                    "application/x-ndjson",
                    "text/csv",
                    "text/tab-separated-values",
                    "application/vnd.apache.parquet",
                    "application/zip",
                    "application/gzip",
                    "application/octet-stream",
                )
            },
        },
    }
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedUpload:
    """The stored upload. ``size_bytes`` is what is stored; a .gz file stays packed."""

    uri: str
    size_bytes: int


async def _stage(request: Request, _: Contributor, store: Store, settings: AppSettings) -> StagedUpload:
    if not isinstance(request, BodyRequest):
        raise TypeError("uploads belong on a TransactionRoute")
    if media_type(request.headers) == "multipart/form-data":
        raise UnsupportedMediaType("send the file itself as the body (curl --data-binary @file), not a form")
    request.body_limit_bytes = settings.upload_limit_bytes
    with store.stage(max_bytes=settings.upload_limit_bytes) as staged:
        check = _ContentCheck(settings.upload_limit_bytes)
        buffer = bytearray()
        async for chunk in request.stream():
            buffer += chunk
            if len(buffer) >= _WRITE_BYTES:
                await run_in_threadpool(_take, staged, check, bytes(buffer))
                buffer.clear()
        await run_in_threadpool(_take, staged, check, bytes(buffer))
        check.close()
        artifact = await run_in_threadpool(staged.commit)
    request.state.upload_sha256 = artifact.sha256
    return StagedUpload(uri=artifact.uri, size_bytes=artifact.size_bytes)


Upload = Annotated[StagedUpload, Depends(_stage)]


def _take(staged: Any, check: _ContentCheck, data: bytes) -> None:
    check.feed(data)
    staged.write(data)


class _ContentCheck:
    """Looks into a .gz file while it passes: cut off, damaged, empty or a bomb is refused at the door."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._inflater: Inflater | None = None
        self._start = b""
        self._unpacked_bytes = 0

    def feed(self, data: bytes) -> None:
        if len(self._start) < len(_GZIP_MAGIC):
            self._start += data[: len(_GZIP_MAGIC) - len(self._start)]
            if self._start == _GZIP_MAGIC:
                self._inflater = Inflater()
        if self._inflater is None:
            self._unpacked_bytes += len(data.strip())
            return
        for piece in self._inflater.feed(data):
            self._unpacked_bytes += len(piece)
            if self._unpacked_bytes > self._limit_bytes:
                raise ContentTooLarge(
                    f"the upload is longer than {self._limit_bytes:,} bytes (unpacked); split it"
                )

    def close(self) -> None:
        if self._inflater is not None:
            self._inflater.close()
        if not self._unpacked_bytes:
            raise InvalidInput("the upload is empty; send one JSON object per line")
