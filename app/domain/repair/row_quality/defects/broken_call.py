"""A tool call that no program can read: its arguments, or what stands in its tags, are no JSON."""

from __future__ import annotations

from app.domain.answers import Answer
from app.domain.diagnosis.symptoms.quoting import quoted
from app.domain.repair.row_quality.defects.finding import PLAIN_SIGN, NoisyRow
from app.domain.repair.row_quality.defects.habits import once
from app.domain.repair.row_quality.defects.reading import Reading


@once
def detect(reading: Reading) -> tuple[NoisyRow, ...]:
    return tuple(
        NoisyRow(row=row, detector="broken_call", score=PLAIN_SIGN, reason=reason)
        for row, example in enumerate(reading.examples)
        if example.teaches and (reason := _defect(example.answer)) is not None
    )


def _defect(answer: Answer) -> str | None:
    broken = next((call for call in answer.tool_calls if not call.well_formed), None)
    if broken is not None:
        said = quoted(str(broken.arguments))
        return (
            f"the arguments of the call {broken.name} are no JSON: {said}"
            if broken.name
            else f"the call is no JSON: {said}"
        )
    if answer.text.lstrip().startswith("<tool_call>"):
        return f"the call is no JSON: {quoted(answer.text)}"
    return None
