"""Which labels are taken for each other, asked of as many rows as it takes."""

from __future__ import annotations

import numpy as np
import pytest

from app.domain.estimators import ridge_leave_one_out


def test_large_labels_are_asked_in_part_and_small_ones_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    sizes = (600, 300, 5)
    classes = np.repeat(np.arange(3), sizes)
    centres = np.array([[1.0, 0.3, 0.0], [1.0, -0.3, 0.0], [0.0, 0.0, 1.0]])
    vectors = (centres[classes] + 0.3 * rng.normal(size=(len(classes), 3))).astype(np.float32)
    model = ridge_leave_one_out.fit(vectors, classes, 3, checked=np.arange(0, len(classes), 9))
    pairs = np.array([[0, 1], [1, 0], [2, 0], [0, 2]])
    whole = ridge_leave_one_out.confusions(model, vectors, classes, pairs)
    monkeypatch.setattr(ridge_leave_one_out, "_CONFUSION_ROWS", 205)
    part = ridge_leave_one_out.confusions(model, vectors, classes, pairs)
    assert not np.array_equal(part, whole)
    np.testing.assert_allclose(part, whole, atol=0.05)
    assert part[2] == pytest.approx(whole[2], abs=1e-6), "all five rows of the small label are asked"


@pytest.mark.parametrize(
    ("sizes", "most"), [((600, 300, 5), 205), ((4, 4, 4), 3), ((9, 1, 1, 1), 6), ((50,), 7)]
)
def test_the_cap_is_the_same_for_every_label_and_holds(
    monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, ...], most: int
) -> None:
    monkeypatch.setattr(ridge_leave_one_out, "_CONFUSION_ROWS", most)
    classes = np.repeat(np.arange(len(sizes)), sizes)
    kept = ridge_leave_one_out._spread(np.arange(len(classes)), classes)
    counts = np.bincount(classes[kept], minlength=len(sizes))
    assert len(np.unique(kept)) == len(kept) <= most
    cap = counts.max()
    np.testing.assert_array_equal(counts, np.minimum(sizes, cap))
    assert np.minimum(sizes, cap + 1).sum() > most, "no larger cap would do"
