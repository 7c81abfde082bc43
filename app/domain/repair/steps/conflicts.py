"""Rows that contradict a bad case's expected output."""

from __future__ import annotations

from app.domain import text
from app.domain.repair import plan_conflicts
from app.domain.repair.draft import Draft, task_of
from app.domain.repair.material import Material
from app.domain.repair.policy import ResolutionRule


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
