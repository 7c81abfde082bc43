"""What rules may look at besides the dispute itself: qualities, sources, a judge, and what bad cases expect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from jaxtyping import Float64
from numpy import ndarray

from app.domain.repair.draft.draft import Draft
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.draft.judge_log import AskJudge, JudgeLog
from app.domain.repair.resolution import expectations
from app.domain.repair.resolution.dispute import Dispute
from app.domain.repair.resolution.expectations import Expectations
from app.domain.repair.row_quality.reading import quality_scores
from app.domain.repair.row_quality.scores import QualityPolicy


@dataclass(frozen=True, kw_only=True)
class ResolutionContext:
    """``measure_quality()``: (n,) quality of every row 0..1; ``look_up_expectations()``: the bad cases that ask what
    rows ask. Both are worked out when they are first asked for.
    ``ask_judge``: a language model, None where there is none; ``judge_log`` counts what became of the questions."""

    source_priority: tuple[str, ...] = ()
    measure_quality: Callable[[], Float64[ndarray, " n"]]
    look_up_expectations: Callable[[], Expectations] = Expectations
    ask_judge: AskJudge | None = None
    judge_log: JudgeLog = field(default_factory=JudgeLog)

    @classmethod
    def of(cls, draft: Draft, material: PlanInputs) -> ResolutionContext:
        return cls(
            source_priority=draft.policy.source_priority,
            measure_quality=lambda: (
                quality_scores(draft, material, draft.policy.quality or QualityPolicy()).scores
            ),
            look_up_expectations=lambda: expectations.of(draft, material),
            ask_judge=material.ask_judge,
            judge_log=draft.judge_log,
        )

    def votes(self, dispute: Dispute) -> tuple[int, ...]:
        """How many bad cases that ask what the dispute's rows ask expect each of its sides."""
        return self._expectations.votes(dispute)

    @cached_property
    def _expectations(self) -> Expectations:
        return self.look_up_expectations()

    @cached_property
    def quality(self) -> Float64[ndarray, " n"]:
        return self.measure_quality()
