from __future__ import annotations

from app.domain.evidence import Evidence, Neighbor, OodEvidence
from app.domain.records import Agreement, RootCause
from app.domain.repair.policy.pii import PiiKind
from app.domain.reports.masking import masked_report
from app.domain.reports.report import ReportFinding, ReportRepairAction

_KEY = "AKIA" + "Q7WERTY3ASDF5GHJ"


def test_a_report_tells_nobodys_data_and_no_key() -> None:
    near = Neighbor(
        example_id="ex_13812345678",
        similarity=0.9,
        input="Mail tom.hale@acme-mail.org",
        output="",
        agrees_with=Agreement.NEITHER,
    )
    finding = ReportFinding(
        id="fd_13812345678",
        bad_case_id="bc_1",
        category=RootCause.OOD,
        probabilities={RootCause.OOD: 1.0},
        confidence=1.0,
        prompt="Mail tom.hale@acme-mail.org",
        model_output=f"The key is {_KEY}",
        evidence=Evidence(ood=OodEvidence(unseen_terms=("tom.hale@acme-mail.org",)), neighbors=(near,)),
    )
    shown = masked_report(finding, frozenset(PiiKind))
    assert (shown.prompt, shown.model_output) == ("Mail t***@a***", "The key is AKI***")
    assert (shown.id, shown.category, shown.probabilities) == (
        finding.id,
        finding.category,
        finding.probabilities,
    )
    assert shown.evidence.ood.unseen_terms == ("t***@a***",)
    assert shown.evidence.neighbors == (near.model_copy(update={"input": "Mail t***@a***"}),)
    action = ReportRepairAction(
        kind="redact",
        reason="personal data",
        decision="approved",
        before=[{"messages": [{"role": "user", "content": "call +44 20 7183 8750"}]}],
        example_ids=("ex_1",),
    )
    assert "7183" not in str(masked_report(action, frozenset(PiiKind)))
