"""The output declines to answer, in a task that is answered otherwise.

A set that teaches to decline does so in more than stray rows, and those are left alone. Whether one request
should be declined is a person's to say.
"""

from __future__ import annotations

from app.domain.diagnosis.symptoms import refusal
from app.domain.repair.row_quality.defects.finding import PLAIN_SIGN, NoisyRow, Sign
from app.domain.repair.row_quality.defects.habits import once, weighed
from app.domain.repair.row_quality.defects.reading import Reading


@once
def detect(reading: Reading) -> tuple[NoisyRow, ...]:
    signs = {}
    for row in range(len(reading)):
        found = refusal.detect(reading.case(row), reading.profile) if reading.prose[row] else None
        if found is not None:
            signs[row] = Sign(certainty=PLAIN_SIGN, reason=found.detail)
    return weighed(reading, "refused", signs)
