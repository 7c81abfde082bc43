from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.repair.contradictions.confusion_em import leave_one_out_ridge, softmax
from tests.effort import examples


@settings(max_examples=examples(20))
@given(st.integers(0, 1000))
def test_the_closed_form_leave_one_out_is_a_fit_without_the_point(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, targets = rng.normal(size=(9, 3)), rng.normal(size=(9, 2))
    weights = rng.uniform(0.5, 2.0, size=9)
    quick = leave_one_out_ridge(points, targets, weights)
    mean = np.average(targets, axis=0, weights=weights)
    for i in range(9):
        rest = np.arange(9) != i
        x, y, w = points[rest], targets[rest] - mean, weights[rest]
        beta = np.linalg.solve(x.T @ (x * w[:, None]) + np.eye(3), x.T @ (y * w[:, None]))
        np.testing.assert_allclose(quick[i], points[i] @ beta + mean, atol=1e-9)


def test_softmax_rows_sum_to_one_even_for_large_scores() -> None:
    rows = softmax(np.array([[1e4, 0.0], [-1e4, -1e4]]))
    np.testing.assert_allclose(rows.sum(axis=1), 1.0)
