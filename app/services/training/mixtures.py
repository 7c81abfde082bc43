"""Mixtures: the recipe that makes a dataset version trainable."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.db.models import MixtureRow
from app.domain.mixing.mixture import MixtureRecipe
from app.errors import NotFound
from app.queue import Stage
from app.services.diagnoses import diagnoses
from app.services.versions import versions
from app.services.work import work


def create(
    session: Session,
    project_id: str,
    *,
    dataset_version_id: str,
    diagnosis_id: str | None = None,
    recipe: MixtureRecipe | None = None,
    cycle_id: str | None = None,
) -> MixtureRow:
    """Queue a mixture. With a diagnosis, its held-back cases are kept out and its targets brought up."""
    versions.require(session, project_id, dataset_version_id)
    if diagnosis_id is not None:
        diagnoses.get_succeeded(session, project_id, diagnosis_id)
    row = MixtureRow(
        project_id=project_id,
        dataset_version_id=dataset_version_id,
        diagnosis_id=diagnosis_id,
        cycle_id=cycle_id,
        recipe=(recipe or MixtureRecipe()).given(),
    )
    work.enqueue(session, Stage.MIX, row)
    return row


def get(session: Session, project_id: str, mixture_id: str) -> MixtureRow:
    row = session.get(MixtureRow, mixture_id)
    if row is None or row.project_id != project_id:
        raise NotFound(f"no mixture {mixture_id} in this project")
    return row
