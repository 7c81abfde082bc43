"""What people said against the machine's verdicts: every word of it kept, the last one taught from.

Knows which of these verdicts still hold for a dataset version. Does not know how a diagnosis learns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ARRAY, Text, bindparam, func, select
from sqlalchemy.orm import Session

from app.db.models import (
    DatasetVersionRow,
    DiagnosisRow,
    ExampleRow,
    FindingOverrideRow,
    FindingRow,
    VersionExampleRow,
)
from app.db.repositories import versions as version_rows
from app.db.repositories.bad_cases import record_from_snapshot
from app.db.repositories.pages import Page, PageRequest, by_creation
from app.domain.evidence import Evidence
from app.domain.records import BadCase, RootCause
from app.services.versions import lineage

MOST_TAUGHT = 500
"""Verdicts that teach one diagnosis at most, the newest first: beyond this they outweigh nothing any more."""


def history(session: Session, finding_id: str, page: PageRequest) -> Page[FindingOverrideRow]:
    """Every verdict that a person gave on a finding; the newest first unless the page says otherwise."""
    statement = select(FindingOverrideRow).where(FindingOverrideRow.finding_id == finding_id)
    return by_creation(session, statement, FindingOverrideRow, page)


def for_teaching(
    session: Session, project_id: str, dataset_version_id: str, *, limit: int = MOST_TAUGHT
) -> list[tuple[BadCase, RootCause]]:
    """The cases, as they were judged, on which a person's last verdict still holds for this version.

    Newest first; one for each case; only from diagnoses of the same dataset. A verdict is about the rows that
    it was given on, and repair changes rows: one counts as long as every row that its finding showed still
    stands, and one of ``ood`` only as long as nothing was added to the rows since. A last verdict of
    ``undetermined`` takes back what was said before.
    """
    version = session.get_one(DatasetVersionRow, dataset_version_id)
    last = _last_verdicts(session, project_id, version.dataset_id, limit)
    standing = _standing(session, version, [finding for finding, _ in last])
    grown = _grown_since(session, version, {version_id for _, version_id in last})
    return [
        (
            record_from_snapshot(finding.bad_case_id, finding.external_id, finding.case_snapshot),
            RootCause(finding.override_category or finding.category),
        )
        for finding, version_id in last
        if finding.override_category != RootCause.UNDETERMINED
        and finding.id in standing
        and not (finding.override_category == RootCause.OOD and version_id in grown)
    ]


def _last_verdicts(
    session: Session, project_id: str, dataset_id: str, limit: int
) -> Sequence[tuple[FindingRow, str]]:
    """The finding with a person's last word on each case of the dataset, and the version it was about."""
    of_case = func.row_number().over(
        partition_by=FindingRow.bad_case_id,
        order_by=(FindingRow.overridden_at.desc(), FindingRow.id.desc()),
    )
    ranked = (
        select(FindingRow.id, DiagnosisRow.dataset_version_id, of_case.label("rank"))
        .join(DiagnosisRow, DiagnosisRow.id == FindingRow.diagnosis_id)
        .join(DatasetVersionRow, DatasetVersionRow.id == DiagnosisRow.dataset_version_id)
        .where(
            FindingRow.project_id == project_id,
            FindingRow.override_category.is_not(None),
            DatasetVersionRow.dataset_id == dataset_id,
        )
        .subquery()
    )
    rows = session.execute(
        select(FindingRow, ranked.c.dataset_version_id)
        .join(ranked, ranked.c.id == FindingRow.id)
        .where(ranked.c.rank == 1)
        .order_by(FindingRow.overridden_at.desc(), FindingRow.id)
        .limit(limit)
    )
    return [(finding, version_id) for finding, version_id in rows]


def _standing(session: Session, version: DatasetVersionRow, findings: Sequence[FindingRow]) -> set[str]:
    """Ids of the findings all of whose shown rows are in ``version``, compared by content."""
    shown = {f.id: {n.example_id for n in Evidence.model_validate(f.evidence).neighbors} for f in findings}
    wanted = bindparam(None, sorted(set().union(*shown.values())), type_=ARRAY(Text))
    hashes = session.execute(
        select(ExampleRow.id, ExampleRow.content_hash).where(ExampleRow.id == func.any(wanted))
    )
    hash_of = {row.id: row.content_hash for row in hashes}
    asked = bindparam(None, sorted(set(hash_of.values())), type_=ARRAY(Text))
    present = set(
        session.scalars(
            select(ExampleRow.content_hash)
            .join(VersionExampleRow, VersionExampleRow.example_id == ExampleRow.id)
            .where(VersionExampleRow.version_id == version.id, ExampleRow.content_hash == func.any(asked))
        )
    )
    return {id_ for id_, rows in shown.items() if all(hash_of.get(row) in present for row in rows)}


def _grown_since(session: Session, version: DatasetVersionRow, since: set[str]) -> set[str]:
    """Those of the versions ``since`` that lack rows which ``version`` teaches, as far as one can tell."""
    line = {step.id for step in version_rows.chain(session, version)}
    grown: set[str] = set()
    for other in session.scalars(select(DatasetVersionRow).where(DatasetVersionRow.id.in_(since))):
        if other.content_hash == version.content_hash:
            continue
        if other.id not in line or lineage.taught_since(session, version.id, ancestor_id=other.id):
            grown.add(other.id)
    return grown


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An overridden finding that a language model had judged: what the model and the person said."""

    judge: RootCause
    person: RootCause


def judged(session: Session, project_id: str) -> list[Judged]:
    """Every finding of the project that holds both a judgement and a person's verdict."""
    verdict = FindingRow.evidence["judge"]["verdict"].astext
    rows = session.execute(
        select(verdict, FindingRow.override_category).where(
            FindingRow.project_id == project_id,
            FindingRow.override_category.is_not(None),
            verdict.is_not(None),
        )
    )
    return [
        Judged(judge=RootCause(said), person=RootCause(category))
        for said, category in rows
        if said and category
    ]
