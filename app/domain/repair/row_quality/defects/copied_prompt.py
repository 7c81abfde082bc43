"""The output is the prompt again, in a task that does not copy."""

from __future__ import annotations

from typing import Final

from app.domain.answers.relation import word_f1
from app.domain.diagnosis.symptoms.quoting import quoted
from app.domain.estimators.noise_mixture import STATISTICAL_CEILING
from app.domain.language import text
from app.domain.repair.row_quality.defects.finding import FAINT_SIGN, PLAIN_SIGN, NoisyRow, Sign
from app.domain.repair.row_quality.defects.habits import once, weighed
from app.domain.repair.row_quality.defects.reading import Reading

_COPY_MIN_TOKENS: Final = 4
_COPY_LONG_TOKENS: Final = 8
_COPY_F1: Final = 0.9
"""Word F1 from which an output is its input again."""


@once
def detect(reading: Reading) -> tuple[NoisyRow, ...]:
    signs = {}
    for row, example in enumerate(reading.examples):
        if reading.prose[row]:
            sign = _copied(
                text.clip(example.prompt), text.clip(reading.prompts[row]), text.clip(example.output)
            )
            if sign is not None:
                signs[row] = sign
    return weighed(reading, "copied_prompt", signs)


def _copied(whole: str, varying: str, output: str) -> Sign | None:
    length = len(output)
    # What differs by a quarter in length is no copy, and the words of a long text need not be counted.
    if not any(0.75 * len(asked) <= length <= 1.25 * len(asked) for asked in (whole, varying)):
        return None
    words = len(text.tokens(output))
    if words < _COPY_MIN_TOKENS:
        return None
    said = text.normalised(output)
    for asked in (whole, varying):
        if said == text.normalised(asked):
            # A sentence that needed no correction comes back as it was: that copies the input alone.
            all_of_it = asked is whole and words >= _COPY_LONG_TOKENS
            return Sign(
                certainty=STATISTICAL_CEILING if all_of_it else PLAIN_SIGN,
                reason=f"the output repeats the prompt word for word: {quoted(output)}",
                evidence={"word_f1": 1.0},
            )
    if words < _COPY_LONG_TOKENS:
        return None
    f1 = max(word_f1(whole, output), word_f1(varying, output))
    if f1 < _COPY_F1 or text.numbers(output) != text.numbers(varying):
        return None
    return Sign(
        certainty=FAINT_SIGN,
        reason=f"{f1:.0%} of the output's words are the prompt's: {quoted(output)}",
        evidence={"word_f1": round(f1, 3)},
    )
