"""The nouns of a repair: policies, proposed actions, decisions. Knows no method and no storage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, TypeVar

from app.domain.repair import thresholds

E = TypeVar("E", bound=StrEnum)


class ActionKind(StrEnum):
    """What an action does to its rows."""

    DROP = "drop"
    RELABEL = "relabel"
    MERGE = "merge"
    NORMALISE = "normalise"
    REDACT = "redact"
    ADD = "add"
    UPSAMPLE = "upsample"


class Decision(StrEnum):
    """Where an action stands. ``applied`` is final."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    APPLIED = "applied"


class ResolutionRule(StrEnum):
    """How a conflicting group is settled; the first rule of a policy that can decide does."""

    EXPECTED_OUTPUT = "expected_output"
    MAJORITY = "majority"
    DROP = "drop"
    ASK = "ask"


class Approval(StrEnum):
    """Which actions need no person: all that a rule decided, the confident ones, none."""

    ALL = "all"
    CONFIDENT = "confident"
    NONE = "none"


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
    is empty for a drop, holds one row for a merge, the new rows for add and upsample). ``score`` is the
    estimated probability that the action is right, 0..1. ``evidence`` is JSON-ready.
    """

    kind: ActionKind
    example_ids: tuple[str, ...]
    before: tuple[dict[str, Any], ...]
    after: tuple[dict[str, Any], ...]
    reason: str
    score: float
    evidence: Mapping[str, Any] = field(default_factory=dict)
    decision: Decision = Decision.PROPOSED


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairPolicy:
    """What a repair may do on its own.

    ``min_score`` (0..1) is the score from which ``approve="confident"`` approves.
    ``near_duplicate_threshold`` is a Jaccard of character n-grams, 0..1; None leaves near-duplicates alone.
    """

    conflict: tuple[ResolutionRule, ...] = (
        ResolutionRule.EXPECTED_OUTPUT,
        ResolutionRule.MAJORITY,
        ResolutionRule.ASK,
    )
    approve: Approval = Approval.CONFIDENT
    min_score: float = thresholds.CONFIDENT_SCORE
    near_duplicate_threshold: float | None = thresholds.NEAR_DUPLICATE_JACCARD
    normalise: bool = True

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> RepairPolicy:
        """Validate a policy from outside; a ValueError names the fact and the mend."""
        known = set(cls.__dataclass_fields__)
        unknown = sorted(set(raw) - known)
        if unknown:
            raise ValueError(f"policy has no field {unknown[0]!r}; its fields are {', '.join(sorted(known))}")
        values: dict[str, Any] = {}
        if "conflict" in raw:
            values["conflict"] = _rules(raw["conflict"])
        if "approve" in raw:
            values["approve"] = _choice(Approval, raw["approve"], "approve")
        if "min_score" in raw:
            values["min_score"] = _share(raw["min_score"], "min_score")
        if "near_duplicate_threshold" in raw:
            given = raw["near_duplicate_threshold"]
            values["near_duplicate_threshold"] = (
                None if given is None else _share(given, "near_duplicate_threshold", positive=True)
            )
        if "normalise" in raw:
            if not isinstance(raw["normalise"], bool):
                raise ValueError(f"policy.normalise is {raw['normalise']!r}; give true or false")
            values["normalise"] = raw["normalise"]
        return cls(**values)

    def as_dict(self) -> dict[str, Any]:
        return {
            "conflict": [rule.value for rule in self.conflict],
            "approve": self.approve.value,
            "min_score": self.min_score,
            "near_duplicate_threshold": self.near_duplicate_threshold,
            "normalise": self.normalise,
        }

    def decision_for(self, score: float) -> Decision:
        """The decision that an action of this score starts with, where a rule decided it."""
        match self.approve:
            case Approval.ALL:
                return Decision.APPROVED
            case Approval.CONFIDENT:
                return Decision.APPROVED if score >= self.min_score else Decision.PROPOSED
            case Approval.NONE:
                return Decision.PROPOSED


def _rules(raw: object) -> tuple[ResolutionRule, ...]:
    if isinstance(raw, str):
        raw = [raw]
    if not isinstance(raw, list | tuple) or not raw:
        raise ValueError(f"policy.conflict is {raw!r}; give a list of {_names(ResolutionRule)}")
    rules = tuple(_choice(ResolutionRule, rule, "conflict") for rule in raw)
    if len(set(rules)) < len(rules):
        raise ValueError("policy.conflict names a rule twice; name each once, in the order to try them")
    return rules


def _choice(kind: type[E], raw: object, name: str) -> E:
    try:
        return kind(raw)
    except ValueError:
        raise ValueError(f"policy.{name} holds {raw!r}; choose from {_names(kind)}") from None


def _names(kind: type[StrEnum]) -> str:
    return ", ".join(member.value for member in kind)


def _share(raw: object, name: str, *, positive: bool = False) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 <= raw <= 1:
        raise ValueError(f"policy.{name} is {raw!r}; give a number from 0 to 1")
    if positive and raw == 0:
        raise ValueError(
            f"policy.{name} is 0, which every pair reaches; give null to leave near-duplicates alone"
        )
    return float(raw)
