"""What follows from a diagnosis, and how a verdict is put together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.diagnosis import roadmap
from app.domain.diagnosis.evidence import findings
from app.domain.records import Agreement, Cluster, RootCause, Symptom


def test_the_roadmap_has_five_steps_in_order_with_costs() -> None:
    steps = roadmap.roadmap({RootCause.OOD: 4, RootCause.CONFLICT: 2}, [])
    assert [s.action for s in steps] == ["cluster", "repair", "mix", "tune", "fall back"]
    assert [s.step for s in steps] == [1, 2, 3, 4, 5]
    assert {s.cost for s in steps} <= {"low", "medium", "high"}
    assert "2 conflict" in steps[1].key_point
    assert "4 cases that nothing covers" in steps[1].key_point


def test_each_step_says_how_many_cases_it_can_help() -> None:
    causes = {RootCause.OOD: 4, RootCause.CONFLICT: 2, RootCause.HARD: 1, RootCause.SERVING_MISMATCH: 3}
    case_ids = tuple(f"bc_{i}" for i in range(5))
    cluster = Cluster(
        label="refunds", keywords=(), case_ids=case_ids, exemplar_ids=case_ids[:1], category_counts={}
    )
    gains = [s.gain for s in roadmap.roadmap(causes, [cluster])]
    assert "1 clusters" not in gains[0]
    assert "5 of 10 cases (50%)" in gains[0]
    assert "3 of 10 cases (30%) without training" in gains[0]
    assert "7 of 10 cases (70%): 2 contradicted, 4 not covered, 1 hard" in gains[1]
    assert gains[2]
    assert "6 of 10 cases (60%) from repaired rows" in gains[3]
    assert "1 of 10 cases (10%) from worked answers" in gains[3]
    assert "7 of 10 cases (70%)" in gains[4]


@pytest.mark.parametrize("causes", [{}, {RootCause.UNDETERMINED: 3}, {RootCause.HARD: 2}])
def test_a_step_that_helps_nobody_says_so(causes: dict[RootCause, int]) -> None:
    gains = [s.gain for s in roadmap.roadmap(causes, [])]
    assert all(gains)
    assert not any(gain.startswith("0 ") or " 0 of" in gain for gain in gains)
    if not causes.get(RootCause.HARD):
        assert gains[1].startswith("None")


def test_mostly_hard_cases_ask_for_more_rank() -> None:
    usual = roadmap.training_defaults({RootCause.CONFLICT: 9, RootCause.HARD: 1}, rows=800)
    hard = roadmap.training_defaults({RootCause.CONFLICT: 1, RootCause.HARD: 9}, rows=800)
    assert hard["rank"] > usual["rank"]
    assert all(d["alpha"] == 2 * d["rank"] for d in (usual, hard))
    assert usual["reasons"]


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_serving_takes_its_share_and_the_rest_is_split_as_before(a: float, b: float, serving: float) -> None:
    causes = np.array([a, b, 1.0]) / (a + b + 1.0)
    made = findings.combined(causes, serving)
    assert sum(made.values()) == pytest.approx(1.0)
    assert made[RootCause.SERVING_MISMATCH] == pytest.approx(serving)


def test_no_cause_is_named_where_none_stands_out() -> None:
    even = findings.combined(np.full(3, 1 / 3), 0.0)
    assert findings.root_cause(even, already_right=False) is RootCause.UNDETERMINED
    clear = findings.combined(np.array([0.8, 0.1, 0.1]), 0.0)
    assert findings.root_cause(clear, already_right=False) is RootCause.OOD
    assert findings.root_cause(clear, already_right=True) is RootCause.UNDETERMINED


def test_a_row_that_agrees_with_both_sides_is_on_the_expected_one() -> None:
    assert findings.agreement(True, True) is Agreement.EXPECTED
    assert findings.agreement(False, True) is Agreement.MODEL_OUTPUT
    assert findings.agreement(False, False) is Agreement.NEITHER


@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.floats(0, 1)), max_size=24),
    st.sampled_from(RootCause),
)
def test_shown_neighbours_are_eight_different_rows_at_most(rows: list, cause: RootCause) -> None:
    expected = np.array([r[0] for r in rows], dtype=bool)
    wrong = np.array([r[1] for r in rows], dtype=bool) & ~expected
    weight = np.array([r[2] for r in rows], dtype=np.float32)
    order = findings.shown_order(
        cause,
        cosine=np.sort(weight)[::-1],
        relevance=weight,
        expected=expected,
        wrong=wrong,
        present=np.ones(len(rows), dtype=bool),
    )
    assert len(set(order.tolist())) == len(order) <= min(8, len(rows))
    if cause is not RootCause.CONFLICT:
        assert len(order) == min(8, len(rows))


def _order(relevance: list[float], expected: list[int], wrong: list[int], labelled: bool = True) -> list[int]:
    count = len(relevance)
    return findings.shown_order(
        RootCause.CONFLICT,
        cosine=np.linspace(0.9, 0.1, count, dtype=np.float32),
        relevance=np.array(relevance, dtype=np.float32),
        expected=np.isin(np.arange(count), expected),
        wrong=np.isin(np.arange(count), wrong),
        present=np.ones(count, dtype=bool),
        labelled=labelled,
    ).tolist()


def test_a_conflict_shows_only_rows_that_contradict_or_support_credibly() -> None:
    # two copies that contradict, one that supports, and other questions with the same letters
    assert _order([0.2, 0.9, 0.2, 0.95, 0.96, 0.2, 0.2], expected=[4, 5], wrong=[1, 3, 6]) == [3, 1, 4]


def test_the_nearest_supporter_is_shown_however_weak_so_that_both_sides_are_seen() -> None:
    assert _order([0.9, 0.1, 0.05], expected=[1, 2], wrong=[0]) == [0, 1]


def test_a_third_label_weighs_half_and_a_third_answer_to_the_same_question_as_much_as_the_models() -> None:
    assert _order([0.9, 0.85], expected=[], wrong=[1]) == [1]
    assert _order([0.9, 0.85], expected=[], wrong=[1], labelled=False) == [0, 1]


def test_a_conflict_without_credible_rows_shows_the_best_there_is() -> None:
    assert _order([0.01, 0.02, 0.005], expected=[], wrong=[]) == [1]
    assert _order([], expected=[], wrong=[]) == []


@pytest.mark.parametrize("cause", RootCause)
def test_every_verdict_comes_with_something_to_do(cause: RootCause) -> None:
    made = findings.recommended_actions(cause, (), has_expected=True, already_right=False)
    assert made
    assert all(a.reason and a.cost in {"low", "medium", "high"} for a in made)


def test_knowledge_that_is_missing_belongs_in_retrieval_first() -> None:
    made = findings.recommended_actions(
        RootCause.OOD, (Symptom.MISSING_KNOWLEDGE,), has_expected=True, already_right=False
    )
    assert made[0].action == "retrieve"
