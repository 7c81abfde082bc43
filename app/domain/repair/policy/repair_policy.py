"""What a repair may do on its own, and by which rules. Knows no method and no storage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from app.domain.repair.policy.balance import BalancePolicy
from app.domain.repair.policy.decision import Decision
from app.domain.repair.policy.duplicates import DuplicatePolicy
from app.domain.repair.policy.fields import check_fields, choice, flag, names, share, texts
from app.domain.repair.policy.normalisation import NormalisationPolicy
from app.domain.repair.policy.pii import PiiPolicy
from app.domain.repair.policy.quality import QualityPolicy

# Jaccard of character n-grams from which two prompts are one prompt written twice. Below 0.8 a short
# question with one other word ("weather in Rome", "weather in Oslo") would count.
NEAR_DUPLICATE_JACCARD: Final = 0.8

# An action that is right with at least this probability is approved without a person ("confident").
CONFIDENT_SCORE: Final = 0.8


class ResolutionRule(StrEnum):
    """How a conflicting group is settled; the first rule of a policy that can decide does."""

    EXPECTED_OUTPUT = "expected_output"
    MAJORITY = "majority"
    BEST_QUALITY = "best_quality"
    NEWEST = "newest"
    SOURCE_PRIORITY = "source_priority"
    JUDGE = "judge"
    DROP = "drop"
    ASK = "ask"


class Approval(StrEnum):
    """Which actions need no person: all that a rule decided, the confident ones, none."""

    ALL = "all"
    CONFIDENT = "confident"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairPolicy:
    """What a repair may do on its own.

    ``min_score`` (0..1) is the score from which ``approve="confident"`` approves.
    ``source_priority`` names sources, the most trusted first, for the rule of that name.
    ``contradictions``: look for rows that contradict each other, and for labels with two names, where no bad
    case points. ``near_duplicate_threshold`` is a Jaccard of character n-grams, 0..1; None leaves near-duplicates
    alone. ``balance`` None only shows how the rows are spread; else copies are proposed, never approved here.
    """

    conflict: tuple[ResolutionRule, ...] = (
        ResolutionRule.EXPECTED_OUTPUT,
        ResolutionRule.MAJORITY,
        ResolutionRule.ASK,
    )
    source_priority: tuple[str, ...] = ()
    approve: Approval = Approval.CONFIDENT
    min_score: float = CONFIDENT_SCORE
    near_duplicate_threshold: float | None = NEAR_DUPLICATE_JACCARD
    contradictions: bool = True
    noise: bool = True
    quality: QualityPolicy | None = field(default_factory=QualityPolicy)
    normalise: NormalisationPolicy = field(default_factory=NormalisationPolicy)
    pii: PiiPolicy = field(default_factory=PiiPolicy)
    balance: BalancePolicy | None = None
    duplicates: DuplicatePolicy = field(default_factory=DuplicatePolicy)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> RepairPolicy:
        """Validate a policy from outside; a ValueError says what is wrong and how to fix it."""
        check_fields(raw, cls.__dataclass_fields__)
        values: dict[str, Any] = {}
        if "conflict" in raw:
            values["conflict"] = _rules(raw["conflict"])
        if "source_priority" in raw:
            values["source_priority"] = texts(raw["source_priority"], "source_priority")
        if "approve" in raw:
            values["approve"] = choice(Approval, raw["approve"], "approve")
        if "min_score" in raw:
            values["min_score"] = share(raw["min_score"], "min_score")
        if "near_duplicate_threshold" in raw:
            given = raw["near_duplicate_threshold"]
            values["near_duplicate_threshold"] = None if given is None else _threshold(given)
        if "contradictions" in raw:
            values["contradictions"] = flag(raw["contradictions"], "contradictions")
        if "noise" in raw:
            values["noise"] = flag(raw["noise"], "noise")
        if "quality" in raw:
            given = raw["quality"]
            values["quality"] = None if given is None else QualityPolicy.from_dict(given)
        if "duplicates" in raw:
            values["duplicates"] = DuplicatePolicy.from_dict(raw["duplicates"])
        if "normalise" in raw:
            values["normalise"] = NormalisationPolicy.from_raw(raw["normalise"])
        if "pii" in raw:
            values["pii"] = PiiPolicy.from_dict(raw["pii"])
        if raw.get("balance") is not None:
            values["balance"] = BalancePolicy.from_dict(raw["balance"])
        return cls(**values)

    def as_dict(self) -> dict[str, Any]:
        return {
            "conflict": [rule.value for rule in self.conflict],
            "source_priority": list(self.source_priority),
            "approve": self.approve.value,
            "min_score": self.min_score,
            "near_duplicate_threshold": self.near_duplicate_threshold,
            "contradictions": self.contradictions,
            "noise": self.noise,
            "quality": None if self.quality is None else self.quality.as_dict(),
            "normalise": self.normalise.as_raw(),
            "pii": self.pii.as_dict(),
            "balance": None if self.balance is None else self.balance.as_dict(),
            "duplicates": self.duplicates.as_dict(),
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
        raise ValueError(f"policy.conflict is {raw!r}; give a list of {names(ResolutionRule)}")
    rules = tuple(choice(ResolutionRule, rule, "conflict") for rule in raw)
    if len(set(rules)) < len(rules):
        raise ValueError("policy.conflict names a rule twice; name each once, in the order to try them")
    return rules


def _threshold(raw: object) -> float:
    made = share(raw, "near_duplicate_threshold")
    if made == 0:
        raise ValueError(
            "policy.near_duplicate_threshold is 0, which every pair reaches; "
            "give null to leave near-duplicates alone"
        )
    return made
