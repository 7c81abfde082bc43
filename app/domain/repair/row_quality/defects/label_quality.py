"""A model of the other rows gives another label: label quality (Northcutt, Jiang and Chuang 2021)."""

from __future__ import annotations

import numpy as np

from app.domain.diagnosis.symptoms.quoting import quoted
from app.domain.repair.row_quality.defects.finding import PROPOSED_FROM, NoisyRow
from app.domain.repair.row_quality.defects.habits import once
from app.domain.repair.row_quality.defects.statistics import JudgedRows


@once
def detect(reading: JudgedRows) -> tuple[NoisyRow, ...]:
    found = reading.statistics
    made = []
    for row in np.flatnonzero(found.label_quality >= PROPOSED_FROM).tolist():
        other = int(found.likelier[row])
        fits = f", {quoted(reading.outputs[other])} fits better" if other >= 0 else ""
        made.append(
            NoisyRow(
                row=row,
                detector="label_quality",
                score=float(found.label_quality[row]),
                reason=f"a model of the other rows gives the label {quoted(reading.outputs[row])} with probability "
                f"{found.self_confidence[row]:.2f}{fits}",
                evidence={
                    "self_confidence": round(float(found.self_confidence[row]), 4),
                    "normalised_margin": round(float(found.margin[row]), 4),
                },
                statistical=True,
            )
        )
    return tuple(made)
