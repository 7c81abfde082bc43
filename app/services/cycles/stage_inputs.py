"""What each stage of a cycle starts from: the rows that the stages before it made, and the policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.db.models import CycleRow
from app.domain.augmentation.plan import AugmentationOptions
from app.domain.mixing.mixture import MixtureRecipe, MixtureStrategy
from app.domain.pipeline import CyclePolicy, CycleStage
from app.domain.verification.options import VerificationOptions
from app.errors import InvalidInput
from app.services.diagnoses import diagnoses
from app.services.repairs import plans
from app.services.training import augmentations, mixtures, training, verifications
from app.services.work import work


def policy_of(values: Mapping[str, Any]) -> CyclePolicy:
    try:
        return CyclePolicy.from_dict(values)
    except (ValueError, TypeError) as error:
        raise InvalidInput(str(error), errors=[{"pointer": "/policy", "message": str(error)}]) from error


def start(session: Session, cycle: CycleRow, stage: CycleStage) -> work.WorkRow:
    """Create the stage's row and its job from what the earlier stages made."""
    policy = policy_of(cycle.policy)
    project_id, cycle_id = cycle.project_id, cycle.id
    match stage:
        case CycleStage.DIAGNOSE:
            return diagnoses.create(
                session,
                project_id,
                dataset_version_id=cycle.dataset_version_id,
                case_ids=cycle.case_ids,
                options={
                    "base_model": cycle.base_model,
                    "hold_back": policy.hold_back,
                    "seed": policy.seed,
                },
                cycle_id=cycle_id,
            )
        case CycleStage.REPAIR:
            return plans.create(
                session,
                project_id,
                diagnosis_id=result_id(cycle, CycleStage.DIAGNOSE),
                policy=policy.repair.given(),
                evaluation_dataset_version_id=policy.retention_dataset_version_id,
                cycle_id=cycle_id,
            )
        case CycleStage.AUGMENT:
            repair = plans.get(session, project_id, result_id(cycle, CycleStage.REPAIR))
            return augmentations.create(
                session,
                project_id,
                diagnosis_id=result_id(cycle, CycleStage.DIAGNOSE),
                dataset_version_id=repair.result_version_id,
                options=AugmentationOptions(
                    **{
                        **policy.augmentation.given(),
                        "pool_dataset_version_id": policy.pool_dataset_version_id,
                        "excluded_dataset_version_id": policy.retention_dataset_version_id,
                        "seed": policy.seed,
                    }
                ),
                cycle_id=cycle_id,
            )
        case CycleStage.MIX:
            grown = augmentations.get(session, project_id, result_id(cycle, CycleStage.AUGMENT))
            return mixtures.create(
                session,
                project_id,
                dataset_version_id=str(grown.result_version_id),
                diagnosis_id=result_id(cycle, CycleStage.DIAGNOSE),
                recipe=_recipe(policy, cycle.attempt),
                cycle_id=cycle_id,
            )
        case CycleStage.TRAIN:
            diagnosis = diagnoses.get(session, project_id, result_id(cycle, CycleStage.DIAGNOSE))
            return training.create(
                session,
                project_id,
                base_model=cycle.base_model,
                mixture_id=result_id(cycle, CycleStage.MIX),
                hyperparameters=_hyperparameters(session, cycle, policy),
                training_defaults=diagnosis.training_defaults or {},
                cycle_id=cycle_id,
            )
        case CycleStage.VERIFY:
            job = training.get(session, project_id, result_id(cycle, CycleStage.TRAIN))
            return verifications.create(
                session,
                project_id,
                diagnosis_id=result_id(cycle, CycleStage.DIAGNOSE),
                adapter_id=str(job.adapter_id),
                before_adapter_id=cycle.before_adapter_id,
                retention_version_id=policy.retention_dataset_version_id,
                options=VerificationOptions(**{**policy.verification.given(), "seed": policy.seed}),
                cycle_id=cycle_id,
            )
        case CycleStage.QUESTIONS:
            raise ValueError("questions are answered by people: no work is started for them")


def _recipe(policy: CyclePolicy, attempt: int) -> MixtureRecipe:
    """A further attempt shows the targeted rows more often; what the user set stays."""
    recipe: dict[str, Any] = {"seed": policy.seed + attempt - 1, **policy.mixture.given()}
    shared = recipe.get("strategy", MixtureStrategy.FULL) == MixtureStrategy.FULL
    if attempt > 1 and shared and "targeted_share" not in recipe:
        recipe["targeted_share"] = min(0.3, 0.1 * attempt)
    return MixtureRecipe(**recipe)


def _hyperparameters(session: Session, cycle: CycleRow, policy: CyclePolicy) -> dict[str, Any]:
    """A further attempt trains one epoch longer than the one before; what the user set stays."""
    values: dict[str, Any] = {"seed": policy.seed + cycle.attempt - 1, **policy.training.given()}
    if cycle.attempt > 1 and "epochs" not in values:
        before = training.get(session, cycle.project_id, result_id(cycle, CycleStage.TRAIN))
        values["epochs"] = float(before.hyperparameters["epochs"]) + 1
    return values


def result_id(cycle: CycleRow, stage: CycleStage) -> str:
    """The row that the latest run of ``stage`` made."""
    return next(entry["result_id"] for entry in reversed(cycle.stages) if entry["name"] == stage.value)
