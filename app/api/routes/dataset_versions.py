"""Dataset versions: what is in them, what changed, and the way out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from app.api.dependencies import DatabaseSession, Page, PageInOrder, Reader, Sessions
from app.api.schemas.common import Id, ListOf
from app.api.schemas.datasets import DatasetVersion, Diff, Example, ExportFormat
from app.api.transaction_route import TransactionRoute
from app.db.models import DatasetVersionRow
from app.db.repositories.pages import Page as PageOf
from app.services.versions import exports, version_diff, versions

router = APIRouter(prefix="/v1/dataset-versions", tags=["dataset versions"], route_class=TransactionRoute)

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One row a line; a CSV or Parquet file; a zip.",
        "content": dict.fromkeys(
            (exports.NDJSON, "text/csv", "application/vnd.apache.parquet", "application/zip"), _BINARY
        ),
    }
}


@router.get("", response_model=ListOf[DatasetVersion])
def list_versions(
    caller: Reader, session: DatabaseSession, page: Page, dataset_id: Id | None = None
) -> PageOf[DatasetVersionRow]:
    return versions.list_page(session, caller.project_id, page, dataset_id=dataset_id)


@router.get("/{version_id}", response_model=DatasetVersion)
def read_version(version_id: Id, caller: Reader, session: DatabaseSession) -> DatasetVersionRow:
    return versions.require(session, caller.project_id, version_id)


@router.get("/{version_id}/examples", response_model=ListOf[Example])
def list_examples(
    version_id: Id, caller: Reader, session: DatabaseSession, page: PageInOrder
) -> PageOf[versions.PlacedExample]:
    """The training rows in their order."""
    return versions.examples_page(session, caller.project_id, version_id, page)


@router.get("/{version_id}/diff", response_model=Diff)
def diff_versions(
    version_id: Id,
    caller: Reader,
    session: DatabaseSession,
    page: PageInOrder,
    against: Annotated[Id | None, Query(description="Another version; the parent when left out.")] = None,
) -> version_diff.Diff:
    """What was added, removed and changed since ``against``, each with its reason."""
    return version_diff.diff(session, caller.project_id, version_id, against, page)


@router.get("/{version_id}/export", responses=_STREAM, response_class=StreamingResponse)
def export_version(
    version_id: Id,
    caller: Reader,
    session: DatabaseSession,
    sessions: Sessions,
    format: ExportFormat,
    accept_encoding: Annotated[str, Header(include_in_schema=False)] = "",
) -> StreamingResponse:
    """The version as a file. Importing it again gives the same content hash, whatever the format.

    ``parquet`` loads with ``datasets.load_dataset("parquet", data_files=...)``: ``messages``, ``rejected``,
    ``kto_tag``, and ``tools`` and ``metadata`` as JSON. ``llamafactory`` is a zip to unpack as a
    ``dataset_dir``; rows that LLaMA-Factory would skip, or learn wrongly, stand in its ``left_out.jsonl``.
    """
    versions.require(session, caller.project_id, version_id)
    export = exports.export(sessions, version_id, format)
    headers = {"Content-Disposition": f'attachment; filename="{version_id}.{export.extension}"'}
    if export.packed:
        return StreamingResponse(export.chunks, media_type=export.media_type, headers=headers)
    headers["Vary"] = "Accept-Encoding"
    if "gzip" in accept_encoding.lower():
        return StreamingResponse(
            exports.gzipped(export.chunks),
            media_type=export.media_type,
            headers=headers | {"Content-Encoding": "gzip"},
        )
    return StreamingResponse(export.chunks, media_type=export.media_type, headers=headers)
