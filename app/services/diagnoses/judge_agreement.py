"""How far the judging language model can be trusted: its word against people's verdicts."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.domain.diagnosis.evidence.llm_judge import JudgeAgreement, agreement
from app.services.diagnoses import overrides


def of_project(session: Session, project_id: str) -> JudgeAgreement:
    """Over every finding of the project that holds both a judgement and a person's verdict."""
    return agreement((pair.judge, pair.person) for pair in overrides.judged(session, project_id))
