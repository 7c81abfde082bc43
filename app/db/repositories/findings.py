"""Findings read back from their rows."""

from __future__ import annotations

from app.db.models import FindingRow
from app.db.repositories.bad_cases import record_from_snapshot
from app.domain.evidence import Evidence, Finding
from app.domain.records import BadCase, RootCause, Symptom


def finding_record(row: FindingRow) -> Finding:
    """The finding as a record, with a person's verdict in the place of the machine's."""
    return Finding(
        bad_case_id=row.bad_case_id,
        root_cause=effective_category(row),
        probabilities={RootCause(k): v for k, v in row.probabilities.items()},
        confidence=row.confidence,
        evidence=Evidence.model_validate(row.evidence),
        symptoms=tuple(Symptom(s) for s in row.symptoms),
    )


def case_from_snapshot(finding: FindingRow) -> BadCase:
    return record_from_snapshot(finding.bad_case_id, finding.external_id, finding.case_snapshot)


def effective_category(finding: FindingRow) -> RootCause:
    """A person's verdict where there is one, the machine's otherwise."""
    return RootCause(finding.override_category or finding.category)
