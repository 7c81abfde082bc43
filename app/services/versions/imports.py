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
from app.domain.formats import DetectionError, Format, Line, RowError, UploadError, encodings
from app.domain.records import TrainingExample
from app.errors import InvalidInput, NotFound, StageCancelled, StageError
from app.services.versions import datasets
from app.services.versions.statistics import RunningStatistics
from app.services.versions.upload_reading import AUTO, CONTAINERS, Limits, read_upload
from app.services.versions.versions import ContentHash
from app.services.work import lifecycle, work
from app.settings import Settings

ERRORS_KEPT: Final = 1000
_ERRORS_IN_PROBLEM = 20
_DETECTION_ROWS = 200
_BATCH_ROWS = 5000


class ImportFailed(StageError):
    """No version comes of the upload. The problem shows the first bad rows, as the job's own list is not kept."""

    def __init__(self, detail: str, *, type: str, errors: list[dict[str, Any]] | None = None) -> None:
        super().__init__(detail, type=type, title="The import failed")
        self.errors = errors or []
        self.rows: _Rows | None = None

    def after(self, rows: _Rows) -> ImportFailed:
        """The same, with the counters of what was read before."""
        self.rows = rows
        return self

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
    encoding: str | None,
) -> ImportRow:
    """Queue the import of a stored upload. Raises InvalidInput for an ``encoding`` that is none."""
    if encoding is not None and not encodings.known(encoding):
        raise InvalidInput(
            f"no encoding is called {encoding[:40]!r}; use one that Python knows, such as gb18030"
        )
    dataset = datasets.get(session, project_id, dataset_id)
    row = ImportRow(
        project_id=project_id,
        dataset_id=dataset.id,
        upload_uri=upload_uri,
        upload_bytes=upload_bytes,
        format=format,
        strict=strict,
        encoding=encoding,
    )
    work.enqueue(session, queue.Stage.IMPORT, row)
    return row


def get(session: Session, project_id: str, import_id: str) -> ImportRow:
    row = session.get(ImportRow, import_id)
    if row is None or row.project_id != project_id:
        raise NotFound(f"no import {import_id} in this project")
    return row


def cancel(session: Session, project_id: str, import_id: str) -> ImportRow:
    return lifecycle.cancel(session, ImportRow, project_id, import_id)


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
    rows = _Rows(strict=import_row.strict)
    try:
        with store.open(import_row.upload_uri) as file:
            version = _version_of(session, file, import_row, rows, progress, should_cancel, settings)
    except UploadError as error:
        failed = ImportFailed(error.message, type=error.code.replace("_", "-"), errors=rows.errors)
        raise failed.after(rows) from error
    except ImportFailed as error:
        raise error.after(rows) from error
    rows.note(import_row)
    import_row.dataset_version_id = version.id
    _require_dataset(session, import_row)
    session.flush()


def note_failure(import_row: ImportRow, error: StageError) -> None:
    """What was read until an import failed; its transaction is gone, and the version with it."""
    if isinstance(error, ImportFailed) and error.rows is not None:
        error.rows.note(import_row)


def _version_of(
    session: Session,
    file: BinaryIO,
    import_row: ImportRow,
    rows: _Rows,
    progress: Callable[[float], None],
    should_cancel: Callable[[], bool],
    settings: Settings,
) -> DatasetVersionRow:
    limits = Limits(row_bytes=settings.line_limit_bytes, total_bytes=settings.upload_limit_bytes)
    reading = read_upload(
        file,
        size_bytes=import_row.upload_bytes,
        format=import_row.format,
        encoding=import_row.encoding,
        limits=limits,
    )
    head = _head(reading.lines)
    row_format = _format(import_row.format, head, rows)
    name = reading.packed_as or row_format.name
    version = _new_version(session, import_row, name)
    writer = _Writer(session, version)
    detected = import_row.format == AUTO
    parsed = rows.parse(chain(head, reading.lines), row_format, detected=detected)
    while batch := list(islice(parsed, _BATCH_ROWS)):
        writer.write(batch)
        if should_cancel():
            raise StageCancelled
        progress(min(0.99, reading.fraction()))
    if not rows.accepted:
        raise rows.nothing_accepted(row_format)
    version.rows = rows.accepted
    version.content_hash = writer.content_hash.hexdigest()
    version.statistics = writer.statistics.as_dict(formats=rows.formats)
    import_row.format = name
    return version


def _require_dataset(session: Session, import_row: ImportRow) -> None:
    dataset = session.get(DatasetRow, import_row.dataset_id, populate_existing=True)
    if dataset is None or dataset.deleted_at is not None:
        raise ImportFailed(
            f"dataset {import_row.dataset_id} was deleted; nothing was imported", type="dataset-deleted"
        )


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


def _format(name: str, head: list[Line], rows: _Rows) -> Format:
    if not head:
        raise ImportFailed("the upload holds no rows; send one JSON object per line", type="empty-upload")
    if name not in CONTAINERS:
        format = formats.format_named(name)
        if format is None:
            raise ImportFailed(f"no format is called {name!r}", type="unknown-format")
        return format
    if all(line.format is not None for line in head):
        return formats.MESSAGES  # each row says its own
    objects = [line.value for line in head if isinstance(line.value, dict)]
    try:
        return formats.detect_format(objects)
    except DetectionError as error:
        for line in head:
            known = line.value if isinstance(line.value, RowError) else _unknown(line.value)
            rows.reject(line, known, strict=False)
        first = rows.errors[0]
        detail = error.message if objects else f"{error.message}; line {first['line']}: {first['message']}"
        raise ImportFailed(detail, type="unknown-format", errors=rows.errors) from error


def _unknown(value: object) -> RowError:
    what = "its keys are of no known format" if isinstance(value, dict) else "it is no JSON object"
    return RowError("unknown_format", f"the row cannot be read: {what}")


def _new_version(session: Session, import_row: ImportRow, format: str) -> DatasetVersionRow:
    """The version's row, which its members point at; nobody sees it before the commit."""
    version = DatasetVersionRow(
        id=version_rows.new_version_id(),
        project_id=import_row.project_id,
        dataset_id=import_row.dataset_id,
        parent_id=None,
        rows=0,
        content_hash="",
        recipe={"kind": "import", "import_id": import_row.id, "format": format},
        statistics={},
    )
    session.add(version)
    session.flush()
    return version


def _error(line: Line, error: RowError) -> dict[str, Any]:
    return {"line": line.number, "code": error.code, "message": error.message}


class _Rows:
    """Lines to examples; every one is counted, the errors of the first thousand bad ones are kept."""

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self.accepted = 0
        self.rejected = 0
        self.errors: list[dict[str, Any]] = []
        self.formats: dict[str, int] = {}

    def parse(self, lines: Iterable[Line], format: Format, *, detected: bool) -> Iterator[TrainingExample]:
        """``detected``: nobody named ``format``, so a row that is plainly of another one is read as that."""
        ids = version_rows.example_ids()
        for line in lines:
            if isinstance(line.value, RowError):
                self.reject(line, line.value, strict=self._strict)
                continue
            own = format if line.format is None else formats.format_named(line.format) or format
            if detected and isinstance(line.value, dict):
                own = formats.format_of_row(line.value, own)
            try:
                row = formats.parse_row(line.value, own)
            except RowError as error:
                self.reject(line, error, strict=self._strict)
                continue
            self.accepted += 1
            self.formats[own.name] = self.formats.get(own.name, 0) + 1
            yield row.with_id(next(ids))

    def reject(self, line: Line, error: RowError, *, strict: bool) -> None:
        self.rejected += 1
        if len(self.errors) < ERRORS_KEPT:
            self.errors.append(_error(line, error))
        if strict:
            raise ImportFailed(
                f"line {line.number}: {error.message} (strict=true: the first bad row ends the import)",
                type="bad-row",
                errors=[_error(line, error)],
            )

    def nothing_accepted(self, format: Format) -> ImportFailed:
        first = self.errors[0]
        return ImportFailed(
            f"none of the {self.rejected} rows can be used as {format.name}; "
            f"line {first['line']}: {first['message']}",
            type="no-good-rows",
            errors=self.errors,
        )

    def note(self, import_row: ImportRow) -> None:
        """The counters of what was read: every row is accepted or rejected."""
        import_row.rows_total = self.accepted + self.rejected
        import_row.rows_accepted = self.accepted
        import_row.rows_rejected = self.rejected
        import_row.errors = self.errors


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
