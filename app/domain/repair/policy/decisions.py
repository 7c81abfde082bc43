"""Deciding many proposed actions at once: by score, and rule by rule. Knows no storage."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.domain.repair.policy.decision import Decision
from app.domain.repair.policy.repair_policy import CONFIDENT_SCORE, Approval
from app.domain.section import Section, Share

RuleName = Annotated[str, Field(min_length=1, max_length=40)]


class Bar(Section):
    """What an action has to reach."""

    approve: Approval = Approval.CONFIDENT
    min_score: Share = CONFIDENT_SCORE
    """Counts where ``approve`` is ``confident``."""

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


class DecisionPolicy(Bar):
    """Only proposed actions are decided, and only approved: what people decided stays, what is below stays proposed.

    An action that asks a person (``evidence["asks_person"]``) is only decided by its rule's own bar: who names the
    rule has read what it asks.
    """

    rules: Annotated[dict[RuleName, Bar], Field(max_length=200)] = Field(default_factory=dict)
    """Rules that have a bar of their own."""

    def decision_for(self, rule: str, score: float, *, asks_person: bool) -> Decision:
        """What becomes of a proposed action. Nothing is rejected: what stays below its bar stays proposed."""
        bar = self.rules.get(rule)
        if bar is None:
            if asks_person:
                return Decision.PROPOSED
            bar = self
        lowest = bar.lowest_score
        return Decision.APPROVED if lowest is not None and score >= lowest else Decision.PROPOSED
