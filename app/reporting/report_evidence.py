"""What the evidence of a finding says, in sentences and figures; shared by the HTML and the Markdown report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.evidence import Evidence, JudgeEvidence
from app.domain.records import RootCause
from app.reporting.evidence_facts import Fact, conflict_facts, covered_facts, hard_facts, ood_facts

NEAR_TIE = 0.15
_NO_FIGURES = {
    "neighbors": True,
    "ood": {"unseen_label", "unseen_terms", "remarks", "nearest_percentile"},
    "conflict": {"counts", "contradicting_pair", "paraphrase", "label_groups"},
    "hard": {"taught_by": True, "reasons": True, "confusable": True, "adapter": {"sentence"}},
    "symptoms": True,
    "attribution": True,
    "judge": True,
}
"""What is told in words or in a table of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceView:
    """``facts`` by cause, ``judge`` and ``figures`` by name."""

    facts: tuple[tuple[str, tuple[Fact, ...]], ...]
    judge: tuple[tuple[str, str], ...]
    figures: Mapping[str, Mapping[str, object]]


def view(evidence: Evidence, cause: RootCause | None = None) -> EvidenceView:
    """``cause``: the verdict; what speaks for it comes first."""
    hard = hard_facts(evidence.hard)
    if cause is RootCause.HARD:
        counts = evidence.conflict.counts
        if not hard and not counts.against:
            hard = [Fact(says="Nothing measured stands out: it asks for no more than its task's other rows")]
        hard = [*covered_facts(counts, evidence.ood.nearest_percentile), *hard]
    facts = {"ood": ood_facts(evidence.ood), "conflict": conflict_facts(evidence.conflict), "hard": hard}
    return EvidenceView(
        facts=tuple(
            (name, tuple(found))
            for name, found in sorted(facts.items(), key=lambda f: f[0] != cause)
            if found
        ),
        judge=_said(evidence.judge),
        figures=evidence.model_dump(mode="json", exclude=_NO_FIGURES),
    )


def _said(judge: JudgeEvidence | None) -> tuple[tuple[str, str], ...]:
    shown = judge.model_dump(mode="json") if judge else {}
    return tuple((k, ("yes" if v else "no") if isinstance(v, bool) else v) for k, v in shown.items())


def runner_up(probabilities: Mapping[RootCause, float], said: RootCause) -> tuple[RootCause, float] | None:
    """The second likeliest cause, where it is likely enough (0..1) that a reader must be told."""
    others = [(p, cause) for cause, p in probabilities.items() if cause is not said]
    likely, cause = max(others, key=lambda other: other[0], default=(0.0, said))
    return (cause, likely) if likely >= NEAR_TIE else None
