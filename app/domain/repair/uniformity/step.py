"""Rows that are laid out in another way than most of their set: where the instruction stands, templates, roles,
system prompts, punctuation.

After the redactions: what is moved here has already been looked at. Guesses, each on the row as it stands: a
person decides.
"""

from __future__ import annotations

from app.domain.repair.draft.actions import ActionKind
from app.domain.repair.draft.draft import Draft
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.rewriting.normalisation.set_rule import SetView
from app.domain.repair.rewriting.normalisation.set_rules import SET_RULES
from app.domain.repair.rewriting.texts import with_turns


def propose(draft: Draft, material: PlanInputs) -> None:
    view = SetView(
        examples=draft.examples, prompts=draft.prompts, tasks=draft.tasks, vectors=material.input_vectors
    )
    for rule, find in SET_RULES:
        if rule not in draft.policy.normalise.rules:
            continue
        for made in find(view):
            draft.rewrite(
                made.row,
                ActionKind.NORMALISE,
                with_turns(draft.examples[made.row], made.messages, made.rejected),
                made.reason,
                made.score,
                {"rule": f"normalise_{rule.value}", **made.evidence},
            )
