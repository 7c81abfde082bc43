"""The output is empty, or spaces and invisible characters alone. What ends in its reasoning is ``reasoning``'s."""

from __future__ import annotations

from app.domain.diagnosis.symptoms.empty import says_nothing
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
