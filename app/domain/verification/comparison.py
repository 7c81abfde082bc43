"""Before and after, row by row, and what they come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from app.domain.answers.scoring import ScoringMethod, score_answer
from app.domain.verification.fix_rate import FixRate, fix_rate
from app.domain.verification.gate import Gate, GateSettings, gate
from app.domain.verification.retention import Retention, RetentionScore, retention
from app.domain.verification.verdict import CaseVerdict, judge_case


class Part(StrEnum):
    """``case``: trained on. ``held_back``: never. ``retention``: what else it could do."""

    CASE = "case"
    HELD_BACK = "held_back"
    RETENTION = "retention"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredPrompt:
    """One prompt answered before and after. ``slice_name`` groups retention rows ("" = one slice)."""

    id: str
    part: Part
    prompt: str
    expected_output: str
    before_output: str
    after_output: str
    alternatives: tuple[str, ...] = ()
    slice_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedAnswer:
    """A row of the before/after table; scores 0..1 by ``method``."""

    id: str
    part: Part
    prompt: str
    expected_output: str
    before_output: str
    after_output: str
    before_score: float
    after_score: float
    method: ScoringMethod
    verdict: CaseVerdict
    slice_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """``counts[part][verdict]`` counts ``answers``; a rate without cases is None with n = 0."""

    answers: tuple[ComparedAnswer, ...]
    counts: dict[str, dict[str, int]]
    fix_rate: FixRate
    held_back_fix_rate: FixRate
    retention: Retention | None
    gate: Gate


def compare(
    answered: Sequence[AnsweredPrompt], *, settings: GateSettings | None = None, rng: np.random.Generator
) -> Comparison:
    """Score every answer before and after and sum up. Equal arguments and generator state, equal result."""
    answers = tuple(_compared(row) for row in answered)
    counts: dict[str, Counter[str]] = {part.value: Counter() for part in Part}
    for answer in answers:
        counts[answer.part.value][answer.verdict.value] += 1
    kept = retention(
        [
            RetentionScore(slice_name=a.slice_name, before=a.before_score, after=a.after_score)
            for a in answers
            if a.part is Part.RETENTION
        ],
        rng=rng,
    )
    fixed = fix_rate(a.verdict for a in answers if a.part is Part.CASE)
    return Comparison(
        answers=answers,
        counts={part: dict(verdicts) for part, verdicts in counts.items()},
        fix_rate=fixed,
        held_back_fix_rate=fix_rate(a.verdict for a in answers if a.part is Part.HELD_BACK),
        retention=kept,
        gate=gate(kept, settings, fixed=fixed),
    )


def _compared(row: AnsweredPrompt) -> ComparedAnswer:
    before = score_answer(row.before_output, row.expected_output, row.alternatives, prompt=row.prompt)
    after = score_answer(row.after_output, row.expected_output, row.alternatives, prompt=row.prompt)
    return ComparedAnswer(
        id=row.id,
        part=row.part,
        prompt=row.prompt,
        expected_output=row.expected_output,
        before_output=row.before_output,
        after_output=row.after_output,
        before_score=before.score,
        after_score=after.score,
        method=after.method,
        verdict=judge_case(before, after),
        slice_name=row.slice_name,
    )
