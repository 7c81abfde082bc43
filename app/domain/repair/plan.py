"""The repair plan: every change that a diagnosis justifies, each with reason, score and evidence.

Knows rows, vectors, bad cases that may be used, and findings. Does not know storage. Of held-back cases it
knows the prompts alone, to take rows out that repeat them: they never teach anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.language import text
from app.domain.records import TrainingExample
from app.domain.repair.draft import open_questions
from app.domain.repair.draft.actions import ActionKind, ProposedAction, decide
from app.domain.repair.draft.draft import Draft
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.draft.row_bands import RowQuality
from app.domain.repair.policy.decision import Decision
from app.domain.repair.policy.repair_policy import Approval, RepairPolicy, ResolutionRule
from app.domain.repair.steps import STEPS

__all__ = [
    "ActionKind",
    "Approval",
    "Decision",
    "PlanInputs",
    "ProposedAction",
    "RepairPlan",
    "RepairPolicy",
    "ResolutionRule",
    "decide",
    "plan_repair",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairPlan:
    """``actions`` in the order in which they compose; ``summary`` counts them, JSON-ready. ``row_quality``: the score
    and band of each row in the rows' order, () where the policy scores none."""

    actions: tuple[ProposedAction, ...]
    summary: dict[str, Any]
    row_quality: tuple[RowQuality, ...] = ()


def plan_repair(
    examples: Sequence[TrainingExample],
    material: PlanInputs,
    policy: RepairPolicy,
    progress: Callable[[float], None] = lambda _: None,
) -> RepairPlan:
    """Plan the repair of a training set: every step of ``STEPS`` in turn.

    Two runs with equal arguments and generator state give equal plans.
    """
    material.check(len(examples))
    draft = Draft.of(examples, policy)
    for done, (_, propose) in enumerate(STEPS, start=1):
        propose(draft, material)
        progress(done / len(STEPS))
    return RepairPlan(actions=tuple(draft.actions), summary=_summary(draft), row_quality=draft.row_quality)


def _summary(draft: Draft) -> dict[str, Any]:
    # A proposal relabels nothing: it is counted by its decision.
    relabelled = Counter(
        (
            text.normalised(TrainingExample.from_content(before).output),
            text.normalised(a.evidence["expected_output"]),
        )
        for a in draft.actions
        if a.kind is ActionKind.RELABEL and a.after and a.decision is Decision.APPROVED
        for before in a.before
    )
    questions = [a for a in draft.actions if open_questions.is_open(a.kind, a.decision, a.evidence)]
    kept_out = {i for a in questions for i in open_questions.rows_kept_out(a.kind, a.example_ids, a.evidence)}
    return {
        "rows": len(draft.examples),
        "actions": len(draft.actions),
        "by_kind": dict(Counter(a.kind.value for a in draft.actions)),
        "by_rule": dict(Counter(str(a.evidence["rule"]) for a in draft.actions)),
        "by_decision": dict(Counter(a.decision.value for a in draft.actions)),
        "open_questions": {"count": len(questions), "rows_kept_out": len(kept_out)},
        "relabelled": [
            {"from": wrong, "to": right, "rows": rows} for (wrong, right), rows in relabelled.most_common()
        ],
        "policy": draft.policy.as_dict(),
        **({"judge": draft.judge_log.as_dict()} if ResolutionRule.JUDGE in draft.policy.conflict else {}),
        **draft.notes,
    }
