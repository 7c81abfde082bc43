"""Rows that contradict a bad case's expected output, or each other in the same words."""

from __future__ import annotations

from app.domain import text
from app.domain.repair import conflicts, disputes, plan_conflicts
from app.domain.repair.draft import Draft, task_of
from app.domain.repair.material import Material
from app.domain.repair.policy import ResolutionRule
from app.domain.repair.resolution import ResolutionContext


def propose(draft: Draft, material: Material) -> None:
    if ResolutionRule.EXPECTED_OUTPUT in draft.policy.conflict:
        anchors = plan_conflicts.Anchors(
            cases=material.cases,
            prompts=[text.focus(case.prompt, draft.instructions) for case in material.cases],
            tasks=[task_of(case.system, case.prompt, draft.instructions) for case in material.cases],
            vectors=material.case_vectors,
            findings={finding.bad_case_id: finding for finding in material.findings},
        )
        plan_conflicts.mend_labels(draft, material.input_vectors, anchors)
        plan_conflicts.mend_anchored(draft, material.input_vectors, anchors, material.rng)
    _settle_groups(draft, material)


def _settle_groups(draft: Draft, material: Material) -> None:
    """Settle what contradicts itself among near-duplicates and no bad case has settled."""
    labels, outputs = draft.labels(), draft.outputs()
    context = ResolutionContext.of(draft, material)
    for group in draft.groups.groups:
        if any(row in draft.settled for row in group):
            continue
        sides = conflicts.sides([row for row in group if row not in draft.gone], outputs, labels)
        if len(sides) > 1:
            disputes.settle(draft, disputes.dispute_of(draft, sides), context, same_prompt=True)
