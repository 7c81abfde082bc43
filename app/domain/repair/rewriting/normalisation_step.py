"""Rows whose text a tokenizer sees differently though a reader does not are written in one form.

One action for a row and rule, each on top of the ones before that ask nobody: a person may decide by rule. What could
change the meaning of a row asks, whatever the policy (``normalisation.caution``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.records import TrainingExample
from app.domain.repair.draft.actions import ActionKind
from app.domain.repair.draft.draft import Draft
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.rewriting.normalisation import TEXT_RULES, caution, normalise_example
from app.domain.repair.rewriting.normalisation.cleaned import Normalisation
from app.domain.repair.rewriting.normalisation.text_rule import TextRule
from app.domain.repair.rewriting.texts import with_turns

# Rows whose text is the same to a reader after a rewriting: what is left are texts about encodings and spaces.
_NORMALISE_SCORE: Final = 0.99


def propose(draft: Draft, material: PlanInputs) -> None:  # noqa: ARG001
    rules = [rule for rule in TEXT_RULES if rule.name in draft.policy.normalise.rules]
    changed = False
    for row, example in enumerate(draft.examples):
        found = normalise_example(example, rules) if rules else None
        if found is None:
            continue
        changed = True
        for proposal in _by_rule(example, found, rules):
            asked = proposal.why_asked
            reason = f"format: {', '.join(proposal.changes)}"
            evidence = {"rule": f"normalise_{proposal.rule.name}", "changes": list(proposal.changes)}
            draft.rewrite(
                row,
                ActionKind.NORMALISE,
                proposal.after,
                reason if asked is None else f"{reason}; please confirm: {asked}",
                _NORMALISE_SCORE,
                evidence if asked is None else {**evidence, "why_asked": asked},
                ask=asked is not None,
            )
    if changed:
        draft.read()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proposal:
    """What a rule makes of a row. ``why_asked``: the reason why a person decides, None = none has to."""

    rule: TextRule
    after: TrainingExample
    changes: tuple[str, ...]
    why_asked: str | None


def _by_rule(
    example: TrainingExample, whole: Normalisation, rules: Sequence[TextRule]
) -> Iterator[_Proposal]:
    """The row after each rule that changes it: clean by that rule and by those before it that ask nobody."""
    # A turn that stays in the end, since nothing would be left of it, stays all the way.
    kept = [a.content == b.content for a, b in zip(example.messages, whole.messages, strict=True)]
    kept_rejected = [a.content == b.content for a, b in zip(example.rejected, whole.rejected, strict=True)]
    standing, safe = example, list[TextRule]()
    for rule in rules:
        found = normalise_example(standing, [*safe, rule])
        if found is None:
            safe.append(rule)
            continue
        after = with_turns(
            standing,
            tuple(o if k else n for o, n, k in zip(standing.messages, found.messages, kept, strict=True)),
            tuple(
                o if k else n
                for o, n, k in zip(standing.rejected, found.rejected, kept_rejected, strict=True)
            ),
        )
        asked = caution.why_asked(standing, after, whole)
        if after.content() != standing.content() and not caution.lays_out_code(standing, after, whole):
            yield _Proposal(rule=rule, after=after, changes=found.changes, why_asked=asked)
        if asked is None:
            standing = after
            safe.append(rule)
