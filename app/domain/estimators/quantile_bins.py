"""Quantile bins of columns, found once for fits with many weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

_MEANING_BINS: Final = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """Quantile bins of every column, found once: a weighted fit would look for them anew, weight by weight."""

    edges: tuple[Float32[ndarray, " e"], ...]

    def of(self, pairs: Float32[ndarray, "p c"]) -> Float32[ndarray, "p c"]:
        """Bin numbers 0.., in place of the values."""
        return np.column_stack(
            [np.searchsorted(e, pairs[:, i], side="right") for i, e in enumerate(self.edges)]
        ).astype(np.float32)


def bins(pairs: Float32[ndarray, "p c"]) -> Bins:
    """Bins of about equally many of ``pairs``."""
    at = np.linspace(0.0, 1.0, _MEANING_BINS + 1)[1:-1]
    return Bins(edges=tuple(np.unique(np.quantile(column, at)) for column in pairs.T))
