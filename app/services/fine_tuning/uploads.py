"""A file that comes in parts: opened, filled, and put together in the order that its sender names."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.artifacts import Artifact, ArtifactStore
from app.db.models import UploadPartRow, UploadRow
from app.errors import Conflict, InvalidInput, NotFound
from app.services.fine_tuning import files

OPEN_SECONDS: Final = 3600
_PIECE_BYTES = 1 << 20


def create(
    session: Session,
    project_id: str,
    *,
    filename: str,
    purpose: str,
    mime_type: str,
    size_bytes: int,
    now: datetime,
    file_expires_after_seconds: int | None = None,
) -> UploadRow:
    row = UploadRow(
        project_id=project_id,
        filename=filename,
        purpose=purpose,
        mime_type=mime_type,
        bytes=size_bytes,
        created_at=now,
        expires_at=now + timedelta(seconds=OPEN_SECONDS),
        file_expires_after_seconds=file_expires_after_seconds,
    )
    session.add(row)
    session.flush()
    return row


def add_part(
    session: Session, project_id: str, upload_id: str, content: Artifact, now: datetime
) -> UploadPartRow:
    upload = _open(session, project_id, upload_id, now)
    part = UploadPartRow(upload_id=upload.id, bytes=content.size_bytes, uri=content.uri, created_at=now)
    session.add(part)
    session.flush()
    return part


def complete(
    session: Session,
    store: ArtifactStore,
    project_id: str,
    upload_id: str,
    part_ids: Sequence[str],
    now: datetime,
    *,
    md5: str | None = None,
) -> UploadRow:
    """Put the parts together; 400 where they are not as many bytes as announced, or not those of ``md5``."""
    upload = _open(session, project_id, upload_id, now)
    of_upload = {
        part.id: part
        for part in session.scalars(select(UploadPartRow).where(UploadPartRow.upload_id == upload.id))
    }
    unknown = next((i for i in part_ids if i not in of_upload), None)
    if unknown is not None:
        raise _invalid("part_ids", f"{unknown} is no part of {upload.id}")
    if len(set(part_ids)) < len(part_ids):
        raise _invalid("part_ids", "a part is named twice; name each once, in the order of the file")
    sent = sum(of_upload[i].bytes for i in part_ids)
    if sent != upload.bytes:
        raise _invalid("part_ids", f"the parts have {sent:,} bytes together; {upload.bytes:,} were announced")
    content = _joined(store, [of_upload[i].uri for i in part_ids], md5)
    made = files.create(
        session,
        project_id,
        content,
        filename=upload.filename,
        purpose=upload.purpose,
        now=now,
        expires_after_seconds=upload.file_expires_after_seconds,
    )
    upload.status, upload.file_id = "completed", made.id
    session.flush()
    return upload


def _joined(store: ArtifactStore, uris: Sequence[str], md5: str | None) -> Artifact:
    digest = hashlib.md5(usedforsecurity=False)
    with store.stage() as staged:
        for uri in uris:
            with store.open(uri) as part:
                while piece := part.read(_PIECE_BYTES):
                    digest.update(piece)
                    staged.write(piece)
        if md5 is not None and md5.lower() != digest.hexdigest():
            raise _invalid("md5", f"the bytes that came have the MD5 {digest.hexdigest()}; send them again")
        return staged.commit()


def cancel(session: Session, project_id: str, upload_id: str, now: datetime) -> UploadRow:
    upload = _open(session, project_id, upload_id, now)
    upload.status = "cancelled"
    session.flush()
    return upload


def status(upload: UploadRow, now: datetime) -> str:
    return "expired" if upload.status == "pending" and upload.expires_at <= now else upload.status


def _open(session: Session, project_id: str, upload_id: str, now: datetime) -> UploadRow:
    upload = session.scalar(
        select(UploadRow)
        .where(UploadRow.id == upload_id, UploadRow.project_id == project_id)
        .with_for_update()
    )
    if upload is None:
        raise NotFound(f"no such upload: {upload_id}")
    if status(upload, now) != "pending":
        raise Conflict(f"upload {upload_id} is {status(upload, now)}; start another one")
    return upload


def _invalid(field: str, message: str) -> InvalidInput:
    return InvalidInput(f"{field}: {message}", errors=[{"pointer": f"/{field}", "message": message}])
