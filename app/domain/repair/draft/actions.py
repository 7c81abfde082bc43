"""The nouns of a repair: proposed actions and decisions. Knows no method and no storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from app.domain.repair.policy.decision import Decision


class ActionKind(StrEnum):
    """What an action does to its rows."""

    DROP = "drop"
    RELABEL = "relabel"
    MERGE = "merge"
    NORMALISE = "normalise"
    REDACT = "redact"
    ADD = "add"
    UPSAMPLE = "upsample"


ALLOWED_DECISIONS: Mapping[Decision, frozenset[Decision]] = {
    Decision.PROPOSED: frozenset({Decision.APPROVED, Decision.REJECTED}),
    Decision.APPROVED: frozenset({Decision.PROPOSED, Decision.REJECTED, Decision.APPLIED}),
    Decision.REJECTED: frozenset({Decision.PROPOSED, Decision.APPROVED}),
    Decision.APPLIED: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedAction:
    """One proposed change to a dataset version.

    ``before`` and ``after`` hold rows as ``TrainingExample.content()`` gives them, one per id (``after``
    is empty for a drop, holds one row for a merge, the new rows for add and upsample; an upsampled row's id
    stands once for each of its copies; empty for a relabel or a merge whose answer a person has to give).
    ``score`` is the estimated probability 0..1 that the action is right, or of what ``evidence["score_of"]`` says.
    ``evidence`` is JSON-ready.
    """

    kind: ActionKind
    example_ids: tuple[str, ...]
    before: tuple[dict[str, Any], ...]
    after: tuple[dict[str, Any], ...]
    reason: str
    score: float
    evidence: Mapping[str, Any] = field(default_factory=dict)
    decision: Decision = Decision.PROPOSED


GIVES_AN_ANSWER = frozenset({ActionKind.RELABEL, ActionKind.MERGE})


def needs_answer(kind: ActionKind | str, after: Sequence[object]) -> bool:
    """Whether an action asks for an answer and proposes none: approved without one it would change nothing."""
    return kind in GIVES_AN_ANSWER and not after


def decide(action: ProposedAction, decision: Decision) -> ProposedAction:
    """The action with another decision; the same decision again changes nothing."""
    if decision is action.decision:
        return action
    allowed = ALLOWED_DECISIONS[action.decision]
    if decision not in allowed:
        ways = ", ".join(sorted(allowed)) or "nothing: make a new repair instead"
        raise ValueError(
            f"an action that is {action.decision} cannot become {decision}; it can become {ways}"
        )
    return replace(action, decision=decision)
