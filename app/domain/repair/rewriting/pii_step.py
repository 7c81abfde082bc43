"""Personal data that should not be learnt is taken out of prompts, outputs and rejected answers.

One action for a row and kind. Reason and evidence tell kind, number and a masked form, never the value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from app.domain.records import TrainingExample
from app.domain.repair.draft.actions import ActionKind
from app.domain.repair.draft.draft import Draft
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.draft.open_questions import ROWS_STAY, STOPS_CYCLE
from app.domain.repair.policy.decision import Decision
from app.domain.repair.policy.pii import PiiKind, PiiMode, Uncertain
from app.domain.repair.policy.repair_policy import Approval
from app.domain.repair.rewriting.pii.masking import masked
from app.domain.repair.rewriting.pii.rows import (
    PersonalValue,
    StandIn,
    is_about_values,
    personal_values,
    without_values,
)
from app.domain.repair.rewriting.pii.surrogates import placeholder, surrogate

# How many masked values a reason shows.
_PII_MASKED_SHOWN: Final = 3


# Evidence of a question: what becomes of its row, and of the cycle, until somebody answers it.
_UNTIL_DECIDED = {
    Uncertain.KEEP_OUT: {},
    Uncertain.STOP: {STOPS_CYCLE: True},
    Uncertain.KEEP: {ROWS_STAY: True},
}
# P(personal data) of what its form or a check digit proves.
_CERTAIN = 0.95


def propose(draft: Draft, material: PlanInputs) -> None:
    policy = draft.policy.pii
    if policy.mode is PiiMode.OFF:
        return

    def stand_in(kind: PiiKind, value: str, number: int | None) -> str:
        if policy.mode is PiiMode.REDACT:
            return placeholder(kind, number)
        return surrogate(kind, value, material.salt)

    changed = False
    for row, example in enumerate(draft.examples):
        values = personal_values(example, policy.kinds)
        if values:
            changed |= _redact(draft, row, values, stand_in)
    if changed:
        draft.read()


def _redact(draft: Draft, row: int, values: Sequence[PersonalValue], stand_in: StandIn) -> bool:
    """Whether the row that later steps see changed."""
    by_kind: defaultdict[PiiKind, list[PersonalValue]] = defaultdict(list)
    for value in values:
        by_kind[value.kind].append(value)
    numbers = {id(v): i for of in by_kind.values() if len(of) > 1 for i, v in enumerate(of, start=1)}
    original = draft.examples[row]
    about = is_about_values(original, values)
    standing: list[PersonalValue] = []
    for kind, found in by_kind.items():
        # A key opens what it opens, whatever the row is about.
        certain = all(v.certain for v in found) and (not about or kind is PiiKind.CREDENTIAL)
        ask = not certain and draft.policy.approve is not Approval.ALL
        shown = list(dict.fromkeys(masked(kind, s) for v in found for s in v.spellings))[:_PII_MASKED_SHOWN]
        # Every kind on the row as it came: they are decided one by one, and compose.
        draft.examples[row] = original
        draft.rewrite(
            row,
            ActionKind.REDACT,
            without_values(original, found, numbers, stand_in),
            f"personal data: {kind.value.replace('_', ' ')} ({', '.join(shown)})"
            + _why(found, about=about, ask=ask),
            max(_CERTAIN if certain else 0.0, min(v.score for v in found)),
            {
                "rule": f"pii_{kind.value}",
                "count": sum(v.places for v in found),
                "masked": shown,
                "certain": certain,
                **(_UNTIL_DECIDED[draft.policy.pii.uncertain] if ask else {}),
            },
            ask=ask,
        )
        if certain or draft.actions[-1].decision is Decision.APPROVED:
            standing += found
    after: TrainingExample = without_values(original, standing, numbers, stand_in) if standing else original
    draft.examples[row] = after
    return bool(standing)


def _why(found: Sequence[PersonalValue], *, about: bool, ask: bool) -> str:
    """What a person is asked to look at."""
    if not ask:
        return ""
    if not all(v.certain for v in found):
        return "; please say whether it is somebody's"
    return "; the answer may rest on the value: please look" if about else ""
