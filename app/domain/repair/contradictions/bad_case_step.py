"""Rows that contradict a bad case's expected output."""

from __future__ import annotations

from app.domain.language import text
from app.domain.repair.contradictions import bad_case_relabel
from app.domain.repair.draft.draft import Draft, task_of
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.policy.repair_policy import ResolutionRule


def propose(draft: Draft, material: PlanInputs) -> None:
    if ResolutionRule.EXPECTED_OUTPUT in draft.policy.conflict:
        anchors = bad_case_relabel.Anchors(
            cases=material.cases,
            prompts=[text.focus(case.prompt, draft.instructions) for case in material.cases],
            tasks=[task_of(case.system, case.prompt, draft.instructions) for case in material.cases],
            vectors=material.case_vectors,
            findings={finding.bad_case_id: finding for finding in material.findings},
        )
        bad_case_relabel.relabel_label_rows(draft, material.input_vectors, anchors)
        bad_case_relabel.relabel_contradicted_rows(draft, material.input_vectors, anchors, material.rng)
