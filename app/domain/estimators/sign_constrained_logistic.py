"""A logistic regression that knows in advance which way each feature can speak.

Many measures of one thing say nearly the same. Left free, some get the wrong sign to correct for others, and
that does not carry over from simulated cases to real ones. So signs are given, and the weights of measures that
speak alike are pulled towards one common weight rather than towards nothing: an average of opinions (Dawes
1979, "The robust beauty of improper linear models") unless the data object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float64
from numpy import ndarray
from scipy.optimize import minimize
from scipy.special import expit

_JUDGE_C: Final = 0.3
"""Inverse strength of the ridge penalty on standardised features."""

_JUDGE_APART_C: Final = 0.003
"""Like ``_JUDGE_C``, of what weights of measures of one thing have beyond a common weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedLinear:
    """``weights`` (f,) of the features less ``mean`` over ``spread``, and an ``offset``, in log-odds."""

    mean: Float64[ndarray, " f"]
    spread: Float64[ndarray, " f"]
    weights: Float64[ndarray, " f"]
    offset: float

    def chance(self, features: Float64[ndarray, "q f"]) -> Float64[ndarray, " q"]:
        """Probability 0..1 of the positive class."""
        odds = ((features - self.mean) / self.spread) @ self.weights + self.offset
        return expit(odds)


def fit(
    features: Float64[ndarray, "m f"],
    positive: Bool[ndarray, " m"],
    importance: Float64[ndarray, " m"],
    *,
    signs: Sequence[int],
    alike: Bool[ndarray, " f"],
) -> SignedLinear:
    """``signs``: the sign of each weight, 0 = either. ``alike``: features that share a common weight, as far as
    a sign is given; the others are pulled towards 0. ``importance``: weight of each case."""
    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    unit, target = (features - mean) / spread, np.where(positive, 1.0, -1.0)
    sign = np.array(signs, dtype=np.float64)
    together = np.where(alike & (features.std(axis=0) > 0), sign, 0.0)
    together /= max(1.0, float(np.sqrt(np.abs(together).sum())))
    looseness = np.where(together != 0, _JUDGE_APART_C, _JUDGE_C)
    count = len(sign)

    def loss(at: ndarray) -> tuple[float, ndarray]:
        weights, common, offset = at[:count], at[count], at[count + 1]
        margin = target * (unit @ weights + offset)
        slope = -target * importance * np.exp(-np.logaddexp(0.0, margin))
        apart = weights - common * together
        pull = apart / looseness
        value = importance @ np.logaddexp(0.0, -margin) + apart @ pull / 2 + common**2 / _JUDGE_C / 2
        tail = [common / _JUDGE_C - pull @ together, slope.sum()]
        return float(value), np.concatenate([unit.T @ slope + pull, tail])

    bounds = [(0.0 if s > 0 else None, 0.0 if s < 0 else None) for s in signs]
    found = minimize(
        loss, np.zeros(count + 2), jac=True, method="L-BFGS-B", bounds=[*bounds, (0.0, None), (None, None)]
    ).x
    return SignedLinear(mean=mean, spread=spread, weights=found[:count], offset=float(found[count + 1]))
