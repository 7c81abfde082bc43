"""Rules that settle a dispute between rows. One file, one line and one member of
``policy.repair_policy.ResolutionRule`` each; the policy names their order.

``drop`` and ``ask`` are no rules of this kind: they need nothing to decide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.domain.repair.policy.repair_policy import ResolutionRule
from app.domain.repair.resolution import (
    best_quality,
    expected_output,
    judge,
    majority,
    newest,
    source_priority,
)
from app.domain.repair.resolution.context import ResolutionContext
from app.domain.repair.resolution.dispute import Dispute, Resolution

__all__ = ["RULES", "Dispute", "Resolution", "ResolutionContext"]

RULES: Mapping[ResolutionRule, Callable[[Dispute, ResolutionContext], Resolution | None]] = {
    ResolutionRule.EXPECTED_OUTPUT: expected_output.resolve,
    ResolutionRule.MAJORITY: majority.resolve,
    ResolutionRule.BEST_QUALITY: best_quality.resolve,
    ResolutionRule.NEWEST: newest.resolve,
    ResolutionRule.SOURCE_PRIORITY: source_priority.resolve,
    ResolutionRule.JUDGE: judge.resolve,
}
