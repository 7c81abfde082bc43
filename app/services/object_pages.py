"""What the page of one object shows: the object, what it was made from, and what was made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.db.models import (
    AdapterAliasRow,
    AdapterRow,
    BadCaseRow,
    CycleRow,
    DatasetRow,
    DatasetVersionRow,
    DiagnosisRow,
    EventRow,
    FindingRow,
    ImportRow,
    RepairRow,
)
from app.db.repositories.pages import Page, PageRequest
from app.domain.records import RootCause
from app.domain.reports.report import ReportFinding
from app.errors import NotFound
from app.services import bad_cases, events, listings, overview
from app.services.cycles import cycles
from app.services.diagnoses import diagnoses
from app.services.overview import Plan
from app.services.reports import reports
from app.services.training import adapters, aliases
from app.services.training.adapters import AdapterHistory
from app.services.versions import datasets, versions
from app.services.versions.versions import PlacedExample

SHOWN: Final = 20
EVENTS_SHOWN: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRead:
    row: DatasetRow
    versions: Page[DatasetVersionRow]
    imports: Sequence[ImportRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRead:
    row: DatasetVersionRow
    dataset: DatasetRow
    examples: Page[PlacedExample]
    diagnoses: Sequence[DiagnosisRow]
    plans: Sequence[Plan]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRead:
    """``findings`` on it, of every diagnosis, the newest first."""

    row: BadCaseRow
    findings: Sequence[FindingRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosisRead:
    row: DiagnosisRow
    findings: Page[FindingRow]
    plans: Sequence[Plan]
    events: Sequence[EventRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRead:
    """``plans`` of its diagnosis."""

    row: FindingRow
    finding: ReportFinding
    plans: Sequence[Plan]


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleRead:
    row: CycleRow
    plans: Sequence[Plan]
    events: Sequence[EventRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterRead:
    """``aliases`` that stand for it now; ``current``: what that alias has stood for, the newest first."""

    row: AdapterRow
    history: AdapterHistory
    aliases: Sequence[str]
    current: Sequence[AdapterAliasRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkRead:
    """Any long work. ``row`` is one of ``noun``."""

    noun: str
    row: Any
    events: Sequence[EventRow]


def dataset(session: Session, project_id: str, dataset_id: str, request: PageRequest) -> DatasetRead:
    row = datasets.get(session, project_id, dataset_id)
    return DatasetRead(
        row=row,
        versions=versions.list_page(session, project_id, request, dataset_id=dataset_id),
        imports=_newest(session, ImportRow, ImportRow.dataset_id == dataset_id),
    )


def version(session: Session, project_id: str, version_id: str, request: PageRequest) -> VersionRead:
    row = versions.require(session, project_id, version_id)
    return VersionRead(
        row=row,
        dataset=session.get_one(DatasetRow, row.dataset_id),
        examples=versions.examples_page(session, project_id, version_id, request),
        diagnoses=_newest(session, DiagnosisRow, DiagnosisRow.dataset_version_id == version_id),
        plans=_plans(session, RepairRow.dataset_version_id == version_id),
    )


def bad_case(session: Session, project_id: str, bad_case_id: str) -> CaseRead:
    row = bad_cases.get(session, project_id, bad_case_id)
    return CaseRead(row=row, findings=_newest(session, FindingRow, FindingRow.bad_case_id == bad_case_id))


def diagnosis(
    session: Session,
    project_id: str,
    diagnosis_id: str,
    request: PageRequest,
    category: RootCause | None,
) -> DiagnosisRead:
    return DiagnosisRead(
        row=diagnoses.get(session, project_id, diagnosis_id),
        findings=listings.findings(session, diagnosis_id, request, symptom=None, category=category),
        plans=_plans(session, RepairRow.diagnosis_id == diagnosis_id),
        events=events.latest(session, diagnosis_id, limit=EVENTS_SHOWN),
    )


def finding(session: Session, project_id: str, finding_id: str) -> FindingRead:
    row = diagnoses.get_finding(session, project_id, finding_id)
    plans = _plans(session, RepairRow.diagnosis_id == row.diagnosis_id)
    return FindingRead(row=row, finding=reports.finding_of(row), plans=plans)


def cycle(session: Session, project_id: str, cycle_id: str) -> CycleRead:
    return CycleRead(
        row=cycles.get(session, project_id, cycle_id),
        plans=_plans(session, RepairRow.cycle_id == cycle_id),
        events=events.latest(session, cycle_id, limit=EVENTS_SHOWN),
    )


def adapter(session: Session, project_id: str, adapter_id: str) -> AdapterRead:
    row = adapters.get_adapter(session, project_id, adapter_id)
    return AdapterRead(
        row=row,
        history=adapters.history(session, row),
        aliases=[a.name for a in aliases.standing(session, project_id) if a.adapter_id == row.id],
        current=aliases.history(session, project_id, aliases.CURRENT)[:SHOWN],
    )


def work(session: Session, project_id: str, noun: str, subject_id: str) -> WorkRead:
    row = session.get(overview.WORK[noun], subject_id)
    if row is None or row.project_id != project_id:  # pyright: ignore[reportAttributeAccessIssue]
        raise NotFound(f"no {subject_id} in this project")
    return WorkRead(noun=noun, row=row, events=events.latest(session, subject_id, limit=EVENTS_SHOWN))


def _plans(session: Session, of_parent: ColumnElement[bool]) -> list[Plan]:
    return overview.plans_of(session, _newest(session, RepairRow, of_parent))


def _newest(session: Session, row_class: Any, of_parent: ColumnElement[bool]) -> list[Any]:
    """The caller has made sure that the parent is of its project."""
    statement = select(row_class).where(of_parent).order_by(row_class.created_at.desc(), row_class.id.desc())
    return list(session.scalars(statement.limit(SHOWN)))
