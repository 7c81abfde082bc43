"""The output, or the whole input, holds a place that was to be filled in: '{{name}}', '<AUTHOR>', 'TODO', 'nan'.

No habit excuses it: where a template was never filled in, every row of it is so. A person decides.
"""

from __future__ import annotations

from app.domain.answers.labels import LABEL_MIN_ROWS
from app.domain.diagnosis.symptoms.quoting import quoted
from app.domain.language import placeholders, text
from app.domain.repair.policy.pii import PiiKind
from app.domain.repair.row_quality.defects.finding import PLAIN_SIGN, NoisyRow
from app.domain.repair.row_quality.defects.habits import once
from app.domain.repair.row_quality.defects.reading import Reading

_REDACTED = frozenset(f"[{kind.value.upper()}]" for kind in PiiKind)


@once
def detect(reading: Reading) -> tuple[NoisyRow, ...]:
    made = []
    for row, example in enumerate(reading.examples):
        asked = f"{example.system or ''}\n{text.clip(example.prompt)}"
        answered = text.clip(reading.outputs[row])
        found = {
            "output": _in_output(reading, row, answered) if reading.prose[row] else None,
            "input": _place(text.clip(reading.prompts[row])),
        }
        # What stands in both is handed on: the task works with it.
        for where, other in (("output", asked), ("input", answered)):
            place = found[where]
            if place is None or place in _REDACTED or place.casefold() in other.casefold():
                continue
            if not placeholders.is_topic(asked.replace(place, " ")):
                made.append(
                    NoisyRow(
                        row=row,
                        detector="placeholder",
                        score=PLAIN_SIGN,
                        reason=f"placeholder not filled in: the {where} holds {quoted(place)}",
                        evidence={"placeholder": place, "where": where},
                    )
                )
                break
    return tuple(made)


def _in_output(reading: Reading, row: int, answered: str) -> str | None:
    rows = reading.output_rows[int(reading.tasks[row]), reading.normal[row]]
    if placeholders.is_also_said(answered) and rows >= LABEL_MIN_ROWS:
        return None
    return _place(answered)


def _place(said: str) -> str | None:
    return said.strip() if placeholders.is_nothing(said) else placeholders.found(said)
