"""The output, or the whole input, holds a place that was to be filled in: '{{name}}', '<AUTHOR>', 'TODO', 'nan'.

No habit excuses it: where a template was never filled in, every row of it is so. A person decides.
"""

from __future__ import annotations

from app.domain import text
from app.domain.diagnosis.symptoms.finding import quoted
from app.domain.language import placeholders
from app.domain.repair import thresholds
from app.domain.repair.noise import limits
from app.domain.repair.noise.finding import NoisyRow, once
from app.domain.repair.noise.reading import Reading
from app.domain.repair.pii.match import PiiKind

_REDACTED = frozenset(f"[{kind.value.upper()}]" for kind in PiiKind)


@once
def detect(reading: Reading) -> tuple[NoisyRow, ...]:
    made = []
    for row, output in enumerate(reading.outputs):
        place = _in_output(reading, row, output) if reading.prose[row] else None
        where = "output"
        if place is None and placeholders.is_nothing(reading.prompts[row]):
            place, where = reading.prompts[row].strip(), "input"
        if place is not None:
            made.append(
                NoisyRow(
                    row=row,
                    detector="placeholder",
                    score=limits.PLAIN_SIGN,
                    reason=f"placeholder not filled in: the {where} holds {quoted(place)}",
                    evidence={"placeholder": place, "where": where},
                )
            )
    return tuple(made)


def _in_output(reading: Reading, row: int, output: str) -> str | None:
    example = reading.examples[row]
    if placeholders.is_nothing(output):
        place = output.strip()
        rows = reading.output_rows[int(reading.tasks[row]), reading.normal[row]]
        if placeholders.is_also_said(output) and rows >= thresholds.LABEL_MIN_ROWS:
            return None
    else:
        place = placeholders.found(text.clip(output))
    if place is None or place in _REDACTED:
        return None
    asked = f"{example.system or ''}\n{text.clip(example.prompt)}"
    return None if placeholders.asked_for(asked, place) else place
