"""The rows of an uploaded file, whatever they are packed in: JSON, a table as text, Parquet, a zip of our own.

Knows containers. Does not know what a row means. Memory is flat: tables are read batch by batch, the files of a
zip side by side.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isnan
from typing import Any, BinaryIO, Final

from app.domain import formats
from app.domain.formats import Line, RowError, UploadError, delimited, file_kinds, rows
from app.domain.formats.file_kinds import Container, NoRows
from app.domain.formats.inflate import peek
from app.domain.formats.tables import LlamaFactoryFile
from app.services.versions.exports import CSV, LLAMA_FACTORY, ORDER, PARQUET

AUTO: Final = "auto"
CONTAINERS: Final = (AUTO, CSV, PARQUET)
"""Names of formats that say how rows are packed; their keys say what they mean."""
_CHUNK_BYTES: Final = 1 << 18
_PARQUET_BATCH_ROWS: Final = 500
_HEAD_BYTES: Final = 1 << 14
_FILES_NAMED: Final = 5
# A zip that is a document or weights, by a file in it.
_ZIP_KINDS: Final = (
    ("xl/", NoRows(name="an Excel workbook (.xlsx)", do="save the sheet as CSV")),
    ("word/", NoRows(name="a Word document", do="send the rows as JSON lines or CSV")),
    ("ppt/", NoRows(name="a PowerPoint file", do="send the rows as JSON lines or CSV")),
    ("/data.pkl", NoRows(name="a PyTorch checkpoint", do="send training rows here, not model weights")),
    (".npy", NoRows(name="a NumPy archive (.npz)", do="write its rows as JSON lines")),
    ("content.xml", NoRows(name="an OpenDocument file", do="save the sheet as CSV")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    row_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """``lines`` is read as it is asked for. ``packed_as``: what holds the rows, None for JSON. ``fraction``: how much
    of the file was read, 0..1."""

    lines: Iterator[Line]
    packed_as: str | None
    fraction: Callable[[], float]


def read_upload(
    file: BinaryIO, *, size_bytes: int, format: str, encoding: str | None, limits: Limits
) -> Reading:
    """The rows of ``file``. Raises ``UploadError`` for a file that holds none, by what it is; so may ``lines``."""
    start = file.read(file_kinds.START_BYTES)
    file.seek(0)
    kind = file_kinds.kind_of(start)
    if isinstance(kind, NoRows):
        raise UploadError("no_rows_inside", kind.message)
    if format == PARQUET and kind is not Container.PARQUET:
        raise UploadError("not_parquet", "the upload is no Parquet file; send one, or leave format= out")
    if kind is Container.PARQUET:
        return _parquet(file, limits)
    if kind is Container.ZIP:
        return _zip(file, limits)
    return _text(file, size_bytes, format, encoding, limits)


class _Counted:
    """Chunks of a file, counting what was read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.bytes_read = 0

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self._file.read(_CHUNK_BYTES):
            self.bytes_read += len(chunk)
            yield chunk


def _text(file: BinaryIO, size_bytes: int, format: str, encoding: str | None, limits: Limits) -> Reading:
    chunks = _Counted(file)
    text: Iterable[bytes] = rows.iter_text(
        chunks, gzipped=None, max_total_bytes=limits.total_bytes, encoding=encoding
    )
    head, text = peek(text, _HEAD_BYTES)
    if format == CSV or (delimited.is_table(head) and _may_be_table(head, format)):
        table = delimited.iter_table(
            text, delimiter=delimited.delimiter_of(head) or ",", max_row_bytes=limits.row_bytes
        )
        lines, packed_as = table, CSV
    else:
        lines, packed_as = rows.iter_json(text, max_line_bytes=limits.row_bytes), None
    return Reading(lines=lines, packed_as=packed_as, fraction=lambda: chunks.bytes_read / max(1, size_bytes))


def _may_be_table(head: bytes, format: str) -> bool:
    """A file announced as rows of a format is a table only where its columns are that format's."""
    if format == AUTO:
        return True
    named = formats.format_named(format)
    return named is not None and named.recognises(dict.fromkeys(delimited.columns_of(head), "[]"))


def _parquet(file: BinaryIO, limits: Limits) -> Reading:
    # Only here: the process that serves the API starts without it.
    import pyarrow as pa
    import pyarrow.parquet as pq

    def broken(error: Exception) -> UploadError:
        return UploadError("bad_parquet", f"the Parquet file is damaged: {str(error)[:200]}; send it again")

    try:
        table = pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise broken(error) from error
    groups = (table.metadata.row_group(i) for i in range(table.metadata.num_row_groups))
    if sum(group.total_byte_size for group in groups) > limits.total_bytes:
        raise UploadError(
            "too_large", f"the upload is longer than {limits.total_bytes:,} bytes (unpacked); split it"
        )
    done = 0

    def lines() -> Iterator[Line]:
        nonlocal done
        try:
            for batch in table.iter_batches(batch_size=_PARQUET_BATCH_ROWS):
                for row in batch.to_pylist():
                    done += 1
                    yield Line(done, _table_row(row))
        except (pa.ArrowException, OSError) as error:
            raise broken(error) from error

    total = max(1, table.metadata.num_rows)
    return Reading(lines=lines(), packed_as=PARQUET, fraction=lambda: done / total)


def _table_row(row: dict[str, Any]) -> dict[str, Any] | RowError:
    try:
        return _plain(row)
    except UnicodeDecodeError:
        return RowError("wrong_type", "a cell holds bytes that are no text; only text can be trained on")


def _plain(value: Any) -> Any:
    """A cell of a table as JSON. A null says that the row lacks the column, or the turn the key."""
    match value:
        case dict():
            return {
                str(key): _plain(item)
                for key, item in value.items()
                if item is not None and not (isinstance(item, float) and isnan(item))
            }
        case list():
            if value and all(isinstance(item, tuple) and len(item) == 2 for item in value):
                return {str(key): _plain(item) for key, item in value}  # a column of maps
            return [_plain(item) for item in value]
        case bytes():
            return value.decode()
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case _:
            return value


def _zip(file: BinaryIO, limits: Limits) -> Reading:
    """The rows of a zip for LLaMA-Factory that an export wrote, in the order of their version."""
    try:
        packed = zipfile.ZipFile(file)
        names = packed.namelist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise UploadError("bad_zip", f"the zip file is damaged: {error}; send it again") from error
    if ORDER not in names:
        raise _other_zip(names)
    if sum(info.file_size for info in packed.infolist()) > limits.total_bytes:
        raise UploadError(
            "too_large", f"the upload is longer than {limits.total_bytes:,} bytes (unpacked); split it"
        )
    order = packed.read(ORDER)
    done = 0

    def lines() -> Iterator[Line]:
        nonlocal done
        try:
            members = {
                file.letter: rows.iter_json(_member(packed, name), max_line_bytes=limits.row_bytes)
                for file in LlamaFactoryFile
                if (name := _name_of(file, names)) is not None
            }
            kinds = {file.letter: file.rows for file in LlamaFactoryFile}
            for letter in order.decode("ascii", "replace"):
                done += 1
                line = next(members.get(letter, iter(())), None)
                if line is not None:
                    yield Line(done, line.value, kinds[letter])
            # Rows that somebody added.
            for letter, rest in members.items():
                for line in rest:
                    done += 1
                    yield Line(done, line.value, kinds[letter])
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError) as error:
            raise UploadError("bad_zip", f"the zip file is damaged: {error}; send it again") from error

    return Reading(
        lines=lines(), packed_as=LLAMA_FACTORY, fraction=lambda: min(1.0, done / max(1, len(order)))
    )


def _name_of(file: LlamaFactoryFile, names: Iterable[str]) -> str | None:
    """The file of the zip that holds these rows."""
    return next((name for name in names if LlamaFactoryFile.of_file(name) is file), None)


def _member(packed: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    with packed.open(name) as member:
        while chunk := member.read(_CHUNK_BYTES):
            yield chunk


def _other_zip(names: list[str]) -> UploadError:
    for mark, kind in _ZIP_KINDS:
        if any(name.startswith(mark) or name.endswith(mark) for name in names):
            return UploadError("no_rows_inside", kind.message)
    shown = ", ".join(repr(name[:60]) for name in names[:_FILES_NAMED]) or "nothing"
    more = f" and {len(names) - _FILES_NAMED} more" if len(names) > _FILES_NAMED else ""
    return UploadError(
        "no_rows_inside",
        f"the upload is a zip archive of {shown}{more}: unpack it and send each file by itself",
    )
