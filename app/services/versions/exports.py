"""A dataset version as a file, streamed: ndjson, CSV, Parquet for ``datasets``, a zip for LLaMA-Factory."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from app.db.repositories import examples as example_rows
from app.db.session import SessionFactory
from app.domain import formats
from app.domain.formats import Format, delimited
from app.domain.formats.tables import (
    CSV_COLUMNS,
    LlamaFactoryFile,
    csv_cells,
    dataset_info,
    llama_factory_row,
    parquet_row,
)
from app.domain.records import TrainingExample
from app.errors import InvalidInput
from app.streaming import DrainedFile

PARQUET: Final = "parquet"
CSV: Final = "csv"
LLAMA_FACTORY: Final = "llamafactory"
ORDER: Final = "row_order.txt"
NDJSON: Final = "application/x-ndjson"
_BATCH_ROWS: Final = 2000
_as_json = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """``extension`` without a dot in front. ``packed``: compressed already, so not once more on the wire."""

    chunks: Iterator[bytes]
    media_type: str
    extension: str
    packed: bool


def export(sessions: SessionFactory, version_id: str, name: str) -> Export:
    """The version in the format of that name; it is read while the export is. InvalidInput for an unknown name."""
    if name == PARQUET:
        return Export(
            chunks=_parquet(sessions, version_id),
            media_type="application/vnd.apache.parquet",
            extension="parquet",
            packed=True,
        )
    if name == CSV:
        return Export(chunks=_csv(sessions, version_id), media_type="text/csv", extension="csv", packed=False)
    if name == LLAMA_FACTORY:
        return Export(
            chunks=_llama_factory(sessions, version_id),
            media_type="application/zip",
            extension="llamafactory.zip",
            packed=True,
        )
    format = formats.format_named(name)
    if format is None:
        raise InvalidInput(f"no format is called {name}")
    lines = export_lines(sessions, version_id, format)
    return Export(chunks=lines, media_type=NDJSON, extension=f"{name}.jsonl", packed=False)


def export_lines(sessions: SessionFactory, version_id: str, format: Format) -> Iterator[bytes]:
    """The version in ``format``, one JSON object a line, a batch of lines at a time."""
    for batch in _batches(sessions, version_id):
        yield _lines(formats.export_row(example, format) for example in batch)


def _batches(sessions: SessionFactory, version_id: str) -> Iterator[list[TrainingExample]]:
    """Each batch has a session of its own: a slow reader holds no connection, and a version never changes."""
    position = -1
    while True:
        with sessions() as session:
            batch = example_rows.batch_after(session, version_id, position, _BATCH_ROWS)
        if batch:
            position = batch[-1].position
            yield [row.example for row in batch]
        if len(batch) < _BATCH_ROWS:
            return


def _lines(rows: Iterable[dict[str, Any]]) -> bytes:
    return "".join(f"{_as_json(row)}\n" for row in rows).encode()


def _csv(sessions: SessionFactory, version_id: str) -> Iterator[bytes]:
    yield delimited.written([CSV_COLUMNS])
    for batch in _batches(sessions, version_id):
        yield delimited.written(map(csv_cells, batch))


def _parquet(sessions: SessionFactory, version_id: str) -> Iterator[bytes]:
    """One row group a batch; memory holds one of them."""
    # Only here: the process that serves the API starts without it.
    import pyarrow as pa
    import pyarrow.parquet as pq

    turns = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    schema = pa.schema(
        [
            ("id", pa.string()),
            ("messages", turns),
            ("rejected", turns),
            ("tools", pa.string()),
            ("kto_tag", pa.bool_()),
            ("metadata", pa.string()),
            (formats.RESIDUAL_KEY, pa.string()),
        ]
    )
    sink = DrainedFile()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for batch in _batches(sessions, version_id):
            writer.write_table(pa.Table.from_pylist([parquet_row(e) for e in batch], schema=schema))
            yield from sink.drained()
    yield from sink.drained()


def _llama_factory(sessions: SessionFactory, version_id: str) -> Iterator[bytes]:
    """A zip with ``dataset_info.json``, a file each of what it can be trained on and what it would skip, and the
    order in which their rows stand in the version: an import puts them together again.

    A zip is written one file after the other: a second kind of row costs another pass over the version.
    """
    sink = DrainedFile()
    names = {file: file.dataset(version_id) for file in LlamaFactoryFile}
    order = _order(sessions, version_id)
    files = [file for file in LlamaFactoryFile if file.letter.encode() in order]
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packer:
        for file in files:
            with packer.open(f"{names[file]}.jsonl", "w", force_zip64=True) as entry:
                for batch in _batches(sessions, version_id):
                    entry.write(_lines([row for of, row in map(_sorted_row, batch) if of is file]))
                    yield from sink.drained()
        trainable = {
            file: (names[file], f"{names[file]}.jsonl")
            for file in files
            if file is not LlamaFactoryFile.LEFT_OUT
        }
        packer.writestr("dataset_info.json", json.dumps(dataset_info(trainable), indent=2))
        packer.writestr(ORDER, order, zipfile.ZIP_DEFLATED)
    yield from sink.drained()


def _order(sessions: SessionFactory, version_id: str) -> bytes:
    """A letter a row: the file that it goes to."""
    rows = (example for batch in _batches(sessions, version_id) for example in batch)
    return b"".join(_sorted_row(example)[0].letter.encode() for example in rows)


def _sorted_row(example: TrainingExample) -> tuple[LlamaFactoryFile, dict[str, Any]]:
    """The row and its file; one that LLaMA-Factory would skip is kept as a ``messages`` row, so that none is lost."""
    file, row = llama_factory_row(example)
    if file is LlamaFactoryFile.LEFT_OUT:
        return file, formats.export_row(example, formats.MESSAGES)
    return file, row


def gzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    # Level 1: the wire gets most of what there is to win, and a core is not busy for it.
    packer = zlib.compressobj(level=1, wbits=31)
    for chunk in chunks:
        packed = packer.compress(chunk)
        if packed:
            yield packed
    yield packer.flush()
