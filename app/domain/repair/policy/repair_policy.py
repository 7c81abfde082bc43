"""What a repair may do on its own, and by which rules. Knows no method and no storage."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, StrictBool, field_validator

from app.domain.repair.policy.balance import BalancePolicy
from app.domain.repair.policy.decision import Decision
from app.domain.repair.policy.duplicates import DuplicatePolicy
from app.domain.repair.policy.normalisation import NormalisationPolicy
from app.domain.repair.policy.pii import PiiPolicy
from app.domain.repair.policy.quality import QualityPolicy
from app.domain.section import Section, Share

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


def _as_list(raw: Any) -> Any:
    return [raw] if isinstance(raw, str) else raw


class Approval(StrEnum):
    """Which actions need no person: all that a rule decided, the confident ones, none."""

    ALL = "all"
    CONFIDENT = "confident"
    NONE = "none"


class RepairPolicy(Section):
    """What a repair may do on its own."""

    conflict: Annotated[tuple[ResolutionRule, ...], BeforeValidator(_as_list), Field(min_length=1)] = (
        ResolutionRule.EXPECTED_OUTPUT,
        ResolutionRule.MAJORITY,
        ResolutionRule.ASK,
    )
    """Rules that settle a contradiction, in the order in which they are tried."""
    source_priority: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Names of sources, the most trusted first, for the rule of that name."""
    approve: Approval = Approval.CONFIDENT
    min_score: Share = CONFIDENT_SCORE
    """The score from which ``approve: confident`` approves."""
    near_duplicate_threshold: Annotated[float, Field(strict=True, gt=0, le=1)] | None = NEAR_DUPLICATE_JACCARD
    """Jaccard of character n-grams; null leaves near-duplicates alone."""
    contradictions: StrictBool = True
    """Look for rows that contradict each other, and for labels with two names, where no bad case points."""
    noise: StrictBool = True
    quality: QualityPolicy | None = Field(default_factory=QualityPolicy)
    """null: no row is scored."""
    normalise: NormalisationPolicy = Field(default_factory=NormalisationPolicy)
    pii: PiiPolicy = Field(default_factory=PiiPolicy)
    balance: BalancePolicy | None = None
    """null only shows how the rows are spread; else copies are proposed, never approved here."""
    duplicates: DuplicatePolicy = Field(default_factory=DuplicatePolicy)

    @field_validator("conflict")
    @classmethod
    def _each_once(cls, rules: tuple[ResolutionRule, ...]) -> tuple[ResolutionRule, ...]:
        if len(set(rules)) < len(rules):
            raise ValueError("it names a rule twice; name each once, in the order to try them")
        return rules

    def decision_for(self, score: float) -> Decision:
        """The decision that an action of this score starts with, where a rule decided it."""
        match self.approve:
            case Approval.ALL:
                return Decision.APPROVED
            case Approval.CONFIDENT:
                return Decision.APPROVED if score >= self.min_score else Decision.PROPOSED
            case Approval.NONE:
                return Decision.PROPOSED
