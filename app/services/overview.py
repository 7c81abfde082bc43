"""What a person wants to see first: what runs, what waits for them, and what was made last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.db.base import LongWork
from app.db.models import (
    AdapterRow,
    BadCaseRow,
    CycleRow,
    DatasetRow,
    DatasetVersionRow,
    DiagnosisRow,
    EventRow,
    FineTuningJobRow,
    RepairActionRow,
    RepairRow,
)
from app.db.repositories.pages import Page, PageRequest, by_creation, of_project
from app.domain.job_status import Status
from app.domain.repair.policy.decision import Decision
from app.services import events
from app.services.repairs.open_questions import asks_person
from app.services.training import aliases
from app.services.versions import datasets

RUNNING_SHOWN: Final = 20
WAITING_SHOWN: Final = 10
_PLANS_LOOKED_AT: Final = 20
_UNDER_WAY: Final = (Status.QUEUED.value, Status.RUNNING.value)

WORK: Final[Mapping[str, type[LongWork]]] = {**events.SUBJECTS, "fine-tuning-jobs": FineTuningJobRow}
"""Every noun of long work, as it stands in the address of its page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """``row`` is one of ``noun``; ``last_event`` is None where nothing has happened to it."""

    noun: str
    row: Any
    last_event: EventRow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A repair with the numbers of its actions: undecided, approved, and undecided ones that ask a person."""

    row: RepairRow
    proposed: int = 0
    approved: int = 0
    questions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    row: DatasetRow
    newest: DatasetVersionRow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    row: AdapterRow
    aliases: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """``running_total`` counts what runs or waits for a worker, also where it is more than is shown."""

    running: Sequence[Running]
    running_total: int
    waiting: Sequence[Plan]
    diagnoses: Page[DiagnosisRow]
    cycles: Page[CycleRow]
    adapters: Page[Adapter]
    datasets: Page[Dataset]
    bad_cases: Page[BadCaseRow]


def read(session: Session, project_id: str, latest: int = 5) -> Overview:
    request = PageRequest(limit=latest)
    running, running_total = _running(session, project_id)
    return Overview(
        running=running,
        running_total=running_total,
        waiting=waiting_plans(session, project_id),
        diagnoses=by_creation(session, of_project(DiagnosisRow, project_id), DiagnosisRow, request),
        cycles=by_creation(session, of_project(CycleRow, project_id), CycleRow, request),
        adapters=adapters_page(session, project_id, request),
        datasets=datasets_page(session, project_id, request),
        bad_cases=by_creation(session, of_project(BadCaseRow, project_id), BadCaseRow, request),
    )


def _running(session: Session, project_id: str) -> tuple[list[Running], int]:
    """The newest, and how many there are."""
    found: list[tuple[str, Any]] = []
    total = 0
    for noun, row_class in WORK.items():
        statement = of_project(row_class, project_id).where(row_class.status.in_(_UNDER_WAY))
        newest = statement.order_by(row_class.created_at.desc()).limit(RUNNING_SHOWN)
        rows = session.scalars(newest).all()
        found += [(noun, row) for row in rows]
        full = len(rows) == RUNNING_SHOWN
        total += (
            session.scalar(select(func.count()).select_from(statement.subquery())) or 0 if full else len(rows)
        )
    found.sort(key=lambda work: work[1].created_at, reverse=True)
    shown = found[:RUNNING_SHOWN]
    last = last_events(session, [row.id for _, row in shown])
    return [Running(noun=noun, row=row, last_event=last.get(row.id)) for noun, row in shown], total


def last_events(session: Session, subject_ids: Sequence[str]) -> dict[str, EventRow]:
    """The newest event of each subject that has one."""
    statement = (
        select(EventRow)
        .where(EventRow.subject_id.in_(subject_ids))
        .ext(distinct_on(EventRow.subject_id))
        .order_by(EventRow.subject_id, EventRow.id.desc())
    )
    return {event.subject_id: event for event in session.scalars(statement)}


def waiting_plans(session: Session, project_id: str) -> list[Plan]:
    """Plans that are made and not applied, and that no ended cycle has left behind; the newest first."""
    statement = (
        of_project(RepairRow, project_id)
        .outerjoin(CycleRow, CycleRow.id == RepairRow.cycle_id)
        .where(
            RepairRow.status == Status.SUCCEEDED.value,
            RepairRow.applied_at.is_(None),
            or_(CycleRow.id.is_(None), CycleRow.status.in_(_UNDER_WAY)),
        )
        .order_by(RepairRow.created_at.desc(), RepairRow.id.desc())
        .limit(_PLANS_LOOKED_AT)
    )
    plans = plans_of(session, session.scalars(statement))
    return [plan for plan in plans if plan.proposed or plan.approved][:WAITING_SHOWN]


def plans_page(session: Session, project_id: str, request: PageRequest) -> Page[Plan]:
    page = by_creation(session, of_project(RepairRow, project_id), RepairRow, request)
    return Page(data=plans_of(session, page.data), has_more=page.has_more, next_after=page.next_after)


def plans_of(session: Session, repairs: Iterable[RepairRow]) -> list[Plan]:
    """Repairs with the numbers of their actions, in the order given."""
    rows = list(repairs)
    action = RepairActionRow
    proposed = action.decision == Decision.PROPOSED.value
    counted = session.execute(
        select(
            action.repair_id,
            func.count().filter(proposed),
            func.count().filter(action.decision == Decision.APPROVED.value),
            func.count().filter(proposed, asks_person()),
        )
        .where(action.repair_id.in_([row.id for row in rows]))
        .group_by(action.repair_id)
    )
    counts = {repair_id: numbers for repair_id, *numbers in counted}
    return [
        Plan(row=row, proposed=p, approved=a, questions=q)
        for row in rows
        for p, a, q in [counts.get(row.id, (0, 0, 0))]
    ]


def datasets_page(session: Session, project_id: str, request: PageRequest) -> Page[Dataset]:
    page = datasets.list_page(session, project_id, request)
    version = DatasetVersionRow
    newest = session.scalars(
        select(version)
        .where(version.dataset_id.in_([row.id for row in page.data]))
        .ext(distinct_on(version.dataset_id))
        .order_by(version.dataset_id, version.created_at.desc(), version.id.desc())
    )
    by_dataset = {row.dataset_id: row for row in newest}
    data = [Dataset(row=row, newest=by_dataset.get(row.id)) for row in page.data]
    return Page(data=data, has_more=page.has_more, next_after=page.next_after)


def adapters_page(session: Session, project_id: str, request: PageRequest) -> Page[Adapter]:
    page = by_creation(session, of_project(AdapterRow, project_id), AdapterRow, request)
    standing = aliases.standing(session, project_id)
    data = [
        Adapter(row=row, aliases=[a.name for a in standing if a.adapter_id == row.id]) for row in page.data
    ]
    return Page(data=data, has_more=page.has_more, next_after=page.next_after)
