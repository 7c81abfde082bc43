"""Repair plans: proposed by a worker, read, and applied once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from app.db.base import new_id
from app.db.models import DatasetVersionRow, RepairActionRow, RepairRow, RepairRunRow, RowQualityRow
from app.db.repositories.pages import Page, PageRequest, by_ordinal
from app.domain.job_status import Status
from app.domain.repair.draft.row_bands import Veto
from app.domain.repair.plan import ProposedAction, RepairPlan, RepairPolicy
from app.domain.repair.row_quality.scores import Use
from app.errors import Conflict, InvalidInput, NotFound, PreconditionFailed
from app.queue import Stage
from app.services.diagnoses import diagnoses
from app.services.versions import versions
from app.services.work import work

QUALITY_ROWS_AT_ONCE = 10_000


class RunKind(StrEnum):
    """What a worker is asked to do with a repair."""

    APPLY = "apply"
    REVERT = "revert"


def create(
    session: Session,
    project_id: str,
    *,
    diagnosis_id: str | None = None,
    dataset_version_id: str | None = None,
    policy: Mapping[str, Any] | None = None,
    evaluation_dataset_version_id: str | None = None,
    cycle_id: str | None = None,
) -> RepairRow:
    """Queue the planning of a repair. Raises NotFound, and InvalidInput for a policy that is none.

    Of a diagnosis, or of a version alone, which is audited without cases. Rows that repeat a row of
    ``evaluation_dataset_version_id`` are planned to be dropped.
    """
    if diagnosis_id is not None:
        dataset_version_id = diagnoses.get_succeeded(session, project_id, diagnosis_id).dataset_version_id
    version = versions.require(session, project_id, str(dataset_version_id))
    check_policy(policy or {})
    if evaluation_dataset_version_id is not None:
        versions.require(session, project_id, evaluation_dataset_version_id)
    row = RepairRow(
        project_id=project_id,
        diagnosis_id=diagnosis_id,
        dataset_version_id=version.id,
        evaluation_dataset_version_id=evaluation_dataset_version_id,
        cycle_id=cycle_id,
        policy=dict(policy or {}),
    )
    work.enqueue(session, Stage.REPAIR, row)
    return row


def check_policy(policy: Mapping[str, Any]) -> RepairPolicy:
    try:
        return RepairPolicy.from_dict(policy)
    except (ValueError, TypeError) as error:
        raise InvalidInput(str(error), errors=[{"pointer": "/policy", "message": str(error)}]) from error


def get(session: Session, project_id: str, repair_id: str) -> RepairRow:
    row = session.get(RepairRow, repair_id)
    if row is None or row.project_id != project_id:
        raise NotFound(f"no repair {repair_id} in this project")
    return row


def get_action(session: Session, project_id: str, action_id: str) -> RepairActionRow:
    row = session.get(RepairActionRow, action_id)
    if row is None or row.project_id != project_id:
        raise NotFound(f"no repair action {action_id} in this project")
    return row


def save_plan(session: Session, row: RepairRow, plan: RepairPlan) -> None:
    """Write the plan's actions in their order."""
    add_actions(session, row, plan.actions, start=0)
    for start in range(0, len(plan.row_quality), QUALITY_ROWS_AT_ONCE):
        part = plan.row_quality[start : start + QUALITY_ROWS_AT_ONCE]
        session.execute(
            insert(RowQualityRow),
            [
                {
                    "repair_id": row.id,
                    "ordinal": ordinal,
                    "id": quality.example_id,
                    "score": quality.score,
                    "band": quality.band.value,
                    "components": dict(quality.components),
                    "vetoes": [veto.value for veto in quality.vetoes],
                }
                for ordinal, quality in enumerate(part, start)
            ],
        )
    row.summary = dict(plan.summary)
    session.flush()


def add_actions(
    session: Session, repair: RepairRow, actions: Sequence[ProposedAction], *, start: int
) -> list[RepairActionRow]:
    """Write actions into a plan from the place ``start`` on."""
    now = work.now()
    rows = [
        RepairActionRow(
            id=new_id("ra"),
            project_id=repair.project_id,
            repair_id=repair.id,
            created_at=now,
            ordinal=ordinal,
            kind=action.kind.value,
            example_ids=list(action.example_ids),
            before=list(action.before),
            after=list(action.after),
            reason=action.reason,
            score=action.score,
            evidence=dict(action.evidence),
            decision=action.decision.value,
        )
        for ordinal, action in enumerate(actions, start)
    ]
    session.add_all(rows)
    session.flush()
    return rows


def row_quality(
    session: Session, repair_id: str, page: PageRequest, *, band: Use | None, veto: Veto | None
) -> Page[RowQualityRow]:
    """Rows of the plan's version with their scores, in the version's order."""
    statement = select(RowQualityRow).where(RowQualityRow.repair_id == repair_id)
    if band is not None:
        statement = statement.where(RowQualityRow.band == band.value)
    if veto is not None:
        statement = statement.where(RowQualityRow.vetoes.contains([veto.value]))  # pyright: ignore[reportArgumentType]
    return by_ordinal(session, statement, RowQualityRow, page)


def result_of(session: Session, repair: RepairRow) -> DatasetVersionRow | None:
    """The version that the repair made; None before it is applied, StageError once its dataset is deleted."""
    if repair.result_version_id is not None:
        return versions.require_alive(session, repair.result_version_id)
    if repair.applied_at is not None:
        raise Conflict(f"the version that repair {repair.id} made was deleted; start another repair")
    return None


def count_actions(session: Session, repair_id: str) -> dict[str, dict[str, int]]:
    """{kind: {decision: count}} of a repair's actions."""
    counts: dict[str, dict[str, int]] = {}
    for kind, decision, count in session.execute(
        select(RepairActionRow.kind, RepairActionRow.decision, func.count())
        .where(RepairActionRow.repair_id == repair_id)
        .group_by(RepairActionRow.kind, RepairActionRow.decision)
    ):
        counts.setdefault(kind, {})[decision] = count
    return counts


def lock(session: Session, project_id: str, repair_id: str) -> RepairRow:
    """The repair, locked after its cycle (``work.locked_with_cycle``)."""
    cycle_id = session.scalar(select(RepairRow.cycle_id).where(RepairRow.id == repair_id))
    work.lock_cycle(session, cycle_id)
    row = session.scalar(
        select(RepairRow)
        .where(RepairRow.id == repair_id, RepairRow.project_id == project_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound(f"no repair {repair_id} in this project")
    return row


def require_open(
    session: Session, project_id: str, repair_id: str, if_revision: int | None = None
) -> RepairRow:
    """The repair, locked, while its plan may still be changed; Conflict or PreconditionFailed otherwise."""
    get(session, project_id, repair_id)
    # before the lock as well: the worker that applies it holds that until it is done
    refuse_while_running(session, repair_id)
    repair = lock(session, project_id, repair_id)
    require_planned(repair)
    if repair.applied_at is not None:
        raise Conflict(f"repair {repair_id} is applied already")
    refuse_while_running(session, repair_id)
    require_revision(repair, if_revision)
    return repair


def newest_run(session: Session, repair_id: str) -> RepairRunRow | None:
    """The last time that a worker was asked to apply or revert the repair."""
    return session.scalar(
        select(RepairRunRow)
        .where(RepairRunRow.repair_id == repair_id)
        .order_by(RepairRunRow.created_at.desc(), RepairRunRow.id.desc())
        .limit(1)
    )


def running(session: Session, repair: RepairRow) -> RepairRunRow | None:
    """The run that applies or reverts the repair now."""
    run = newest_run(session, repair.id)
    return run if run is not None and not Status(run.status).is_final else None


def refuse_while_running(session: Session, repair_id: str) -> None:
    """Raises Conflict while a worker applies or reverts the repair."""
    run = newest_run(session, repair_id)
    if run is not None and not Status(run.status).is_final:
        doing = "applied" if run.kind == RunKind.APPLY else "reverted"
        raise Conflict(f"repair {repair_id} is being {doing}; wait for it")


def require_planned(repair: RepairRow) -> None:
    """Raises Conflict where no plan is there to be decided."""
    if repair.status != "succeeded":
        raise Conflict(f"repair {repair.id} is {repair.status}; its plan is not there yet")


def require_revision(repair: RepairRow, if_revision: int | None) -> None:
    """Raises PreconditionFailed where the caller has read another state of the repair than it is in."""
    if if_revision is not None and if_revision != repair.revision:
        raise PreconditionFailed(f"repair {repair.id} is at revision {repair.revision}; read it again")


def require_action_revision(row: RepairActionRow, if_revision: int | None) -> None:
    """Raises PreconditionFailed where the caller has read another state of the action than it is in."""
    if if_revision is not None and if_revision != row.revision:
        raise PreconditionFailed(f"action {row.id} is at revision {row.revision}; read it again")
