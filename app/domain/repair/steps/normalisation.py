"""Rows whose text a tokenizer sees differently though a reader does not are written in one form.

One action for a row and rule, each on top of the ones before: a person may decide by rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.domain.records import TrainingExample
from app.domain.repair import thresholds
from app.domain.repair.actions import ActionKind
from app.domain.repair.apply import with_turns
from app.domain.repair.draft import Draft
from app.domain.repair.material import Material
from app.domain.repair.normalisation import TEXT_RULES, Normalisation, normalise_example
from app.domain.repair.normalisation.text_rule import TextRule


def propose(draft: Draft, material: Material) -> None:  # noqa: ARG001
    rules = [rule for rule in TEXT_RULES if rule.name in draft.policy.normalise.rules]
    changed = False
    for row, example in enumerate(draft.examples):
        found = normalise_example(example, rules) if rules else None
        if found is None:
            continue
        changed = True
        for rule, after, changes in _by_rule(example, found, rules):
            draft.rewrite(
                row,
                ActionKind.NORMALISE,
                after,
                f"format: {', '.join(changes)}",
                thresholds.NORMALISE_SCORE,
                {"rule": f"normalise_{rule.name}", "changes": list(changes)},
            )
    if changed:
        draft.read()


def _by_rule(
    example: TrainingExample, whole: Normalisation, rules: Sequence[TextRule]
) -> Iterator[tuple[TextRule, TrainingExample, tuple[str, ...]]]:
    """The row after each rule that changes it: clean by that rule and the ones before it."""
    # A turn that stays in the end, since nothing would be left of it, stays all the way.
    kept = [a.content == b.content for a, b in zip(example.messages, whole.messages, strict=True)]
    kept_rejected = [a.content == b.content for a, b in zip(example.rejected, whole.rejected, strict=True)]
    standing = example
    for at, rule in enumerate(rules, start=1):
        found = normalise_example(standing, rules[:at])
        if found is None:
            continue
        after = with_turns(
            standing,
            tuple(o if k else n for o, n, k in zip(standing.messages, found.messages, kept, strict=True)),
            tuple(
                o if k else n
                for o, n, k in zip(standing.rejected, found.rejected, kept_rejected, strict=True)
            ),
        )
        if after.content() != standing.content():
            yield rule, after, found.changes
            standing = after
