"""Rows of a draft judged one by one: read once, used by the steps for noise, quality and duplicates."""

from __future__ import annotations

from app.domain.repair.draft.draft import Draft
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.row_quality.defects.statistics import JudgedRows
from app.domain.repair.row_quality.scores import QualityPolicy, QualityScores, score_rows

_JUDGED = "judged_rows"


def judged_rows(draft: Draft, material: PlanInputs) -> JudgedRows:
    """The draft's rows as they stand, read when first asked for and kept in the draft."""
    if _JUDGED not in draft.memo:
        draft.memo[_JUDGED] = JudgedRows.of(
            # A copy: what a later step writes into the draft was not read.
            tuple(draft.examples),
            draft.prompts,
            draft.tasks,
            draft.instructions,
            material.input_vectors,
            material.output_vectors,
        )
    return draft.memo[_JUDGED]


def quality_scores(draft: Draft, material: PlanInputs, policy: QualityPolicy | None = None) -> QualityScores:
    """Quality 0..1 of every row and its components, as the draft stands; ``policy`` None = default weights."""
    return score_rows(judged_rows(draft, material), policy or QualityPolicy())
