"""Fine-tuning jobs, in the shapes of OpenAI's API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from app.api.dependencies import DatabaseSession, Maintainer, Reader
from app.api.openai_errors import OpenAIRoute
from app.api.schemas.common import Id
from app.api.schemas.fine_tuning import (
    FineTuningCheckpoint,
    FineTuningEvent,
    FineTuningJob,
    Listed,
    NewFineTuningJob,
)
from app.db.repositories.pages import PageRequest
from app.errors import InvalidInput
from app.services.fine_tuning import job_events, jobs

router = APIRouter(prefix="/v1/fine_tuning/jobs", tags=["fine-tuning"], route_class=OpenAIRoute)

_After = Annotated[str | None, Query(max_length=100)]
_Limit = Annotated[int, Query(ge=1, le=1000)]


@router.post("", response_model=FineTuningJob)
def create_fine_tuning_job(
    payload: NewFineTuningJob, caller: Maintainer, session: DatabaseSession
) -> FineTuningJob:
    """Train on a file. While `validating_files` it is audited: rejected rows, contradictions, duplicates and leaks
    into the validation file come as events. `metadata={"casemend": "repair"}` repairs it before the training."""
    now = datetime.now(UTC)
    job = jobs.create(
        session,
        caller.project_id,
        model=payload.model,
        training_file=payload.training_file,
        validation_file=payload.validation_file,
        suffix=payload.suffix,
        seed=payload.seed,
        labels=payload.metadata,
        method=payload.method_name,
        hyperparameters=payload.wanted,
        now=now,
    )
    return FineTuningJob.of(job, now)


@router.get("", response_model=Listed[FineTuningJob])
def list_fine_tuning_jobs(
    request: Request,
    caller: Reader,
    session: DatabaseSession,
    after: _After = None,
    limit: _Limit = 20,
    metadata: Annotated[
        str | None,
        Query(description="As `metadata[key]=value`: only jobs with this pair. `null`: without any."),
    ] = None,
) -> Listed[FineTuningJob]:
    page = jobs.list_page(
        session, caller.project_id, PageRequest(limit=limit, after=after), _labels(request, metadata)
    )
    now = datetime.now(UTC)
    shown = [FineTuningJob.of(job, now) for job in page.data]
    return Listed[FineTuningJob].of(shown, has_more=page.has_more)


def _labels(request: Request, metadata: str | None) -> dict[str, str] | None:
    """None: only jobs without any."""
    if metadata == "null":
        return None
    if metadata is not None:
        detail = "metadata: send metadata[key]=value, or metadata=null for jobs without any"
        raise InvalidInput(detail, errors=[{"pointer": "/metadata", "message": detail}])
    pairs = request.query_params.multi_items()
    return {
        name.removeprefix("metadata[").removesuffix("]"): value
        for name, value in pairs
        if name.startswith("metadata[") and name.endswith("]")
    }


@router.get("/{fine_tuning_job_id}", response_model=FineTuningJob)
def read_fine_tuning_job(fine_tuning_job_id: Id, caller: Reader, session: DatabaseSession) -> FineTuningJob:
    return FineTuningJob.of(jobs.get(session, caller.project_id, fine_tuning_job_id), datetime.now(UTC))


@router.post("/{fine_tuning_job_id}/cancel", response_model=FineTuningJob)
def cancel_fine_tuning_job(
    fine_tuning_job_id: Id, caller: Maintainer, session: DatabaseSession
) -> FineTuningJob:
    return FineTuningJob.of(jobs.cancel(session, caller.project_id, fine_tuning_job_id), datetime.now(UTC))


@router.post("/{fine_tuning_job_id}/pause", response_model=FineTuningJob)
def pause_fine_tuning_job(
    fine_tuning_job_id: Id, caller: Maintainer, session: DatabaseSession
) -> FineTuningJob:
    return FineTuningJob.of(jobs.pause(session, caller.project_id, fine_tuning_job_id), datetime.now(UTC))


@router.post("/{fine_tuning_job_id}/resume", response_model=FineTuningJob)
def resume_fine_tuning_job(
    fine_tuning_job_id: Id, caller: Maintainer, session: DatabaseSession
) -> FineTuningJob:
    return FineTuningJob.of(jobs.resume(session, caller.project_id, fine_tuning_job_id), datetime.now(UTC))


@router.get("/{fine_tuning_job_id}/events", response_model=Listed[FineTuningEvent])
def list_fine_tuning_events(
    fine_tuning_job_id: Id, caller: Reader, session: DatabaseSession, after: _After = None, limit: _Limit = 20
) -> Listed[FineTuningEvent]:
    """What happened, the newest first."""
    page = job_events.page(session, caller.project_id, fine_tuning_job_id, limit=limit, after=after)
    shown = [FineTuningEvent.of(event) for event in page.data]
    return Listed[FineTuningEvent].of(shown, has_more=page.has_more)


@router.get("/{fine_tuning_job_id}/checkpoints", response_model=Listed[FineTuningCheckpoint])
def list_fine_tuning_checkpoints(
    fine_tuning_job_id: Id, caller: Reader, session: DatabaseSession, after: _After = None, limit: _Limit = 10
) -> Listed[FineTuningCheckpoint]:
    """States of the training that can be asked as models, the newest first."""
    found: list[Any] = jobs.checkpoints(session, caller.project_id, fine_tuning_job_id)
    ids = [checkpoint.id for checkpoint in found]
    if after is not None and after not in ids:
        detail = f"after: {after!r} is no checkpoint of this job"
        raise InvalidInput(detail, errors=[{"pointer": "/after", "message": detail}])
    rest = found[ids.index(after) + 1 :] if after is not None else found
    shown = [FineTuningCheckpoint.of(checkpoint, fine_tuning_job_id) for checkpoint in rest[:limit]]
    return Listed[FineTuningCheckpoint].of(shown, has_more=len(rest) > limit)
