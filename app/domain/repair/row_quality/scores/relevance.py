"""Does the output answer its input? By vectors and words, beside what is usual in the task.

1 less the probability that the output belongs to another input or carries a wrong label, and a little less for
the rows whose outputs fit their inputs least. A refusal and an empty output answer nothing.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from app.domain.estimators.noise_mixture import STATISTICAL_CEILING
from app.domain.repair.row_quality.defects import copied_prompt, empty, refused, unanswerable
from app.domain.repair.row_quality.defects.finding import PROPOSED_FROM
from app.domain.repair.row_quality.defects.statistics import JudgedRows

_ORDINARY_FLOOR: Final = 0.8
"""The component of the lowest ordinary row of a task: what is usual is no defect."""


def score(rows: JudgedRows) -> Float64[ndarray, " n"]:
    found = rows.statistics
    doubt = np.maximum.reduce([found.mismatch, found.label_quality, found.shapley_quality])
    # Its ceiling stands for certainty that no statistic has; here only the order counts.
    doubt = np.where(doubt >= PROPOSED_FROM, doubt / STATISTICAL_CEILING, doubt)
    made = (1.0 - doubt) * (_ORDINARY_FLOOR + (1.0 - _ORDINARY_FLOOR) * found.fit)
    for detect in (empty.detect, refused.detect, copied_prompt.detect, unanswerable.detect):
        for noisy in detect(rows):
            made[noisy.row] *= 1.0 - noisy.score
    return made
