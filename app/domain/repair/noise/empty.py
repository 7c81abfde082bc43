"""The output is empty, or spaces and invisible characters alone. What ends in its reasoning is ``reasoning``'s."""

from __future__ import annotations

import unicodedata

from app.domain.repair.noise import limits
from app.domain.repair.noise.finding import NoisyRow, Sign, once, weighed
from app.domain.repair.noise.reading import Reading


@once
def detect(reading: Reading) -> tuple[NoisyRow, ...]:
    signs = {
        row: Sign(certainty=limits.CERTAIN, reason="the output is empty: it teaches to say nothing")
        for row, output in enumerate(reading.outputs)
        if reading.prose[row] and says_nothing(output) and reading.examples[row].answer.reasoning is None
    }
    return weighed(reading, "empty", signs)


def says_nothing(output: str) -> bool:
    """Whether a text holds spaces, control and format characters only."""
    if len(output) > 1000 and output[:1000].strip():
        return False
    return not output.strip() or all(c.isspace() or unicodedata.category(c) in ("Cf", "Cc") for c in output)
