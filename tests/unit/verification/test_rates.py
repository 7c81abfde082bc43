from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.estimators.intervals import wilson_interval
from app.domain.verification.fix_rate import fix_rate
from app.domain.verification.gate import GateSettings, gate
from app.domain.verification.retention import POOLED, RetentionScore, retention
from app.domain.verification.verdict import CaseVerdict
from tests.effort import examples


def _scores(name: str, before: list[float], after: list[float]) -> list[RetentionScore]:
    return [RetentionScore(slice_name=name, before=b, after=a) for b, a in zip(before, after, strict=True)]


@given(st.integers(0, 300), st.integers(0, 300))
def test_the_interval_holds_the_rate(successes: int, failures: int) -> None:
    n = successes + failures
    low, high = wilson_interval(successes, n)
    assert 0 <= low <= high <= 1
    if n:
        assert low <= successes / n <= high


def test_the_interval_is_wilson_s() -> None:
    assert wilson_interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_only_cases_that_failed_before_count() -> None:
    rate = fix_rate(
        [CaseVerdict.FIXED] * 3 + [CaseVerdict.NOT_FIXED, CaseVerdict.STILL_RIGHT, CaseVerdict.REGRESSED]
    )
    assert (rate.rate, rate.fixed, rate.n) == (0.75, 3, 4)
    nothing = fix_rate([CaseVerdict.STILL_RIGHT])
    assert (nothing.rate, nothing.n) == (None, 0)


def test_retention_is_after_over_before_and_names_the_worst_slice() -> None:
    scores = _scores("weather", [1] * 10, [1] * 10) + _scores("uber", [1] * 10, [1] * 6 + [0] * 4)
    kept = retention(scores, rng=np.random.default_rng(0))
    assert kept is not None
    assert kept.mean == pytest.approx(0.8)
    assert (kept.worst_slice, kept.largest_degradation, kept.n) == ("uber", pytest.approx(0.4), 20)
    assert kept.low < 0.8 < kept.high
    assert kept.slices[1].low == kept.slices[1].high == 1.0


def test_small_slices_are_pooled() -> None:
    scores = [s for i in range(4) for s in _scores(f"s{i}", [1, 1], [1, 0])]
    kept = retention(scores, rng=np.random.default_rng(0))
    assert kept is not None
    assert [(s.name, s.n) for s in kept.slices] == [(POOLED, 8)]


@settings(max_examples=examples(15))
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20), st.integers(0, 9))
@example([(5e-324, 1.0)], 0)
def test_retention_is_seeded_and_finite(pairs: list[tuple[float, float]], seed: int) -> None:
    scores = _scores("s", [b for b, _ in pairs], [a for _, a in pairs])
    first, second = (retention(scores, rng=np.random.default_rng(seed)) for _ in range(2))
    assert first == second
    if first is None:  # nothing was right before: nothing can be told
        assert sum(b for b, _ in pairs) < 1e-6
        return
    assert 0 <= first.low <= first.high < float("inf")
    assert 0 <= first.largest_degradation <= 1


@pytest.mark.parametrize(
    ("after", "accepted"),
    [([1.0] * 20, True), ([1.0] * 18 + [0.0] * 2, False), ([1.0] * 19 + [0.0], True)],
)
def test_the_gate_wants_more_than_nine_tenths(after: list[float], accepted: bool) -> None:
    kept = retention(_scores("s", [1.0] * 20, after), rng=np.random.default_rng(0))
    verdict = gate(kept)
    assert verdict.accepted is accepted
    assert "20 rows" in verdict.reasons[0]


def test_the_gate_rejects_one_slice_that_is_lost() -> None:
    scores = _scores("all", [1.0] * 95, [1.0] * 95) + _scores("lost", [1.0] * 5, [1.0, 1.0, 0.0, 0.0, 0.0])
    kept = retention(scores, rng=np.random.default_rng(0))
    assert not gate(kept).accepted
    assert "'lost'" in gate(kept).reasons[1]
    assert gate(kept, GateSettings(max_degradation=0.7)).accepted


def test_without_a_retention_set_nothing_is_proven() -> None:
    assert retention([], rng=np.random.default_rng(0)) is None
    assert not gate(None).accepted


def test_a_model_that_got_nothing_right_before_proves_nothing_by_getting_nothing_right_after() -> None:
    assert retention(_scores("s", [0.0] * 20, [0.0] * 20), rng=np.random.default_rng(0)) is None


def test_an_adapter_that_fixes_none_of_its_cases_is_not_accepted_whatever_it_kept() -> None:
    kept = retention(_scores("s", [1.0] * 20, [1.0] * 20), rng=np.random.default_rng(0))
    none = fix_rate([CaseVerdict.NOT_FIXED] * 3)
    assert not gate(kept, fixed=none).accepted
    assert gate(kept, fixed=none).reasons == ("none of the 3 cases is fixed",)
    assert gate(kept, fixed=fix_rate([])).accepted, "no case that failed: nothing was to be fixed"


def test_gate_settings_from_outside_are_checked() -> None:
    assert GateSettings.from_dict({"min_retention": 0.5}).min_retention == 0.5
    with pytest.raises(ValueError, match="no field 'min'"):
        GateSettings.from_dict({"min": 0.5})
    with pytest.raises(ValueError, match="valid number"):
        GateSettings.from_dict({"max_degradation": "half"})
