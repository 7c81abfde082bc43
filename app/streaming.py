"""Bytes that go out while they are made: a file whose content is taken away as it comes, and a zip of files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

_CHUNK_BYTES = 1 << 20


class DrainedFile(io.RawIOBase):
    """A file to write to, whose bytes are taken away as they come."""

    def __init__(self) -> None:
        super().__init__()
        self._chunks: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        chunk = bytes(data)
        if chunk:
            self._chunks.append(chunk)
        self._written += len(chunk)
        return len(chunk)

    def tell(self) -> int:
        return self._written

    def drained(self) -> Iterator[bytes]:
        if self._chunks:
            yield b"".join(self._chunks)
            self._chunks.clear()


def zipped(members: Iterable[tuple[str, Callable[[], BinaryIO]]]) -> Iterator[bytes]:
    """A zip of named files, each opened when its turn comes. Stored as they are: weights do not compress."""
    sink = DrainedFile()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as packer:
        for name, opened in members:
            # the zip's own oldest date: the same files give the same bytes
            with opened() as source, packer.open(zipfile.ZipInfo(name), "w", force_zip64=True) as entry:
                while chunk := source.read(_CHUNK_BYTES):
                    entry.write(chunk)
                    yield from sink.drained()
    yield from sink.drained()
