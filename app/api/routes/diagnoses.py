"""Diagnoses, their findings and clusters, and the report."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response

from app.api.dependencies import Contributor, DatabaseSession, Page, PageInOrder, Reader, Store
from app.api.problems import documented
from app.api.response_headers import if_match, located, versioned
from app.api.schemas.common import Id, ListOf
from app.api.schemas.diagnoses import (
    Cluster,
    Diagnosis,
    Finding,
    FindingOverride,
    JudgeAgreement,
    NewDiagnosis,
    PastOverride,
    ReportFormat,
)
from app.api.transaction_route import TransactionRoute
from app.db.base import WorkStatus
from app.db.models import ClusterRow, DiagnosisRow, FindingOverrideRow, FindingRow
from app.db.repositories.pages import Page as PageOf
from app.domain.records import RootCause, Symptom
from app.domain.reports.report import ReportModel
from app.reporting.report_csv import render_csv
from app.reporting.report_html import render_html
from app.reporting.report_markdown import render_markdown
from app.services import bad_cases, listings
from app.services.diagnoses import diagnoses, judge_agreement, overrides
from app.services.reports import reports
from app.services.work import lifecycle

router = APIRouter(prefix="/v1", tags=["diagnoses"], route_class=TransactionRoute)

_RENDER: dict[ReportFormat, Callable[[ReportModel], str]] = {
    ReportFormat.JSON: lambda report: json.dumps(report.as_dict(), ensure_ascii=False),
    ReportFormat.HTML: render_html,
    ReportFormat.MARKDOWN: render_markdown,
    ReportFormat.CSV: render_csv,
}
_MEDIA_TYPES = {
    ReportFormat.JSON: "application/json",
    ReportFormat.HTML: "text/html; charset=utf-8",
    ReportFormat.MARKDOWN: "text/markdown; charset=utf-8",
    ReportFormat.CSV: "text/csv; charset=utf-8",
}
_REPORT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The report in the format asked for.",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            **{kind: {"schema": {"type": "string"}} for kind in ("text/html", "text/markdown", "text/csv")},
        },
    }
}


@router.post("/diagnoses", status_code=202, response_model=Diagnosis)
def create_diagnosis(
    payload: NewDiagnosis, caller: Contributor, session: DatabaseSession, response: Response
) -> DiagnosisRow:
    """Why do these bad cases fail? A worker finds out; watch the diagnosis at ``Location``."""
    case_ids = bad_cases.resolve_selection(
        session, caller.project_id, payload.bad_case_ids, payload.filter and payload.filter.to_filter()
    )
    row = diagnoses.create(
        session,
        caller.project_id,
        dataset_version_id=payload.dataset_version_id,
        case_ids=case_ids,
        options=payload.options.model_dump(exclude_none=True),
    )
    return located(response, "/v1/diagnoses", row)


@router.get("/diagnoses", response_model=ListOf[Diagnosis])
def list_diagnoses(
    caller: Reader,
    session: DatabaseSession,
    page: Page,
    status: WorkStatus | None = None,
    dataset_version_id: Id | None = None,
    cycle_id: Id | None = None,
) -> PageOf[DiagnosisRow]:
    return listings.in_project(
        session,
        caller.project_id,
        DiagnosisRow,
        page,
        status=status,
        dataset_version_id=dataset_version_id,
        cycle_id=cycle_id,
    )


@router.get("/diagnoses/{diagnosis_id}", response_model=Diagnosis)
def read_diagnosis(diagnosis_id: Id, caller: Reader, session: DatabaseSession) -> DiagnosisRow:
    return diagnoses.get(session, caller.project_id, diagnosis_id)


@router.post("/diagnoses/{diagnosis_id}/cancel", response_model=Diagnosis)
def cancel_diagnosis(diagnosis_id: Id, caller: Contributor, session: DatabaseSession) -> DiagnosisRow:
    return lifecycle.cancel(session, DiagnosisRow, caller.project_id, diagnosis_id)


@router.get("/diagnoses/{diagnosis_id}/findings", response_model=ListOf[Finding])
def list_findings(
    diagnosis_id: Id,
    caller: Reader,
    session: DatabaseSession,
    page: PageInOrder,
    category: RootCause | None = None,
    override_category: RootCause | None = None,
    symptom: Symptom | None = None,
    cluster_id: Id | None = None,
    bad_case_id: Id | None = None,
    external_id: Annotated[str | None, Query(max_length=500)] = None,
    held_back: bool | None = None,
) -> PageOf[FindingRow]:
    """One finding for each bad case, in the order of the cases."""
    diagnoses.get(session, caller.project_id, diagnosis_id)
    return listings.findings(
        session,
        diagnosis_id,
        page,
        symptom=symptom,
        category=category,
        override_category=override_category,
        cluster_id=cluster_id,
        bad_case_id=bad_case_id,
        external_id=external_id,
        held_back=held_back,
    )


@router.get("/diagnoses/{diagnosis_id}/clusters", response_model=ListOf[Cluster])
def list_clusters(
    diagnosis_id: Id, caller: Reader, session: DatabaseSession, page: PageInOrder
) -> PageOf[ClusterRow]:
    """Bad cases that fail alike."""
    diagnoses.get(session, caller.project_id, diagnosis_id)
    return listings.of_parent(session, ClusterRow, {"diagnosis_id": diagnosis_id}, page)


@router.get("/diagnoses/{diagnosis_id}/report", responses=_REPORT, response_class=Response)
def read_report(
    diagnosis_id: Id,
    caller: Reader,
    session: DatabaseSession,
    store: Store,
    format: ReportFormat = ReportFormat.JSON,
    compared_with: Annotated[
        Id | None, Query(description="An earlier diagnosis: what became of its cases and clusters.")
    ] = None,
) -> Response:
    """What failed and why, what was changed, and whether it helped. HTML is one self-contained page."""
    report = reports.build(
        session,
        caller.project_id,
        diagnosis_id,
        now=datetime.now(UTC),
        store=store,
        compared_with=compared_with,
        with_texts=format is ReportFormat.HTML,
    )
    return Response(_RENDER[format](report), media_type=_MEDIA_TYPES[format])


@router.get("/findings/{finding_id}", response_model=Finding)
def read_finding(finding_id: Id, caller: Reader, session: DatabaseSession, response: Response) -> FindingRow:
    return versioned(response, diagnoses.get_finding(session, caller.project_id, finding_id))


@router.patch("/findings/{finding_id}", response_model=Finding, responses=documented([412]))
def override_finding(
    finding_id: Id,
    payload: FindingOverride,
    caller: Contributor,
    session: DatabaseSession,
    response: Response,
    if_match_header: Annotated[str | None, Header(alias="If-Match", max_length=100)] = None,
) -> FindingRow:
    """A person's verdict. It stands beside the machine's and teaches the next diagnosis."""
    row = diagnoses.override(
        session,
        caller.project_id,
        finding_id,
        category=payload.category,
        note=payload.note,
        key_id=caller.key_id,
        now=datetime.now(UTC),
        if_revision=if_match(if_match_header),
    )
    return versioned(response, row)


@router.get("/findings/{finding_id}/overrides", response_model=ListOf[PastOverride])
def list_finding_overrides(
    finding_id: Id, caller: Reader, session: DatabaseSession, page: Page
) -> PageOf[FindingOverrideRow]:
    """Every verdict of a person on this finding: who, when, what and why."""
    diagnoses.get_finding(session, caller.project_id, finding_id)
    return overrides.history(session, finding_id, page)


@router.get("/judge/agreement", response_model=JudgeAgreement)
def read_judge_agreement(caller: Reader, session: DatabaseSession) -> dict[str, Any]:
    """How often people said what the judging language model had said, over all findings that have both."""
    found = judge_agreement.of_project(session, caller.project_id)
    return {**asdict(found.overall), "by_category": {c.value: r for c, r in found.by_category.items()}}
