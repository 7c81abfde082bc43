"""Near-duplicate prompts whose answers contradict each other, where nothing better has settled them."""

from __future__ import annotations

from app.domain import text
from app.domain.repair import conflicts, disputes
from app.domain.repair.draft import Draft
from app.domain.repair.material import Material
from app.domain.repair.resolution import ResolutionContext


def propose(draft: Draft, material: Material) -> None:
    """Rows that a model of contradictions has looked at are in dispute here only where they ask the very same."""
    labels, outputs = draft.labels(), draft.outputs()
    prompts = [example.prompt for example in draft.examples]
    context = ResolutionContext.of(draft, material)
    for group in draft.groups.groups:
        if any(row in draft.settled for row in group):
            continue
        standing = [row for row in group if row not in draft.gone and draft.answers(row)]
        for asked in _same_question(draft, standing):
            sides = conflicts.sides(asked, prompts, outputs, labels)
            if len(sides) > 1:
                disputes.settle(draft, disputes.dispute_of(draft, sides), context, same_prompt=True)


def _same_question(draft: Draft, rows: list[int]) -> list[list[int]]:
    if not any(row in draft.compared for row in rows):
        return [rows]
    by_text: dict[str, list[int]] = {}
    for row in rows:
        by_text.setdefault(text.normalised(draft.prompts[row]), []).append(row)
    return list(by_text.values())
