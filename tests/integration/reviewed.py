"""A diagnosis with a finding of a case, and a plan that asks a person, as rows."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from app.db.models import BadCaseRow, FindingRow
from app.domain.repair.draft.actions import ActionKind
from app.domain.repair.policy.decision import Decision
from app.queue import Stage
from app.services.diagnoses import diagnoses
from tests.integration.builders import action, add_diagnosis, add_repair, add_version, example, succeed


def add_finding(session: Session, project_id: str, case: BadCaseRow) -> str:
    """The id of a finished diagnosis of that case."""
    diagnosis = add_diagnosis(session, project_id)
    session.add(
        FindingRow(
            project_id=project_id,
            diagnosis_id=diagnosis.id,
            ordinal=0,
            bad_case_id=case.id,
            external_id=case.external_id,
            case_snapshot=diagnoses.snapshot(case),
            category="conflict",
            probabilities={},
            confidence=0.9,
            symptoms=[],
            evidence={},
            recommended_actions=[],
        )
    )
    succeed(session, Stage.DIAGNOSE, diagnosis.id)
    return diagnosis.id


def add_question(session: Session, project_id: str) -> str:
    """The id of a finished plan that asks whether an answer is wrong, and proposes another."""
    row = example("When do you open?", "At nine.")
    asked = action(ActionKind.RELABEL, [row], outputs=["At ten."], decision=Decision.PROPOSED)
    asked = replace(asked, evidence={"asks_person": True})
    return add_repair(session, project_id, [asked], version=add_version(session, project_id)).id
