"""A measure beside what is usual in its task: 1 for the ordinary, falling where a row is far below."""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from app.domain.diagnosis.symptoms.profile import SHAPE_MIN_ROWS
from app.domain.repair.row_quality.defects.reading import Reading

_SPECIFIC_DEVIATIONS: Final = 3.0
"""Robust deviations below the task's median at which half of a component is gone."""


_FLAT = 1e-3
_MAD_TO_SIGMA = 1.4826


def beside_task(values: Float64[ndarray, " n"], reading: Reading) -> Float64[ndarray, " n"]:
    """Shape (n,), 0..1: 1 at and above the task's median, .5 at ``_SPECIFIC_DEVIATIONS`` robust standard
    deviations below, 0 from twice that. Rows of small tasks are compared with all of them together."""
    made = np.ones(len(values))
    small = []
    for members in reading.task_rows:
        if len(members) >= SHAPE_MIN_ROWS:
            made[members] = _beside(values[members])
        else:
            small.append(members)
    if small:
        rest = np.concatenate(small)
        made[rest] = _beside(values[rest])
    return made


def _beside(values: Float64[ndarray, " r"]) -> Float64[ndarray, " r"]:
    median = float(np.median(values))
    spread = _MAD_TO_SIGMA * float(np.median(np.abs(values - median)))
    # Where most rows are equal the mean deviation still tells how far the others go.
    spread = max(spread, float(np.abs(values - median).mean()), _FLAT)
    return np.clip(1.0 - np.maximum(median - values, 0.0) / spread / (2 * _SPECIFIC_DEVIATIONS), 0.0, 1.0)
