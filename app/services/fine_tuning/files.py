"""Files as OpenAI's clients keep them: bytes with a name and a purpose. What is in them is read by jobs."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from app.artifacts import Artifact
from app.db.models import FileRow
from app.db.repositories.pages import Page, PageRequest, by_creation, of_project
from app.errors import InvalidInput, NotFound

FINE_TUNE = "fine-tune"
RESULTS = "fine-tune-results"


def create(
    session: Session,
    project_id: str,
    content: Artifact,
    *,
    filename: str,
    purpose: str,
    now: datetime,
    expires_after_seconds: int | None = None,
) -> FileRow:
    row = FileRow(
        project_id=project_id,
        filename=filename,
        purpose=purpose,
        bytes=content.size_bytes,
        uri=content.uri,
        created_at=now,
        expires_at=now + timedelta(seconds=expires_after_seconds) if expires_after_seconds else None,
    )
    session.add(row)
    session.flush()
    return row


def find(session: Session, project_id: str, file_id: str, now: datetime) -> FileRow | None:
    return session.scalar(
        select(FileRow).where(FileRow.id == file_id, FileRow.project_id == project_id, _kept(now))
    )


def get(session: Session, project_id: str, file_id: str, now: datetime) -> FileRow:
    row = find(session, project_id, file_id, now)
    if row is None:
        raise NotFound(
            f"no such file: {file_id}",
            errors=[{"pointer": "/id", "message": "names no file of this project"}],
        )
    return row


def require_for_training(
    session: Session, project_id: str, file_id: str, now: datetime, field: str
) -> FileRow:
    """The file that ``field`` of a request names. Raises InvalidInput where it is not there or for something else."""
    row = find(session, project_id, file_id, now)
    if row is not None and row.purpose == FINE_TUNE:
        return row
    problem = f"no such file: {file_id}" if row is None else f"{file_id} was uploaded for {row.purpose!r}"
    detail = f"{field}: {problem}; upload the file with purpose '{FINE_TUNE}'"
    raise InvalidInput(detail, errors=[{"pointer": f"/{field}", "message": detail}])


def list_page(
    session: Session, project_id: str, page: PageRequest, now: datetime, *, purpose: str | None
) -> Page[FileRow]:
    statement = of_project(FileRow, project_id).where(_kept(now))
    if purpose is not None:
        statement = statement.where(FileRow.purpose == purpose)
    return by_creation(session, statement, FileRow, page)


def delete(session: Session, project_id: str, file_id: str, now: datetime) -> None:
    """The file is gone for every reader. Its bytes may be those of another file or of a dataset and stay."""
    session.delete(get(session, project_id, file_id, now))
    session.flush()


def _kept(now: datetime) -> ColumnElement[bool]:
    return or_(FileRow.expires_at.is_(None), FileRow.expires_at > now)
