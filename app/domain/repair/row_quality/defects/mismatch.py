"""The output belongs to another input: it fits its own as badly as outputs that were swapped on purpose."""

from __future__ import annotations

import numpy as np

from app.domain.diagnosis.symptoms.quoting import quoted
from app.domain.repair.row_quality.defects.finding import PROPOSED_FROM, NoisyRow
from app.domain.repair.row_quality.defects.habits import once
from app.domain.repair.row_quality.defects.statistics import JudgedRows


@once
def detect(reading: JudgedRows) -> tuple[NoisyRow, ...]:
    found = reading.statistics
    return tuple(
        NoisyRow(
            row=row,
            detector="mismatch",
            score=float(found.mismatch[row]),
            reason=f"the output {quoted(reading.outputs[row])} fits this input as outputs of other inputs do",
            evidence={"fit_rank": round(float(found.fit[row]), 4)},
            statistical=True,
        )
        for row in np.flatnonzero(found.mismatch >= PROPOSED_FROM).tolist()
    )
