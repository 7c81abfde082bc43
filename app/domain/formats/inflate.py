"""The bytes of an upload as they come: counted, and unpacked when they are gzip. Memory stays flat."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP = 31  # zlib's wbits for a gzip header and the largest window
# A bomb inflates a thousandfold; it is taken in pieces so that the limit is met before memory is.
_PIECE_BYTES = 1 << 18


class UploadError(Exception):
    """The upload as a whole cannot be read on. What was read before it stands."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def inflated(chunks: Iterable[bytes], *, gzipped: bool | None, max_total_bytes: int) -> Iterator[bytes]:
    """The plain bytes, ``max_total_bytes`` of them at most. ``gzipped`` None: by the first two bytes."""
    start, chunks = peek(chunks, len(_GZIP_MAGIC))
    is_gzip = start.startswith(_GZIP_MAGIC)
    if gzipped and not is_gzip:
        raise UploadError("not_gzip", "the upload is announced as gzip but is not; send it gzipped or plain")
    return _limited(_gunzip(chunks) if is_gzip and gzipped is not False else chunks, max_total_bytes)


def peek(chunks: Iterable[bytes], count: int) -> tuple[bytes, Iterator[bytes]]:
    """The first ``count`` bytes (fewer in a shorter stream), and the whole stream again.

    The first chunk of that stream holds at least those bytes.
    """
    stream, start = iter(chunks), b""
    while len(start) < count and (chunk := next(stream, None)) is not None:
        start += chunk
    return start[:count], chain([start], stream)


def _limited(pieces: Iterable[bytes], max_total_bytes: int) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > max_total_bytes:
            raise UploadError(
                "too_large", f"the upload is longer than {max_total_bytes:,} bytes (unpacked); split it"
            )
        yield piece


def _sliced(chunks: Iterable[bytes]) -> Iterator[bytes]:
    # zlib copies what it has not read yet on every call: short inputs keep that cheap.
    for chunk in chunks:
        for at in range(0, len(chunk), _PIECE_BYTES):
            yield chunk[at : at + _PIECE_BYTES]


def _gunzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The content of a gzip stream of one or more members (RFC 1952); zero padding after one is allowed."""
    member = None
    waiting = b""
    for packed in _sliced(chunks):
        waiting += packed
        while waiting:
            if member is None:
                waiting = waiting.lstrip(b"\0")
                if len(waiting) < len(_GZIP_MAGIC):
                    break
                if not waiting.startswith(_GZIP_MAGIC):
                    raise UploadError("bad_gzip", "bytes that are not gzip follow the stream; remove them")
                member = zlib.decompressobj(wbits=_GZIP)
            try:
                piece = member.decompress(waiting, _PIECE_BYTES)
            except zlib.error as error:
                raise UploadError(
                    "bad_gzip", f"the gzip stream is damaged: {error}; send it again"
                ) from error
            waiting = member.unused_data if member.eof else member.unconsumed_tail
            if member.eof:
                member = None
            if piece:
                yield piece
    if member is not None or waiting:
        raise UploadError("truncated_gzip", "the gzip stream ends early: it was cut off; send it again")
