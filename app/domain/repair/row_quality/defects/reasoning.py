"""The answer ends inside its reasoning, or nothing stands behind it: it teaches to think and not to answer.

An empty block in front of an answer is how models that reason are told not to, and no defect. Neither is a habit.
"""

from __future__ import annotations

from app.domain.answers import Answer
from app.domain.diagnosis.symptoms.quoting import quoted
from app.domain.language import phrases
from app.domain.records import TrainingExample
from app.domain.repair.row_quality.defects.finding import PLAIN_SIGN, NoisyRow
from app.domain.repair.row_quality.defects.habits import once
from app.domain.repair.row_quality.defects.reading import Reading


@once
def detect(reading: Reading) -> tuple[NoisyRow, ...]:
    return tuple(
        NoisyRow(
            row=row,
            detector="reasoning",
            score=PLAIN_SIGN,
            reason=reason,
            evidence={"reasoning_closed": example.answer.reasoning_closed},
        )
        for row, example in enumerate(reading.examples)
        if example.teaches and (reason := _defect(example.answer)) is not None and not _about_tags(example)
    )


def _defect(answer: Answer) -> str | None:
    if answer.reasoning is None or not answer.is_empty:
        return None
    if not answer.reasoning_closed:
        return f"the reasoning is cut off: it ends with {quoted(answer.reasoning[-40:])}"
    return "no answer stands behind the reasoning"


def _about_tags(example: TrainingExample) -> bool:
    """Whether the tag itself is the answer: 'Which tag opens the reasoning?'"""
    return not example.answer.reasoning and phrases.pattern("characters").search(example.prompt) is not None
