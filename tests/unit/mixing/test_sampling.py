from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.mixing.sampling import (
    apportion,
    draw_examples,
    draw_without_repeats,
    repeats,
    temperature_weights,
)

_SIZES = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=3), st.integers(0, 50), min_size=1, max_size=8
)


@given(st.integers(0, 500), _SIZES.filter(lambda s: sum(s.values()) > 0))
def test_parts_sum_exactly_and_are_off_by_less_than_one(total: int, sizes: dict[str, int]) -> None:
    weights = {name: float(size) for name, size in sizes.items()}
    parts = apportion(total, weights)
    assert sum(parts.values()) == total
    mass = sum(weights.values())
    assert all(abs(parts[n] - total * w / mass) < 1 for n, w in weights.items())


@pytest.mark.parametrize("weights", [{"a": 0.0}, {"a": -1.0, "b": 2.0}, {"a": float("nan")}, {}])
def test_weights_that_say_nothing_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="weights must be finite"):
        apportion(3, weights)


@given(_SIZES, st.floats(0, 1))
def test_temperature_draws_rare_groups_up_and_keeps_their_order(
    sizes: dict[str, int], exponent: float
) -> None:
    weights = temperature_weights(sizes, exponent)
    if sum(sizes.values()):
        assert sum(weights.values()) == pytest.approx(1)
    ordered = sorted(sizes, key=lambda n: sizes[n])
    assert all(weights[a] <= weights[b] + 1e-12 for a, b in pairwise(ordered))


def test_temperature_is_n_to_the_a_over_the_sum() -> None:
    weights = temperature_weights({"big": 100, "small": 10}, 0.6)
    assert weights["small"] == pytest.approx(10**0.6 / (10**0.6 + 100**0.6))


@given(st.integers(0, 500), _SIZES, st.floats(0, 1))
def test_no_group_gives_more_than_it_has_and_the_total_is_exact(
    total: int, sizes: dict[str, int], exponent: float
) -> None:
    drawn = draw_without_repeats(total, sizes, exponent)
    assert sum(drawn.values()) == min(total, sum(sizes.values()))
    assert all(0 <= drawn[name] <= size for name, size in sizes.items())


@given(st.integers(0, 40), st.integers(0, 200), st.integers(1, 6), st.integers(0, 99))
def test_every_row_is_seen_once_at_least_and_never_too_often(
    rows: int, wanted: int, most: int, seed: int
) -> None:
    counts = repeats(rows, wanted, most, np.random.default_rng(seed))
    assert len(counts) == rows
    assert sum(counts) == (min(max(wanted, rows), rows * most) if rows else 0)
    assert all(1 <= c <= most for c in counts)
    assert not counts or max(counts) - min(counts) <= 1
    assert counts == repeats(rows, wanted, most, np.random.default_rng(seed))


@given(st.integers(0, 30), st.integers(0, 40), st.integers(0, 99))
def test_drawn_examples_are_different_in_order_and_seeded(size: int, count: int, seed: int) -> None:
    ids = [f"ex_{i:02d}" for i in range(size)]
    drawn = draw_examples(ids, count, np.random.default_rng(seed))
    assert len(drawn) == min(count, size)
    assert drawn == sorted(set(drawn))
    assert drawn == draw_examples(ids, count, np.random.default_rng(seed))
