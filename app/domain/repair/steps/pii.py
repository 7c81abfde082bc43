"""Personal data that should not be learnt is taken out of prompts, outputs and rejected answers.

One action for a row and kind. Reason and evidence tell kind, number and a masked form, never the value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app.domain.records import Message, TrainingExample
from app.domain.repair.actions import ActionKind, Decision
from app.domain.repair.apply import with_turns
from app.domain.repair.draft import Draft
from app.domain.repair.material import Material
from app.domain.repair.pii import find_pii
from app.domain.repair.pii.masking import masked
from app.domain.repair.pii.match import PiiKind, PiiMatch
from app.domain.repair.pii.policy import PiiMode
from app.domain.repair.pii.surrogates import placeholder, surrogate
from app.domain.repair.policy import Approval
from app.domain.repair.thresholds import PII_MASKED_SHOWN

_StandIn = Callable[[PiiKind, str], str]


# A match in a turn; turns are counted through messages, then rejected ones.
_Found = tuple[int, PiiMatch]


@dataclass(frozen=True, slots=True)
class _Turn:
    at: int
    matches: list[PiiMatch]


def propose(draft: Draft, material: Material) -> None:
    policy = draft.policy.pii
    if policy.mode is PiiMode.OFF:
        return

    def stand_in(kind: PiiKind, value: str) -> str:
        return placeholder(kind) if policy.mode is PiiMode.REDACT else surrogate(kind, value, material.salt)

    changed = False
    for row, example in enumerate(draft.examples):
        turns = [
            _Turn(at, found)
            for at, m in enumerate(_turns(example))
            if (found := find_pii(m.content, policy.kinds))
        ]
        if turns:
            changed |= _redact(draft, row, turns, stand_in)
    if changed:
        draft.read()


def _redact(draft: Draft, row: int, turns: Sequence[_Turn], stand_in: _StandIn) -> bool:
    """Whether the row that later steps see changed."""
    by_kind: defaultdict[PiiKind, list[_Found]] = defaultdict(list)
    for turn in turns:
        for match in turn.matches:
            by_kind[match.kind].append((turn.at, match))
    original = draft.examples[row]
    standing: list[_Found] = []
    for kind, found in by_kind.items():
        certain = all(match.certain for _, match in found)
        values = [_turns(original)[at].content[match.start : match.end] for at, match in found]
        shown = list(dict.fromkeys(masked(kind, value) for value in values))[:PII_MASKED_SHOWN]
        # Every kind on the row as it came: they are decided one by one, and compose.
        draft.examples[row] = original
        draft.rewrite(
            row,
            ActionKind.REDACT,
            _without(original, found, stand_in),
            f"personal data: {kind.value.replace('_', ' ')} ({', '.join(shown)})",
            min(match.score for _, match in found),
            {"rule": f"pii_{kind.value}", "count": len(found), "masked": shown, "checksum": certain},
            ask=not certain and draft.policy.approve is not Approval.ALL,
        )
        if certain or draft.actions[-1].decision is Decision.APPROVED:
            standing += found
    draft.examples[row] = _without(original, standing, stand_in) if standing else original
    return bool(standing)


def _without(example: TrainingExample, found: Sequence[_Found], stand_in: _StandIn) -> TrainingExample:
    contents = [turn.content for turn in _turns(example)]
    # From the end: what is replaced moves nothing that is still to be replaced.
    for at, match in sorted(found, key=lambda pair: (pair[0], -pair[1].start)):
        text = contents[at]
        value = stand_in(match.kind, text[match.start : match.end])
        contents[at] = f"{text[: match.start]}{value}{text[match.end :]}"
    turns = tuple(replace(turn, content=c) for turn, c in zip(_turns(example), contents, strict=True))
    return with_turns(example, turns[: len(example.messages)], turns[len(example.messages) :])


def _turns(example: TrainingExample) -> tuple[Message, ...]:
    return (*example.messages, *example.rejected)
