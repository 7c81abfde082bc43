"""A dataset version as a file: one JSON object a line, streamed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from app.db.repositories import examples as example_rows
from app.db.session import SessionFactory
from app.domain import formats
from app.domain.formats import Format

_BATCH_ROWS: Final = 2000
_as_json = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode


def export_lines(sessions: SessionFactory, version_id: str, format: Format) -> Iterator[bytes]:
    """The version in ``format``, a batch of lines at a time.

    Each batch has a session of its own: a slow reader holds no connection, and a version never changes.
    """
    position = -1
    while True:
        with sessions() as session:
            batch = example_rows.batch_after(session, version_id, position, _BATCH_ROWS)
        if batch:
            position = batch[-1].position
            yield "".join(f"{_as_json(formats.export_row(row.example, format))}\n" for row in batch).encode()
        if len(batch) < _BATCH_ROWS:
            return


def gzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    # Level 1: the wire gets most of what there is to win, and a core is not busy for it.
    packer = zlib.compressobj(level=1, wbits=31)
    for chunk in chunks:
        packed = packer.compress(chunk)
        if packed:
            yield packed
    yield packer.flush()
