"""Is the output whole and well formed: sentences end, brackets close, markup is that of its task?"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from app.domain.repair.row_quality.defects import broken_markup, empty, truncated, wrong_language
from app.domain.repair.row_quality.defects.statistics import JudgedRows

_BROKEN = ("\ufffd", "ï¿½")


def score(rows: JudgedRows) -> Float64[ndarray, " n"]:
    made = np.ones(len(rows))
    for detect in (empty.detect, truncated.detect, broken_markup.detect, wrong_language.detect):
        for noisy in detect(rows):
            made[noisy.row] *= 1.0 - noisy.score
    for row, output in enumerate(rows.outputs):
        if any(sign in output for sign in _BROKEN):
            made[row] *= 0.5  # a character was lost; the rest may be right
    return made
