"""Findings read back from their rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.db.models import FindingRow
from app.db.repositories.bad_cases import record_from_snapshot
from app.domain.records import Agreement, BadCase, Evidence, Finding, Neighbor, RootCause, Symptom


def finding_record(row: FindingRow) -> Finding:
    """The finding as a record, with a person's verdict in the place of the machine's."""
    return Finding(
        bad_case_id=row.bad_case_id,
        root_cause=effective_category(row),
        probabilities={RootCause(k): v for k, v in row.probabilities.items()},
        confidence=row.confidence,
        evidence=evidence_of(row.evidence),
        symptoms=tuple(Symptom(s) for s in row.symptoms),
    )


def evidence_of(stored: Mapping[str, Any]) -> Evidence:
    """Evidence as it was stored; what a diagnosis of an earlier version did not know of is empty."""
    return Evidence(
        neighbors=tuple(
            Neighbor(**{**n, "agrees_with": Agreement(n["agrees_with"])}) for n in stored.get("neighbors", ())
        ),
        ood=stored.get("ood") or {},
        conflict=stored.get("conflict") or {},
        hard=stored.get("hard") or {},
        serving_mismatch=stored.get("serving_mismatch") or {},
        symptoms=tuple(stored.get("symptoms") or ()),
        attribution=tuple(stored.get("attribution") or ()),
        judge=stored.get("judge") or {},
    )


def case_from_snapshot(finding: FindingRow) -> BadCase:
    return record_from_snapshot(finding.bad_case_id, finding.external_id, finding.case_snapshot)


def effective_category(finding: FindingRow) -> RootCause:
    """A person's verdict where there is one, the machine's otherwise."""
    return RootCause(finding.override_category or finding.category)
