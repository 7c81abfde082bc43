"""Datasets and the uploads that become their versions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.api.dependencies import Contributor, DatabaseSession, Page, Reader
from app.api.response_headers import located
from app.api.schemas.common import Id, ListOf
from app.api.schemas.datasets import Dataset, DatasetVersion, Import, NewDataset, UploadFormat
from app.api.transaction_route import TransactionRoute
from app.api.uploads import UPLOAD_BODY, Upload
from app.db.base import WorkStatus
from app.db.models import DatasetRow, DatasetVersionRow, ImportRow
from app.db.repositories.pages import Page as PageOf
from app.services.versions import datasets, imports, versions

router = APIRouter(prefix="/v1", tags=["datasets"], route_class=TransactionRoute)


@router.post("/datasets", status_code=201, response_model=Dataset)
def create_dataset(
    payload: NewDataset, caller: Contributor, session: DatabaseSession, response: Response
) -> DatasetRow:
    """A dataset: a named line of versions. It is empty until a file is uploaded to its versions."""
    return located(
        response,
        "/v1/datasets",
        datasets.create(session, caller.project_id, name=payload.name, description=payload.description),
    )


@router.get("/datasets", response_model=ListOf[Dataset])
def list_datasets(
    caller: Reader,
    session: DatabaseSession,
    page: Page,
    name: Annotated[str | None, Query(max_length=200)] = None,
) -> PageOf[DatasetRow]:
    return datasets.list_page(session, caller.project_id, page, name=name)


@router.get("/datasets/{dataset_id}", response_model=Dataset)
def read_dataset(dataset_id: Id, caller: Reader, session: DatabaseSession) -> DatasetRow:
    return datasets.get(session, caller.project_id, dataset_id)


@router.delete("/datasets/{dataset_id}", status_code=204)
def delete_dataset(dataset_id: Id, caller: Contributor, session: DatabaseSession) -> None:
    """The dataset and its versions are gone; running work on them fails with that reason."""
    datasets.delete(session, caller.project_id, dataset_id)


@router.get("/datasets/{dataset_id}/versions", response_model=ListOf[DatasetVersion])
def list_versions_of_dataset(
    dataset_id: Id, caller: Reader, session: DatabaseSession, page: Page
) -> PageOf[DatasetVersionRow]:
    datasets.get(session, caller.project_id, dataset_id)
    return versions.list_page(session, caller.project_id, page, dataset_id=dataset_id)


@router.post(
    "/datasets/{dataset_id}/versions", status_code=202, response_model=Import, openapi_extra=UPLOAD_BODY
)
def upload_version(
    dataset_id: Id,
    caller: Contributor,
    upload: Upload,  # before the session: it takes as long as the client's line does
    session: DatabaseSession,
    response: Response,
    format: UploadFormat = "auto",
    strict: Annotated[bool, Query(description="The first bad row fails the import.")] = False,
    encoding: Annotated[
        str | None,
        Query(max_length=40, description="Of the text, where it is not UTF-8: gb18030, big5, cp1252 ..."),
    ] = None,
) -> ImportRow:
    """Upload training rows as the body; a worker imports them. Watch the import at ``Location``.

    JSON lines, a JSON array, CSV, TSV or Parquet; text may be gzipped. What an export wrote (Parquet, the zip for
    LLaMA-Factory) is read, too.
    """
    return located(
        response,
        "/v1/imports",
        imports.create(
            session,
            caller.project_id,
            dataset_id=dataset_id,
            upload_uri=upload.uri,
            upload_bytes=upload.size_bytes,
            format=format,
            strict=strict,
            encoding=encoding,
        ),
    )


@router.get("/imports", response_model=ListOf[Import])
def list_imports(
    caller: Reader,
    session: DatabaseSession,
    page: Page,
    dataset_id: Id | None = None,
    status: WorkStatus | None = None,
) -> PageOf[ImportRow]:
    return imports.list_page(session, caller.project_id, page, dataset_id=dataset_id, status=status)


@router.get("/imports/{import_id}", response_model=Import)
def read_import(import_id: Id, caller: Reader, session: DatabaseSession) -> ImportRow:
    return imports.get(session, caller.project_id, import_id)


@router.post("/imports/{import_id}/cancel", response_model=Import)
def cancel_import(import_id: Id, caller: Contributor, session: DatabaseSession) -> ImportRow:
    """Queued: cancelled at once. Running: as soon as its worker looks up; no version comes of it."""
    return imports.cancel(session, caller.project_id, import_id)
