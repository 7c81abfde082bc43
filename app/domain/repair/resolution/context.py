"""What rules may look at besides the dispute itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from jaxtyping import Float64
from numpy import ndarray

from app.domain.repair.draft import Draft
from app.domain.repair.judging import AskJudge, JudgeLog
from app.domain.repair.material import Material
from app.domain.repair.quality import QualityPolicy
from app.domain.repair.row_quality import quality_scores


@dataclass(frozen=True, kw_only=True)
class ResolutionContext:
    """``measure_quality()``: (n,) quality of every row 0..1, measured when it is first asked for.
    ``ask_judge``: a language model, None where there is none; ``judge_log`` counts what became of the questions."""

    source_priority: tuple[str, ...] = ()
    measure_quality: Callable[[], Float64[ndarray, " n"]]
    ask_judge: AskJudge | None = None
    judge_log: JudgeLog = field(default_factory=JudgeLog)

    @classmethod
    def of(cls, draft: Draft, material: Material) -> ResolutionContext:
        return cls(
            source_priority=draft.policy.source_priority,
            measure_quality=lambda: (
                quality_scores(draft, material, draft.policy.quality or QualityPolicy()).scores
            ),
            ask_judge=material.ask_judge,
            judge_log=draft.judge_log,
        )

    @cached_property
    def quality(self) -> Float64[ndarray, " n"]:
        return self.measure_quality()
