"""The row misleads the nearest-neighbour vote on the rows around it: negative kNN-Shapley (Jia et al. 2019)."""

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
            detector="knn_shapley",
            score=float(found.shapley_quality[row]),
            reason=f"the rows around it are told apart better without it: {quoted(reading.outputs[row])} is not "
            "what its neighbours answer",
            evidence={"shapley": round(float(found.shapley[row]), 5)},
            statistical=True,
        )
        for row in np.flatnonzero(found.shapley_quality >= PROPOSED_FROM).tolist()
    )
