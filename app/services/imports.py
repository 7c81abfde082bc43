"""Uploads become dataset versions: accepted at once, imported by a worker.

The import streams: memory holds one batch of rows, however long the upload. Nothing of a version is
visible before all of it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Any, BinaryIO, Final

from sqlalchemy.orm import Session

from app import queue
from app.artifacts import ArtifactStore
from app.db.models import DatasetRow, DatasetVersionRow, ImportRow
from app.db.repositories import bulk
from app.db.repositories import versions as version_rows
from app.db.repositories.example_encoding import EncodedExample, encode
from app.db.repositories.pages import Page, PageRequest, by_creation, of_project
from app.domain import formats
from app.domain.formats import DetectionError, Format, Line, RowError, UploadError
from app.domain.records import TrainingExample
from app.errors import NotFound, StageCancelled, StageError
from app.services import datasets, work
from app.services.statistics import RunningStatistics
from app.services.versions import ContentHash
from app.settings import Settings

AUTO: Final = "auto"
FORMAT_NAMES: Final = (AUTO, *(f.name for f in formats.FORMATS))
ERRORS_KEPT: Final = 1000
_ERRORS_IN_PROBLEM = 20
_DETECTION_ROWS = 200
_BATCH_ROWS = 5000
_CHUNK_BYTES = 1 << 18


class ImportFailed(StageError):
    """No version comes of the upload. The problem shows the first bad rows, as the job's own list is not kept."""

    def __init__(self, detail: str, *, type: str, errors: list[dict[str, Any]] | None = None) -> None:
        super().__init__(detail, type=type, title="The import failed")
        self.errors = errors or []

    def as_problem(self) -> dict[str, Any]:
        shown = [
            {"pointer": f"/lines/{e['line']}", "message": e["message"], "code": e["code"]}
            for e in self.errors[:_ERRORS_IN_PROBLEM]
        ]
        return super().as_problem() | ({"errors": shown} if shown else {})


def create(
    session: Session,
    project_id: str,
    *,
    dataset_id: str,
    upload_uri: str,
    upload_bytes: int,
    format: str,
    strict: bool,
) -> ImportRow:
    """Queue the import of a stored upload."""
    dataset = datasets.get(session, project_id, dataset_id)
    row = ImportRow(
        project_id=project_id,
        dataset_id=dataset.id,
        upload_uri=upload_uri,
        upload_bytes=upload_bytes,
        format=format,
        strict=strict,
    )
    work.enqueue(session, queue.Stage.IMPORT, row)
    return row


def get(session: Session, project_id: str, import_id: str) -> ImportRow:
    row = session.get(ImportRow, import_id)
    if row is None or row.project_id != project_id:
        raise NotFound(f"no import {import_id} in this project")
    return row


def cancel(session: Session, project_id: str, import_id: str) -> ImportRow:
    return work.cancel(session, ImportRow, project_id, import_id)


def list_page(
    session: Session, project_id: str, page: PageRequest, *, dataset_id: str | None, status: str | None
) -> Page[ImportRow]:
    statement = of_project(ImportRow, project_id)
    if dataset_id is not None:
        statement = statement.where(ImportRow.dataset_id == dataset_id)
    if status is not None:
        statement = statement.where(ImportRow.status == status)
    return by_creation(session, statement, ImportRow, page)


def run_import(
    session: Session,
    store: ArtifactStore,
    import_row: ImportRow,
    *,
    progress: Callable[[float], None],
    should_cancel: Callable[[], bool],
    settings: Settings,
) -> None:
    """Read the upload and write its version, inside the caller's transaction.

    A bad row is reported and skipped (``strict``: it ends the import). Raises StageError when no version
    can come of the upload, StageCancelled when somebody asked for that.
    """
    _require_dataset(session, import_row)
    with store.open(import_row.upload_uri) as file:
        read = _ReadBytes(file)
        lines = formats.iter_rows(
            read,
            gzipped=None,
            max_line_bytes=settings.line_limit_bytes,
            max_total_bytes=settings.upload_limit_bytes,
        )
        first = _translated(lines)
        head = _head(first)
        format = _format(import_row.format, head)
        version = _new_version(session, import_row, format)
        rows = _Rows(format=format, strict=import_row.strict)
        writer = _Writer(session, version)
        parsed = rows.parse(chain(head, first))
        while batch := list(islice(parsed, _BATCH_ROWS)):
            writer.write(batch)
            if should_cancel():
                raise StageCancelled
            progress(min(0.99, read.bytes_read / max(1, import_row.upload_bytes)))
    if not writer.rows:
        raise rows.nothing_accepted()
    version.rows = writer.rows
    version.content_hash = writer.content_hash.hexdigest()
    version.statistics = writer.statistics.as_dict(formats={format.name: writer.rows})
    import_row.format = format.name
    import_row.rows_total = writer.rows + rows.rejected
    import_row.rows_accepted = writer.rows
    import_row.rows_rejected = rows.rejected
    import_row.errors = rows.errors
    import_row.dataset_version_id = version.id
    _require_dataset(session, import_row)
    session.flush()


def _require_dataset(session: Session, import_row: ImportRow) -> None:
    dataset = session.get(DatasetRow, import_row.dataset_id, populate_existing=True)
    if dataset is None or dataset.deleted_at is not None:
        raise ImportFailed(
            f"dataset {import_row.dataset_id} was deleted; nothing was imported", type="dataset-deleted"
        )


def _translated(lines: Iterator[Line]) -> Iterator[Line]:
    try:
        yield from lines
    except UploadError as error:
        raise ImportFailed(error.message, type=error.code.replace("_", "-")) from error


def _head(lines: Iterator[Line]) -> list[Line]:
    """The first lines, up to the 200th that holds an object: what the format is told by."""
    head: list[Line] = []
    objects = 0
    while objects < _DETECTION_ROWS and (line := next(lines, None)) is not None:
        head.append(line)
        objects += isinstance(line.value, dict)
        if len(head) - objects > ERRORS_KEPT:
            break
    return head


def _format(name: str, head: list[Line]) -> Format:
    if not head:
        raise ImportFailed("the upload holds no rows; send one JSON object per line", type="empty-upload")
    if name != AUTO:
        format = formats.format_named(name)
        if format is None:
            raise ImportFailed(f"no format is called {name!r}", type="unknown-format")
        return format
    objects = [line.value for line in head if isinstance(line.value, dict)]
    try:
        return formats.detect_format(objects)
    except DetectionError as error:
        errors = [_error(line, line.value) for line in head if isinstance(line.value, RowError)]
        raise ImportFailed(error.message, type="unknown-format", errors=errors) from error


def _new_version(session: Session, import_row: ImportRow, format: Format) -> DatasetVersionRow:
    """The version's row, which its members point at; nobody sees it before the commit."""
    version = DatasetVersionRow(
        id=version_rows.new_version_id(),
        project_id=import_row.project_id,
        dataset_id=import_row.dataset_id,
        parent_id=None,
        rows=0,
        content_hash="",
        recipe={"kind": "import", "import_id": import_row.id, "format": format.name},
        statistics={},
    )
    session.add(version)
    session.flush()
    return version


def _error(line: Line, error: RowError) -> dict[str, Any]:
    return {"line": line.number, "code": error.code, "message": error.message}


class _ReadBytes(Iterable[bytes]):
    """Chunks of a file, counting what was read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.bytes_read = 0

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self._file.read(_CHUNK_BYTES):
            self.bytes_read += len(chunk)
            yield chunk


class _Rows:
    """Lines to examples; the bad ones are counted, the first thousand kept."""

    def __init__(self, *, format: Format, strict: bool) -> None:
        self._format = format
        self._strict = strict
        self.rejected = 0
        self.errors: list[dict[str, Any]] = []

    def parse(self, lines: Iterable[Line]) -> Iterator[TrainingExample]:
        ids = version_rows.example_ids()
        for line in lines:
            if isinstance(line.value, RowError):
                self._reject(line, line.value)
                continue
            try:
                row = formats.parse_row(line.value, self._format)
            except RowError as error:
                self._reject(line, error)
                continue
            yield row.with_id(next(ids))

    def _reject(self, line: Line, error: RowError) -> None:
        self.rejected += 1
        if self._strict:
            raise ImportFailed(
                f"line {line.number}: {error.message} (strict=true: the first bad row ends the import)",
                type="bad-row",
                errors=[_error(line, error)],
            )
        if len(self.errors) < ERRORS_KEPT:
            self.errors.append(_error(line, error))

    def nothing_accepted(self) -> ImportFailed:
        first = self.errors[0]
        return ImportFailed(
            f"none of the {self.rejected} rows can be used as {self._format.name}; "
            f"line {first['line']}: {first['message']}",
            type="no-good-rows",
            errors=self.errors,
        )


class _Writer:
    """Batches of examples to PostgreSQL, with the version's hash and statistics on the way."""

    def __init__(self, session: Session, version: DatasetVersionRow) -> None:
        self._session = session
        self._version_id = version.id
        self._dataset_id = version.dataset_id
        self.rows = 0
        self.content_hash = ContentHash()
        self.statistics = RunningStatistics()

    def write(self, batch: list[TrainingExample]) -> None:
        bulk.copy_examples(self._session, self._dataset_id, map(self._counted, batch))
        bulk.copy_members(self._session, self._version_id, enumerate([e.id for e in batch], self.rows))
        self.rows += len(batch)

    def _counted(self, example: TrainingExample) -> tuple[TrainingExample, EncodedExample]:
        encoded = encode(example)
        self.content_hash.add(encoded.record_hash)
        self.statistics.add(example)
        return example, encoded
