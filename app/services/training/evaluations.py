"""Evaluations: a model answers every prompt of a dataset version, and each answer is scored."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.db.models import EvaluationRow
from app.domain.verification.options import EvaluationOptions
from app.errors import InvalidInput, NotFound
from app.queue import Stage
from app.services.training import adapters
from app.services.versions import versions
from app.services.work import work


def create(
    session: Session,
    project_id: str,
    *,
    dataset_version_id: str,
    base_model: str,
    adapter_id: str | None = None,
    options: EvaluationOptions | None = None,
) -> EvaluationRow:
    """Queue an evaluation of an adapter, or of the bare base model."""
    versions.require(session, project_id, dataset_version_id)
    if (
        adapter_id is not None
        and adapters.get_adapter(session, project_id, adapter_id).base_model != base_model
    ):
        raise InvalidInput(f"adapter {adapter_id} was not trained on {base_model!r}")
    row = EvaluationRow(
        project_id=project_id,
        dataset_version_id=dataset_version_id,
        base_model=base_model,
        adapter_id=adapter_id,
        options=(options or EvaluationOptions()).given(),
    )
    work.enqueue(session, Stage.EVALUATE, row)
    return row


def get(session: Session, project_id: str, evaluation_id: str) -> EvaluationRow:
    row = session.get(EvaluationRow, evaluation_id)
    if row is None or row.project_id != project_id:
        raise NotFound(f"no evaluation {evaluation_id} in this project")
    return row
