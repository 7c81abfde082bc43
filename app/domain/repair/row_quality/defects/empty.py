"""The output is empty, or spaces and invisible characters alone. What ends in its reasoning is ``reasoning``'s."""

from __future__ import annotations

from typing import Final

from app.domain.diagnosis.symptoms.empty import says_nothing
from app.domain.repair.row_quality.defects.finding import NoisyRow, Sign
from app.domain.repair.row_quality.defects.habits import once, weighed
from app.domain.repair.row_quality.defects.reading import Reading

_CERTAIN: Final = 0.97
"""An empty output teaches to say nothing; three in a hundred may be meant."""


@once
def detect(reading: Reading) -> tuple[NoisyRow, ...]:
    signs = {
        row: Sign(certainty=_CERTAIN, reason="the output is empty: it teaches to say nothing")
        for row, output in enumerate(reading.outputs)
        if reading.prose[row] and says_nothing(output) and reading.examples[row].answer.reasoning is None
    }
    return weighed(reading, "empty", signs)
