"""Training jobs and the adapters that they make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.db.models import AdapterRow, TrainingJobRow
from app.domain.mixing.curriculum import Curriculum
from app.domain.training_config import TrainingConfig, defaults_from, fit_to_rows
from app.errors import InvalidInput, NotFound
from app.queue import Stage
from app.services.training import adapters, mixtures
from app.services.versions import versions
from app.services.work import work


def create(
    session: Session,
    project_id: str,
    *,
    base_model: str,
    dataset_version_id: str | None = None,
    mixture_id: str | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    init_adapter_id: str | None = None,
    training_defaults: Mapping[str, Any] | None = None,
    cycle_id: str | None = None,
    validation_version_id: str | None = None,
) -> TrainingJobRow:
    """Queue one LoRA run on a mixture, or on a whole dataset version. The loss on the rows of
    ``validation_version_id`` is measured while it runs; they are not learnt."""
    if (dataset_version_id is None) == (mixture_id is None):
        raise InvalidInput("send either dataset_version_id or mixture_id")
    if mixture_id is not None:
        mixture = mixtures.get(session, project_id, mixture_id)
        if mixture.status != "succeeded":
            raise InvalidInput(f"mixture {mixture_id} is {mixture.status}; wait until it has succeeded")
        dataset_version_id, rows = mixture.dataset_version_id, mixture.rows or 0
    else:
        rows = versions.require(session, project_id, str(dataset_version_id)).rows
    if (
        validation_version_id is not None
        and not versions.require(session, project_id, validation_version_id).rows
    ):
        raise InvalidInput(f"version {validation_version_id} holds no row to validate on")
    shape: dict[str, Any] = {}
    if init_adapter_id is not None:
        adapter = adapters.get_adapter(session, project_id, init_adapter_id)
        if adapter.base_model != base_model:
            raise InvalidInput(
                f"adapter {init_adapter_id} belongs to {adapter.base_model!r}, not to {base_model!r}"
            )
        shape = _shape_of(adapter, hyperparameters or {})
    defaults = fit_to_rows(training_defaults or {}, rows) | shape
    if mixture_id is not None:
        order = mixtures.get(session, project_id, mixture_id).recipe.get("order", Curriculum.SHUFFLED)
        defaults["shuffle"] = order == Curriculum.SHUFFLED
    config = check_hyperparameters(base_model, defaults, hyperparameters or {})
    row = TrainingJobRow(
        project_id=project_id,
        dataset_version_id=dataset_version_id,
        mixture_id=mixture_id,
        cycle_id=cycle_id,
        validation_version_id=validation_version_id,
        base_model=base_model,
        init_adapter_id=init_adapter_id,
        hyperparameters=config.as_dict(),
    )
    work.enqueue(session, Stage.TRAIN, row)
    return row


def _shape_of(adapter: AdapterRow, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Rank, alpha and modules of an adapter that is trained on: they stay what they are. InvalidInput where
    others are asked for."""
    known = adapter.card.get("hyperparameters") or {}
    shape = {name: known[name] for name in ("rank", "alpha", "target_modules") if name in known}
    for name, value in shape.items():
        wanted = asked.get(name, value)
        if (list(wanted) if isinstance(wanted, tuple) else wanted) != value:
            detail = (
                f"{name}: adapter {adapter.id} has {value} and keeps it; leave {name} out, or start afresh"
            )
            raise InvalidInput(detail, errors=[{"pointer": f"/hyperparameters/{name}", "message": detail}])
    return shape


def check_hyperparameters(
    base_model: str, training_defaults: Mapping[str, Any], overrides: Mapping[str, Any]
) -> TrainingConfig:
    try:
        return defaults_from(training_defaults, {**overrides, "base_model": base_model})
    except (ValueError, TypeError) as error:
        raise InvalidInput(
            str(error), errors=[{"pointer": "/hyperparameters", "message": str(error)}]
        ) from error


def get(session: Session, project_id: str, job_id: str) -> TrainingJobRow:
    row = session.get(TrainingJobRow, job_id)
    if row is None or row.project_id != project_id:
        raise NotFound(f"no training job {job_id} in this project")
    return row
