"""Training jobs and the adapters that they make."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from app.api.dependencies import DatabaseSession, Maintainer, Page, Reader, Store
from app.api.problems import documented
from app.api.response_headers import located
from app.api.schemas.common import Id, ListOf
from app.api.schemas.pipeline import Adapter, Merge, NewTrainingJob, TrainingJob
from app.api.transaction_route import TransactionRoute
from app.db.base import WorkStatus
from app.db.models import AdapterRow, MergeRow, TrainingJobRow
from app.db.repositories.pages import Page as PageOf
from app.reporting import adapter_card
from app.services import listings
from app.services.training import adapters, merges, training
from app.services.work import lifecycle
from app.streaming import zipped

router = APIRouter(prefix="/v1", tags=["training"], route_class=TransactionRoute)

_ModelFilter = Annotated[str | None, Query(max_length=1000)]


@router.post("/training-jobs", status_code=202, response_model=TrainingJob)
def create_training_job(
    payload: NewTrainingJob, caller: Maintainer, session: DatabaseSession, response: Response
) -> TrainingJobRow:
    """One LoRA run, on a mixture or on a whole dataset version."""
    row = training.create(
        session,
        caller.project_id,
        base_model=payload.base_model,
        dataset_version_id=payload.dataset_version_id,
        mixture_id=payload.mixture_id,
        hyperparameters=payload.hyperparameters.given(),
        init_adapter_id=payload.init_adapter_id,
        validation_version_id=payload.validation_version_id,
    )
    return located(response, "/v1/training-jobs", row)


@router.get("/training-jobs", response_model=ListOf[TrainingJob])
def list_training_jobs(
    caller: Reader,
    session: DatabaseSession,
    page: Page,
    status: WorkStatus | None = None,
    dataset_version_id: Id | None = None,
    mixture_id: Id | None = None,
    cycle_id: Id | None = None,
    base_model: _ModelFilter = None,
) -> PageOf[TrainingJobRow]:
    return listings.in_project(
        session,
        caller.project_id,
        TrainingJobRow,
        page,
        status=status,
        dataset_version_id=dataset_version_id,
        mixture_id=mixture_id,
        cycle_id=cycle_id,
        base_model=base_model,
    )


@router.get("/training-jobs/{job_id}", response_model=TrainingJob)
def read_training_job(job_id: Id, caller: Reader, session: DatabaseSession) -> TrainingJobRow:
    return training.get(session, caller.project_id, job_id)


@router.post("/training-jobs/{job_id}/cancel", response_model=TrainingJob)
def cancel_training_job(job_id: Id, caller: Maintainer, session: DatabaseSession) -> TrainingJobRow:
    return lifecycle.cancel(session, TrainingJobRow, caller.project_id, job_id)


@router.post("/training-jobs/{job_id}/pause", response_model=TrainingJob)
def pause_training_job(job_id: Id, caller: Maintainer, session: DatabaseSession) -> TrainingJobRow:
    """Stop after the running step, with a checkpoint, and wait without holding a worker."""
    return lifecycle.pause(session, caller.project_id, job_id)


@router.post("/training-jobs/{job_id}/resume", response_model=TrainingJob)
def resume_training_job(job_id: Id, caller: Maintainer, session: DatabaseSession) -> TrainingJobRow:
    """Go on from the checkpoint."""
    return lifecycle.resume(session, caller.project_id, job_id)


@router.get("/adapters", response_model=ListOf[Adapter])
def list_adapters(
    caller: Reader,
    session: DatabaseSession,
    page: Page,
    base_model: _ModelFilter = None,
    gate: Annotated[str | None, Query(max_length=16)] = None,
    training_job_id: Id | None = None,
    checkpoints: Annotated[bool, Query(description="Also states on the way of a training.")] = False,
) -> PageOf[AdapterRow]:
    return listings.in_project(
        session,
        caller.project_id,
        AdapterRow,
        page,
        *([] if checkpoints else [AdapterRow.checkpoint_step.is_(None)]),
        base_model=base_model,
        gate=gate,
        training_job_id=training_job_id,
    )


@router.get("/adapters/{adapter_id}", response_model=Adapter)
def read_adapter(adapter_id: Id, caller: Reader, session: DatabaseSession) -> AdapterRow:
    return adapters.get_adapter(session, caller.project_id, adapter_id)


_ZIP: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A zip of the folder",
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("/adapters/{adapter_id}/download", responses=_ZIP, response_class=StreamingResponse)
def download_adapter(
    adapter_id: Id, caller: Reader, session: DatabaseSession, store: Store
) -> StreamingResponse:
    """The adapter as a folder that ``peft`` loads, zipped: weights, tokenizer, chat template and a model card with
    what it was made from and what its verification says. docs/serving.md tells what to do with it."""
    adapter = adapters.get_adapter(session, caller.project_id, adapter_id)
    members = adapters.files(store, adapter)
    card = adapter_card.written(adapters.history(session, adapter)).encode()
    members["README.md"] = partial(io.BytesIO, card)
    return _zip(adapter.id, members)


@router.post("/adapters/{adapter_id}/merge", status_code=202, response_model=Merge)
def merge_adapter(
    adapter_id: Id, caller: Maintainer, session: DatabaseSession, response: Response
) -> MergeRow:
    """Adapter and base model as one model, for servers that take no adapters. The same adapter is merged once."""
    return located(response, "/v1/merges", merges.create(session, caller.project_id, adapter_id))


@router.get("/merges", response_model=ListOf[Merge])
def list_merges(
    caller: Reader,
    session: DatabaseSession,
    page: Page,
    status: WorkStatus | None = None,
    adapter_id: Id | None = None,
) -> PageOf[MergeRow]:
    return listings.in_project(
        session, caller.project_id, MergeRow, page, status=status, adapter_id=adapter_id
    )


@router.get("/merges/{merge_id}", response_model=Merge)
def read_merge(merge_id: Id, caller: Reader, session: DatabaseSession) -> MergeRow:
    return merges.get(session, caller.project_id, merge_id)


@router.post("/merges/{merge_id}/cancel", response_model=Merge)
def cancel_merge(merge_id: Id, caller: Maintainer, session: DatabaseSession) -> MergeRow:
    return lifecycle.cancel(session, MergeRow, caller.project_id, merge_id)


@router.get(
    "/merges/{merge_id}/download", responses={**_ZIP, **documented([409])}, response_class=StreamingResponse
)
def download_merge(merge_id: Id, caller: Reader, session: DatabaseSession, store: Store) -> StreamingResponse:
    """The merged model as a folder that ``transformers`` loads, zipped."""
    merge = merges.get(session, caller.project_id, merge_id)
    members = merges.files(store, merge)
    adapter = adapters.get_adapter(session, caller.project_id, merge.adapter_id)
    card = adapter_card.written(adapters.history(session, adapter), merged=True).encode()
    return _zip(merge.id, {**members, "README.md": partial(io.BytesIO, card)})


def _zip(name: str, members: Mapping[str, Callable[[], BinaryIO]]) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}.zip"'}
    named = ((f"{name}/{path}", opened) for path, opened in sorted(members.items()))
    return StreamingResponse(zipped(named), media_type="application/zip", headers=headers)
