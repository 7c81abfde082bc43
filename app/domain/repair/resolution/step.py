"""Near-duplicate prompts whose answers contradict each other, where nothing better has settled them."""

from __future__ import annotations

from app.domain.answers import commitments
from app.domain.language import text
from app.domain.near_duplicates import grouping
from app.domain.repair.draft.draft import Draft
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.resolution import ResolutionContext, bad_case_conflicts, disputes


def propose(draft: Draft, material: PlanInputs) -> None:
    """Rows that a model of contradictions has looked at are in dispute here only where they ask the very same."""
    labels, outputs = draft.labels(), draft.outputs()
    prompts = [example.prompt for example in draft.examples]
    context = ResolutionContext.of(draft, material)
    asking_the_same = [pair for pair in draft.groups.jaccards if _same_question_guard(draft, *pair)]
    for group in grouping.connected(len(prompts), asking_the_same):
        if any(row in draft.resolved for row in group):
            continue
        standing = [row for row in group if row not in draft.dropped and draft.answers(row)]
        for asked in _same_question(draft, standing):
            sides = bad_case_conflicts.sides(asked, prompts, outputs, labels)
            if len(sides) > 1:
                disputes.settle(draft, disputes.dispute_of(draft, sides), context, same_prompt=True)


def _same_question_guard(draft: Draft, left: int, right: int) -> bool:
    """An operator or an option is a letter or two of a prompt: near by spelling, and another question.
    Rows with the same answer are in no dispute: they are not read (some milliseconds a pair)."""
    a, b = draft.prompts[left], draft.prompts[right]
    said, other = (draft.examples[row].output for row in (left, right))
    return a == b or said == other or commitments.same_question_guard(a, b)


def _same_question(draft: Draft, rows: list[int]) -> list[list[int]]:
    if not any(row in draft.compared for row in rows):
        return [rows]
    by_text: dict[str, list[int]] = {}
    for row in rows:
        by_text.setdefault(text.normalised(draft.prompts[row]), []).append(row)
    return list(by_text.values())
