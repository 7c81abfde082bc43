"""Deciding many proposed actions at once: by score, and rule by rule. Knows no storage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.repair.policy.decision import Decision
from app.domain.repair.policy.fields import check_fields, choice, share
from app.domain.repair.policy.repair_policy import CONFIDENT_SCORE, Approval


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What an action has to reach. ``min_score`` (0..1) counts where ``approve`` is ``confident``."""

    approve: Approval = Approval.CONFIDENT
    min_score: float = CONFIDENT_SCORE

    @property
    def lowest_score(self) -> float | None:
        """The score from which actions are approved; None = none is."""
        match self.approve:
            case Approval.ALL:
                return 0.0
            case Approval.CONFIDENT:
                return self.min_score
            case Approval.NONE:
                return None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionPolicy:
    """``rules`` names rules that have a bar of their own; ``default`` counts for every other action.

    An action that asks a person (``evidence["asks_person"]``) is only decided by its rule's own bar: who
    names the rule has read what it asks.
    """

    default: Bar = field(default_factory=Bar)
    rules: Mapping[str, Bar] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> DecisionPolicy:
        """Validate a policy from outside; a ValueError says what is wrong and how to fix it."""
        check_fields(raw, {"approve", "min_score", "rules"})
        rules = raw.get("rules", {})
        if not isinstance(rules, Mapping):
            raise ValueError(f"policy.rules is {rules!r}; give an object with a bar for each rule's name")
        made: dict[str, Bar] = {}
        for rule, bar in rules.items():
            name = f"rules.{rule}"
            if not isinstance(bar, Mapping):
                raise ValueError(f"policy.{name} is {bar!r}; give an object with approve, min_score or both")
            check_fields(bar, Bar.__dataclass_fields__, f"policy.{name}")
            made[rule] = _bar(bar, f"{name}.")
        return cls(default=_bar(raw), rules=made)

    def decision_for(self, rule: str, score: float, *, asks_person: bool) -> Decision:
        """What becomes of a proposed action. Nothing is rejected: what stays below its bar stays proposed."""
        bar = self.rules.get(rule)
        if bar is None:
            if asks_person:
                return Decision.PROPOSED
            bar = self.default
        lowest = bar.lowest_score
        return Decision.APPROVED if lowest is not None and score >= lowest else Decision.PROPOSED


def _bar(raw: Mapping[str, Any], prefix: str = "") -> Bar:
    """A bar that gives a score and no ``approve`` means the score."""
    values: dict[str, Any] = {}
    if "approve" in raw:
        values["approve"] = choice(Approval, raw["approve"], f"{prefix}approve")
    if "min_score" in raw:
        values["min_score"] = share(raw["min_score"], f"{prefix}min_score")
    return Bar(**values)
