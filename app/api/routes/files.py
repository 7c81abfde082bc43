"""Files and uploads, in the shapes of OpenAI's API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, BinaryIO
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import ValidationError

from app.api.dependencies import Contributor, DatabaseSession, Reader, Store
from app.api.forms import FileForm, file_in, form_body
from app.api.openai_errors import OpenAIRoute
from app.api.schemas.common import Id
from app.api.schemas.fine_tuning import (
    MAX_EXPIRY_SECONDS,
    MIN_EXPIRY_SECONDS,
    PURPOSES,
    CompleteUpload,
    DeletedFile,
    ExpiresAfter,
    File,
    Listed,
    NewUpload,
    Upload,
    UploadPart,
)
from app.artifacts import ArtifactNotFound
from app.db.models import FileRow
from app.db.repositories.pages import Order, PageRequest
from app.errors import InvalidInput, NotFound
from app.services.fine_tuning import files, uploads

router = APIRouter(prefix="/v1", tags=["fine-tuning"], route_class=OpenAIRoute)

_PIECE_BYTES = 1 << 20
_FILE_FORM = form_body(
    "file",
    {
        "purpose": {"type": "string", "enum": list(PURPOSES)},
        "expires_after[anchor]": {"type": "string", "enum": ["created_at"]},
        "expires_after[seconds]": {
            "type": "integer",
            "minimum": MIN_EXPIRY_SECONDS,
            "maximum": MAX_EXPIRY_SECONDS,
        },
    },
    ["purpose"],
)
SentFile = Annotated[FileForm, Depends(file_in("file"))]
SentPart = Annotated[FileForm, Depends(file_in("data"))]


@router.post("/files", response_model=File, openapi_extra=_FILE_FORM)
def create_file(form: SentFile, caller: Contributor, session: DatabaseSession) -> File:
    """Upload a file, a row of training data on each line. Its rows are read by the jobs that use it."""
    purpose = form.fields.get("purpose")
    if purpose not in PURPOSES:
        raise _invalid("purpose", f"choose from {', '.join(PURPOSES)}")
    row = files.create(
        session,
        caller.project_id,
        form.content,
        filename=form.filename,
        purpose=purpose,
        now=datetime.now(UTC),
        expires_after_seconds=_expiry(form.fields),
    )
    return File.of(row)


def _expiry(fields: dict[str, str]) -> int | None:
    given = {
        name: fields[key] for name in ("anchor", "seconds") if (key := f"expires_after[{name}]") in fields
    }
    if not given:
        return None
    try:
        return ExpiresAfter.model_validate(given, strict=False).seconds
    except ValidationError as error:
        first = error.errors()[0]
        field = f"expires_after[{first['loc'][0]}]"
        message = "is required" if first["type"] == "missing" else first["msg"]
        raise _invalid(field, message) from None


@router.get("/files", response_model=Listed[File])
def list_files(
    caller: Reader,
    session: DatabaseSession,
    after: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 10_000,
    order: Order = Order.DESC,
    purpose: Annotated[str | None, Query(max_length=32)] = None,
) -> Listed[File]:
    page = files.list_page(
        session,
        caller.project_id,
        PageRequest(limit=limit, after=after, order=order),
        datetime.now(UTC),
        purpose=purpose,
    )
    return Listed[File].of([File.of(row) for row in page.data], has_more=page.has_more)


_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The bytes that were uploaded",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("/files/{file_id}/content", responses=_CONTENT, response_class=StreamingResponse)
def read_file_content(
    file_id: Id, caller: Reader, session: DatabaseSession, store: Store
) -> StreamingResponse:
    row = files.get(session, caller.project_id, file_id, datetime.now(UTC))
    try:
        content = store.open(row.uri)
    except ArtifactNotFound:
        raise NotFound(f"the bytes of {file_id} are no longer kept") from None
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(row.filename, safe='')}",
        "Content-Length": str(row.bytes),
    }
    return StreamingResponse(_pieces(content), media_type="application/octet-stream", headers=headers)


@router.get("/files/{file_id}", response_model=File)
def read_file(file_id: Id, caller: Reader, session: DatabaseSession) -> File:
    return File.of(files.get(session, caller.project_id, file_id, datetime.now(UTC)))


@router.delete("/files/{file_id}", response_model=DeletedFile)
def delete_file(file_id: Id, caller: Contributor, session: DatabaseSession) -> DeletedFile:
    """The file is gone. A job that has not read it yet fails with that reason."""
    files.delete(session, caller.project_id, file_id, datetime.now(UTC))
    return DeletedFile(id=file_id)


def _pieces(content: BinaryIO) -> Iterator[bytes]:
    with content:
        while piece := content.read(_PIECE_BYTES):
            yield piece


@router.post("/uploads", response_model=Upload)
def create_upload(payload: NewUpload, caller: Contributor, session: DatabaseSession) -> Upload:
    """Begin a file that comes in parts; it is open for an hour."""
    now = datetime.now(UTC)
    row = uploads.create(
        session,
        caller.project_id,
        filename=payload.filename,
        purpose=payload.purpose,
        mime_type=payload.mime_type,
        size_bytes=payload.bytes,
        now=now,
        file_expires_after_seconds=payload.expires_after.seconds if payload.expires_after else None,
    )
    return Upload.of(row, now)


@router.post("/uploads/{upload_id}/parts", response_model=UploadPart, openapi_extra=form_body("data", {}, []))
def add_upload_part(
    upload_id: Id, form: SentPart, caller: Contributor, session: DatabaseSession
) -> UploadPart:
    now = datetime.now(UTC)
    row = uploads.add_part(session, caller.project_id, upload_id, form.content, now)
    return UploadPart(id=row.id, created_at=int(row.created_at.timestamp()), upload_id=upload_id)


@router.post("/uploads/{upload_id}/complete", response_model=Upload)
def complete_upload(
    upload_id: Id, payload: CompleteUpload, caller: Contributor, session: DatabaseSession, store: Store
) -> Upload:
    """Put the parts together in the order named; the answer holds the file."""
    now = datetime.now(UTC)
    row = uploads.complete(
        session, store, caller.project_id, upload_id, payload.part_ids, now, md5=payload.md5
    )
    return Upload.of(row, now, session.get(FileRow, row.file_id))


@router.post("/uploads/{upload_id}/cancel", response_model=Upload)
def cancel_upload(upload_id: Id, caller: Contributor, session: DatabaseSession) -> Upload:
    now = datetime.now(UTC)
    return Upload.of(uploads.cancel(session, caller.project_id, upload_id, now), now)


def _invalid(field: str, message: str) -> InvalidInput:
    return InvalidInput(f"{field}: {message}", errors=[{"pointer": f"/{field}", "message": message}])
