"""Cases as a suite of tests for another tool: what was fixed must stay fixed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.models import BadCaseRow, CycleRow, VerificationCaseRow
from app.db.repositories import bad_cases as rows
from app.domain.integrations import promptfoo
from app.domain.integrations.promptfoo import SuiteCase
from app.domain.verification.verdict import CaseVerdict
from app.errors import Conflict, InvalidInput, NotFound
from app.services import bad_cases


def promptfoo_suite(
    session: Session, project_id: str, *, cycle_id: str | None, bad_case_ids: Sequence[str] | None
) -> dict[str, Any]:
    """The cases that a cycle fixed, or those that are named. One without an accepted answer can be no test."""
    if (cycle_id is None) == (not bad_case_ids):
        raise InvalidInput("say which cases: send either cycle_id or bad_case_id")
    if cycle_id is not None:
        cases = rows.by_ids(session, project_id, _fixed(session, project_id, cycle_id))
        description = f"Cases that {cycle_id} fixed"
    else:
        ids = bad_cases.resolve_selection(session, project_id, bad_case_ids, None)
        cases, description = rows.by_ids(session, project_id, ids), "Bad cases"
    tests = [test for case in cases if (test := _suite_case(case)) is not None]
    return promptfoo.suite(tests, description=description)


def _fixed(session: Session, project_id: str, cycle_id: str) -> list[str]:
    cycle = session.get(CycleRow, cycle_id)
    if cycle is None or cycle.project_id != project_id:
        raise NotFound(f"no cycle {cycle_id} in this project")
    verification_id = (cycle.verdict or {}).get("verification_id")
    if verification_id is None:
        raise Conflict(f"{cycle_id} is {cycle.status}: nothing has been verified yet")
    row = VerificationCaseRow
    found = session.scalars(
        select(row.bad_case_id)
        .where(row.verification_id == verification_id, row.verdict == CaseVerdict.FIXED.value)
        .order_by(row.ordinal)
    )
    return [case_id for case_id in found if case_id is not None]


def _suite_case(row: BadCaseRow) -> SuiteCase | None:
    accepted = [a for a in (row.expected_output, *row.alternatives) if a]
    if not accepted:
        return None
    record = rows.to_record(row)
    return SuiteCase(
        external_id=row.external_id or row.id,
        messages=[m.as_dict() for m in record.messages],
        accepted=accepted,
        description=row.external_id or row.id,
    )
