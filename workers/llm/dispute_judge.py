"""What a language model adds to a plan where the policy names the rule ``judge``: its word on disputes.

What a dispute is and what of an answer counts is the domain's; this is how the answers are had, and what they cost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.domain.records import Message
from app.domain.repair.plan import RepairPlan
from app.domain.repair.policy.repair_policy import RepairPolicy, ResolutionRule
from workers.context import StageContext
from workers.llm.asking import Asking, client_of
from workers.llm.questions import Sampling

ANSWER_TOKENS = 300
NOT_CONFIGURED = "no language model is configured; the rule 'judge' decided nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeJudge:
    """``asking`` None: no endpoint is configured. ``still_wanted`` raises where the plan is cancelled."""

    asking: Asking | None
    still_wanted: Callable[[], None]

    def ask(self, messages: tuple[Message, ...]) -> str | None:
        if self.asking is None:
            return None
        self.still_wanted()
        return self.asking.ask([message.as_dict() for message in messages])

    def summary_of(self, counted: Mapping[str, Any]) -> dict[str, Any]:
        """The plan's part of the summary, ``counted`` by the rule, with the model, its cost and what went wrong."""
        if self.asking is None:
            return {"notes": [NOT_CONFIGURED]}
        client = self.asking.client
        return {
            **counted,
            "model": client.model,
            "asked": self.asking.asked,
            "spent_tokens": client.spent_tokens,
            "notes": [*counted.get("notes", ()), *filter(None, [self.asking.given_up])],
        }


def judge_of(
    context: StageContext, policy: RepairPolicy, still_wanted: Callable[[], None]
) -> DisputeJudge | None:
    """None where the policy asks no judge."""
    if ResolutionRule.JUDGE not in policy.conflict:
        return None
    client = client_of(context)
    asking = (
        None
        if client is None
        else Asking(client=client, sampling=Sampling(temperature=0.0, max_tokens=ANSWER_TOKENS))
    )
    return DisputeJudge(asking=asking, still_wanted=still_wanted)


def with_judge(plan: RepairPlan, judge: DisputeJudge | None) -> RepairPlan:
    """The plan whose summary tells of the judge, where there is one."""
    if judge is None:
        return plan
    return replace(plan, summary={**plan.summary, "judge": judge.summary_of(plan.summary.get("judge", {}))})
