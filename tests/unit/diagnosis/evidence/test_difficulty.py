"""What makes a covered, consistent case hard."""

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.diagnosis.evidence import difficulty
from app.domain.diagnosis.evidence.difficulty import Demands
from app.domain.evidence import HardReason

EASY = [f"Add {i} and 3." for i in range(50)]
EASY_ANSWERS = [f"{i} + 3 = {i + 3}" for i in range(50)]
LONG = "Ann has 4 boxes of 12 eggs, sells 7 of them, and gives each of her 3 friends at least 2. How many are left?"
STEPS = "4 * 12 = 48\n48 - 7 = 41\n3 * 2 = 6\n41 - 6 = 35"
CHINESE = "商店里有苹果30个，梨比苹果的2倍少5个，如果每天至少卖出8个，并且每人不能超过3个，那么多少天卖完？"


NAMES = {i: f"label {i}" for i in range(4)}


def _demands() -> Demands:
    return difficulty.demands_of(EASY, EASY_ANSWERS, np.zeros(50, dtype=np.int64))


def _kinds(found: tuple[HardReason, ...]) -> set[str]:
    return {reason.kind for reason in found}


def test_steps_operands_and_conditions_stand_out_against_easy_rows() -> None:
    found = difficulty.reasons(_demands(), LONG, STEPS, task=0)
    assert {"answer_steps", "answer_operators", "prompt_numbers"} & _kinds(found)
    ranks = [round(r.percentile, 2) for r in found]
    assert ranks == sorted(ranks, reverse=True)
    steps = next(r for r in found if r.kind == "answer_steps")
    assert (
        steps.detail
        == "the expected output is 4 sentences or lines long; 100% of the task's training rows have fewer"
    )


def test_chinese_conditions_and_relations_are_counted() -> None:
    found = dict(
        zip(difficulty.MEASURES, difficulty.measures(CHINESE, "因为30*2-5=55，所以11天"), strict=True)
    )
    assert found["prompt_constraints"] >= 4
    assert found["prompt_hops"] >= 1
    assert found["answer_operators"] == 2
    assert found["answer_steps"] == 2


@pytest.mark.parametrize(
    ("answer", "calculations"),
    [
        ("算式：2-2*(1/4)-(1/2)", 3),
        ("7 x .5 = 3.5, 2 x 1 = 2", 2),
        ("(3+4)*2", 2),
        ("x - y", 0),
        ("（1/2）+3", 1),
    ],
)
def test_a_fraction_is_a_number_and_no_calculation(answer: str, calculations: int) -> None:
    assert (
        dict(zip(difficulty.MEASURES, difficulty.measures("", answer), strict=True))["answer_operators"]
        == calculations
    )


def test_a_decimal_point_ends_no_clause() -> None:
    found = dict(
        zip(
            difficulty.MEASURES,
            difficulty.measures("Pears are $.5 each, plums 1.25. Count.", ""),
            strict=True,
        )
    )
    assert found["prompt_clauses"] == 3


def test_a_share_is_never_rounded_up_to_all_rows() -> None:
    demands = difficulty.demands_of([*EASY * 10, LONG], [*EASY_ANSWERS * 10, STEPS])
    found = difficulty.reasons(demands, LONG, STEPS)
    assert found
    assert all("; 99% of" in reason.detail for reason in found)


def test_an_ordinary_case_has_no_reason() -> None:
    assert difficulty.reasons(_demands(), EASY[4], EASY_ANSWERS[4], task=0) == ()


def test_a_case_is_read_against_the_rows_of_its_own_task() -> None:
    tasks = np.repeat([0, 1], 50)
    demands = difficulty.demands_of([*EASY, *[LONG] * 50], [*EASY_ANSWERS, *[STEPS] * 50], tasks)
    assert difficulty.reasons(demands, LONG, STEPS, task=0)
    assert difficulty.reasons(demands, LONG, STEPS, task=1) == ()


def test_too_few_rows_give_no_reason_and_without_an_answer_its_length_is_none() -> None:
    few = difficulty.demands_of(EASY[:5], EASY_ANSWERS[:5])
    assert difficulty.reasons(few, LONG, STEPS) == ()
    assert not {k for k in _kinds(difficulty.reasons(_demands(), LONG, "")) if k.startswith("answer")}


def test_a_case_between_two_groups_is_confusable() -> None:
    similarities = np.array([0.9, 0.89, 0.5, 0.4], dtype=np.float32)
    labels = np.array([3, 7, 3, -1])
    trained = np.linspace(0.0, 1.0, 101)
    found = difficulty.confusable(similarities, labels, {3: "freeze card", 7: "unfreeze card"}, trained)
    assert found is not None
    assert found.labels == ("freeze card", "unfreeze card")
    assert found.margin == pytest.approx(0.01, abs=1e-6)
    (reason,) = difficulty.reasons(_demands(), EASY[0], EASY_ANSWERS[0], groups=found)
    assert reason.kind == "confusable"
    assert "'freeze card' and 'unfreeze card'" in reason.detail


def test_neighbours_of_one_group_are_not_confusable() -> None:
    one = np.array([0.9, 0.8], dtype=np.float32)
    assert difficulty.confusable(one, np.array([1, 1]), NAMES) is None
    assert difficulty.confusable(one, np.array([-1, -1]), NAMES) is None
    assert difficulty.confusable(one[:0], np.array([], dtype=np.int64), NAMES) is None


@given(
    st.lists(
        st.lists(st.tuples(st.floats(-1, 1, width=32), st.integers(-1, 3)), min_size=4, max_size=4),
        max_size=6,
    )
)
@hypothesis.example([[(0.0, -1), (-1.0, 0), (0.0, -1), (0.0, -1)]])
def test_margins_of_many_rows_are_those_of_each(rows: list[list[tuple[float, int]]]) -> None:
    similarities = np.array([[s for s, _ in row] for row in rows], dtype=np.float32).reshape(len(rows), 4)
    labels = np.array([[label for _, label in row] for row in rows], dtype=np.int64).reshape(len(rows), 4)
    for row, margin in enumerate(difficulty.margins(similarities, labels)):
        single = difficulty.confusable(similarities[row], labels[row], NAMES)
        assert margin == pytest.approx(2.0 if single is None else single.margin, abs=1e-6)


@pytest.mark.parametrize(
    "said", ["", "🙂" * 40, "\ud800", "שלום, עולם", "1" * 1_000_000, "，" * 300_000, "\u202e(A)\n(B)"]
)
def test_texts_of_any_kind_are_measured(said: str) -> None:
    demands = difficulty.demands_of([said] * 45, [said] * 45, np.zeros(45, dtype=np.int64))
    assert all(value >= 0 for value in difficulty.measures(said, said))
    assert difficulty.reasons(demands, said, said, task=0) == ()
    assert demands.percentiles(said, said, task=0).prompt_tokens.more_than == 0.0
