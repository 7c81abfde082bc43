"""What is worth a person's look: the findings of a diagnosis, the open questions of a plan."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.models import (
    DiagnosisRow,
    FindingRow,
    IntegrationRecordRow,
    IntegrationRow,
    RepairActionRow,
    RepairRow,
)
from app.db.repositories.bad_cases import record_from_snapshot
from app.domain.integrations.label_studio_tasks import Pushed
from app.domain.job_status import Status
from app.domain.records import TrainingExample
from app.errors import Conflict, InvalidInput, NotFound
from app.services.integrations.integrations import tool_of
from app.services.repairs import open_questions

MAX_PUSHED: Final = 5_000


def check(
    session: Session, integration: IntegrationRow, diagnosis_id: str | None, repair_id: str | None
) -> None:
    """Raises where there is nothing to push, or nowhere to."""
    check_called(integration)
    if (diagnosis_id is None) == (repair_id is None):
        raise InvalidInput("say what is pushed: send either diagnosis_id or repair_id")
    row = session.get(DiagnosisRow, diagnosis_id) if diagnosis_id else session.get(RepairRow, repair_id)
    if row is None or row.project_id != integration.project_id:
        raise NotFound(f"no {diagnosis_id or repair_id} in this project")
    if row.status != Status.SUCCEEDED:
        raise Conflict(f"{row.id} is {row.status}; push it when it has succeeded")


def check_called(integration: IntegrationRow) -> None:
    """Raises Conflict where the tool cannot be called."""
    if not tool_of(integration.tool).is_called:
        raise Conflict(f"{integration.tool} cannot be called from here; send its files to /deliveries")
    missing = [name for name in ("url", "token", "source_project") if getattr(integration, name) is None]
    if missing:
        raise Conflict(f"integration {integration.id} has no {' and no '.join(missing)}; set it with PATCH")


def of_diagnosis(session: Session, integration: IntegrationRow, diagnosis_id: str) -> list[Pushed]:
    """Its findings, in their order; those whose case came from a task of the tool name that task."""
    tasks = {
        row.external_id: int(row.group_key.removeprefix("task:"))
        for row in session.scalars(
            select(IntegrationRecordRow).where(
                IntegrationRecordRow.integration_id == integration.id, IntegrationRecordRow.live
            )
        )
        if row.group_key and row.group_key.removeprefix("task:").isdigit()
    }
    findings = session.scalars(
        select(FindingRow)
        .where(FindingRow.diagnosis_id == diagnosis_id)
        .order_by(FindingRow.ordinal)
        .limit(MAX_PUSHED)
    )
    items: list[Pushed] = []
    for finding in findings:
        case = record_from_snapshot(finding.bad_case_id, finding.external_id, finding.case_snapshot)
        category = finding.override_category or finding.category
        actions = [f"{a.get('action')}: {a.get('reason')}" for a in finding.recommended_actions[:3]]
        items.append(
            Pushed(
                about={
                    "finding_id": finding.id,
                    "bad_case_id": finding.bad_case_id,
                    "category": category,
                    "symptoms": finding.symptoms,
                    "advice": actions,
                },
                prompt=case.prompt,
                messages=[m.as_dict() for m in case.messages],
                model_output=case.model_output,
                expected_output=case.expected_output,
                # A case without an id of its own is named by ours, and finds its way back by it.
                external_id=finding.external_id or finding.bad_case_id,
                score=finding.confidence,
                words=[category, *finding.symptoms],
                task_id=tasks.get(finding.external_id),
            )
        )
    return items


def of_repair(session: Session, repair_id: str) -> list[Pushed]:
    """Its open questions, in their order: the row in question, its answer, and the answer that is proposed."""
    row = RepairActionRow
    actions = session.scalars(
        select(row)
        .where(row.repair_id == repair_id, row.decision == "proposed", open_questions.asks_person())
        .order_by(row.ordinal)
        .limit(MAX_PUSHED)
    )
    items: list[Pushed] = []
    for action in actions:
        if not action.before:
            continue
        before = TrainingExample.from_content(action.before[0])
        after = TrainingExample.from_content(action.after[0]) if action.after else None
        items.append(
            Pushed(
                about={
                    "action_id": action.id,
                    "repair_id": repair_id,
                    "kind": action.kind,
                    "reason": action.reason,
                    "example_ids": action.example_ids[:20],
                },
                prompt=before.prompt,
                messages=[m.as_dict() for m in before.prompt_messages],
                model_output=before.output,
                expected_output=after.output if after is not None else None,
                external_id=action.id,
                score=action.score,
                words=[action.kind],
            )
        )
    return items
