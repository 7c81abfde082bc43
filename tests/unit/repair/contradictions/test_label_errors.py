from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.domain.repair.contradictions.label_certainty import ceasing
from app.domain.repair.contradictions.label_errors import (
    LabelFix,
    LabelJudgement,
    find_wrong_labels,
    number_labels,
)
from tests.unit.repair.builders import LabelTask, label_task


def _judge(
    task: LabelTask,
    in_conflict: bool = True,
    also: tuple[str, ...] = (),
    opposed: tuple[str, str] | None = None,
) -> tuple[LabelJudgement, dict[int, str]]:
    outputs = [e.output for e in task.examples]
    numbers = number_labels(outputs, 3, also)
    names = {number: label for label, number in numbers.items()}
    opposites = None
    if opposed is not None:
        opposites = np.zeros((len(numbers), len(numbers)), dtype=bool)
        first, second = (numbers[label] for label in opposed)
        opposites[first, second] = opposites[second, first] = True
    judgement = find_wrong_labels(
        vectors=task.inputs,
        given=np.array([numbers.get(o, -1) for o in outputs]),
        anchor_vectors=task.case_inputs,
        anchor_labels=np.array([numbers.get(c.expected_output or "", -1) for c in task.cases]),
        anchor_wrong=np.array([numbers.get(c.model_output, -1) for c in task.cases]),
        in_conflict=np.full(len(task.cases), in_conflict),
        opposed=opposites,
    )
    mended = {v.row: names[v.label] for v in judgement.wrong if v.fix is LabelFix.RELABEL}
    return judgement, mended


@pytest.mark.parametrize("seed", range(3))
def test_a_ring_of_swapped_labels_is_untangled_by_the_anchors(seed: int) -> None:
    ring = (("cards", "loans"), ("loans", "travel"), ("travel", "weather"), ("weather", "cards"))
    task = label_task(np.random.default_rng(seed), swapped=ring)
    _, mended = _judge(task)
    wrong = {i for i, e in enumerate(task.examples) if e.output != task.gold[i]}
    right = {i for i, label in mended.items() if label == task.gold[i]}
    assert len(right & wrong) >= 0.9 * len(wrong)
    assert len(mended) - len(right) <= 0.05 * len(mended)


def test_an_outdated_answer_that_has_no_region_of_its_own_is_replaced() -> None:
    task = label_task(np.random.default_rng(1), swapped=(("cards", "cards, old rule"),))
    _, mended = _judge(task)
    assert set(mended.values()) == {"cards"}
    assert len(mended) >= 9


def test_a_right_answer_that_no_row_carries_yet_can_be_given() -> None:
    task = label_task(np.random.default_rng(2), swapped=(("cards", "cards, old rule"),), noise=1.0)
    _, mended = _judge(task, also=("cards",))
    assert len(mended) >= 18
    assert set(mended.values()) == {"cards"}


def test_clean_neighbours_are_left_alone() -> None:
    task = label_task(np.random.default_rng(3), swapped=(("cards", "loans"),), noise=0.0, spread=0.5)
    judgement, _ = _judge(task)
    assert judgement.wrong == ()


def test_without_a_conflict_nothing_is_judged() -> None:
    task = label_task(np.random.default_rng(4), swapped=(("cards", "loans"),))
    judgement, _ = _judge(task, in_conflict=False)
    assert judgement.wrong == ()
    assert judgement.judged == frozenset()


def test_letters_of_multiple_choice_questions_have_no_region_to_be_wrong_in() -> None:
    rng = np.random.default_rng(5)
    task = label_task(rng, swapped=(("cards", "loans"),), noise=0.0)
    letters = [str(rng.choice(list("ABCD"))) for _ in task.examples]
    numbers = number_labels(letters, 3)
    judgement = find_wrong_labels(
        vectors=task.inputs,
        given=np.array([numbers[letter] for letter in letters]),
        anchor_vectors=task.case_inputs,
        anchor_labels=np.array([numbers["A"]] * len(task.cases)),
        anchor_wrong=np.array([numbers["B"]] * len(task.cases)),
        in_conflict=np.ones(len(task.cases), dtype=bool),
    )
    assert judgement.wrong == ()


def test_one_anchor_alone_is_not_sure_and_six_are() -> None:
    scores = {}
    for anchors in (1, 6):
        task = label_task(np.random.default_rng(6), swapped=(("cards", "loans"),), cases_each=anchors)
        judgement, _ = _judge(task)
        scores[anchors] = max(v.score for v in judgement.wrong)
    assert scores[1] < 0.8 <= scores[6]


def _one_wrong_row(seed: int, *, near: bool) -> LabelTask:
    """One row in 60 of "cards" carries "loans", which shows in no rate; two bad cases stand beside it, or beside
    the row of "cards" that lies farthest from it."""
    task = label_task(
        np.random.default_rng(seed),
        swapped=(("cards", "loans"),),
        rows_each=60,
        noise=1 / 60,
        cases_each=2,
    )
    cards = [i for i, gold in enumerate(task.gold) if gold == "cards"]
    farthest = min(cards, key=lambda i: float(task.inputs[i] @ task.inputs[0]))
    return replace(task, case_inputs=task.inputs[[0 if near else farthest] * 2])


@pytest.mark.parametrize("seed", range(3))
def test_a_lone_wrong_row_is_mended_where_a_bad_case_points_at_it(seed: int) -> None:
    pointed, mended = _judge(_one_wrong_row(seed, near=True))
    assert mended == {0: "cards"}
    assert pointed.wrong[0].noise_rate < 0.05
    _, elsewhere = _judge(_one_wrong_row(seed, near=False))
    assert elsewhere == {}


def _mixed(rng: np.random.Generator, *, told_apart: bool) -> LabelTask:
    """Half of the rows of "valid" carry "invalid", and the input tells the two apart or says nothing of them."""
    task = label_task(
        rng,
        labels=("valid", "invalid", "travel", "music"),
        swapped=(("valid", "invalid"),),
        noise=0.3,
        rows_each=80,
    )
    if told_apart:
        return task
    inputs, about = task.inputs.copy(), np.array([gold in ("valid", "invalid") for gold in task.gold])
    inputs[about] = inputs[rng.permutation(np.flatnonzero(about))]
    return replace(task, inputs=inputs)


@pytest.mark.parametrize("seed", range(4))
def test_opposite_labels_that_the_input_does_not_tell_apart_are_left_alone(seed: int) -> None:
    task = _mixed(np.random.default_rng(seed), told_apart=False)
    assert _judge(task, opposed=("valid", "invalid"))[0] == LabelJudgement(wrong=(), judged=frozenset())
    # Labels of any other names are judged there.
    assert _judge(task)[0].judged


def test_opposite_labels_that_the_input_tells_apart_are_judged_like_others() -> None:
    task = _mixed(np.random.default_rng(7), told_apart=True)
    judgement, mended = _judge(task, opposed=("valid", "invalid"))
    assert judgement == _judge(task)[0]
    assert len(mended) >= 20
    assert {task.gold[row] for row in mended} == set(mended.values()) == {"valid"}


def test_a_label_that_would_cease_is_a_question_except_where_a_case_points_at_its_rows() -> None:
    """Half of the rows of "alarm" carry another name, which stands nowhere else, and one case expects the first."""
    task = label_task(
        np.random.default_rng(9),
        labels=("alarm", "travel", "music", "sports"),
        swapped=(("alarm", "wake me"),),
        rows_each=40,
        cases_each=1,
    )
    judgement, _ = _judge(task)
    called = {v.row for v in judgement.wrong}
    nearest = set(np.argsort(-(task.inputs @ task.case_inputs[0]))[:8].tolist())
    assert len(called) > 15
    assert nearest & called
    assert {v.row for v in judgement.wrong if not v.asks} == nearest & called


def test_a_ring_of_halved_labels_asks_nobody() -> None:
    ring = (("cards", "loans"), ("loans", "travel"), ("travel", "weather"), ("weather", "cards"))
    judgement, _ = _judge(label_task(np.random.default_rng(0), swapped=ring))
    assert judgement.wrong
    assert not any(v.asks for v in judgement.wrong)


@pytest.mark.parametrize(("called", "rows", "asked"), [(10, 20, False), (14, 20, False), (15, 20, True)])
def test_a_label_ceases_when_most_of_its_rows_are_wrong_beyond_chance(
    called: int, rows: int, asked: bool
) -> None:
    given = np.array([3] * rows + [5] * 9)
    assert ceasing(np.array([3] * called, dtype=np.int64), given) == (
        frozenset({3}) if asked else frozenset()
    )


def test_a_row_beside_a_case_is_as_sure_as_that_case_whatever_was_missed_elsewhere() -> None:
    """Three other cases stand in the region of "cards" and expect "travel", so the region does not look its own."""
    task = label_task(np.random.default_rng(11), swapped=(("cards", "loans"),), noise=0.2)
    outputs = [e.output for e in task.examples]
    numbers = number_labels(outputs, 3)
    judgement = find_wrong_labels(
        vectors=task.inputs,
        given=np.array([numbers[o] for o in outputs]),
        anchor_vectors=task.inputs[[0, 10, 13, 16]],
        anchor_labels=np.array([numbers["cards"]] + [numbers["travel"]] * 3),
        anchor_wrong=np.array([numbers["loans"], -1, -1, -1]),
        in_conflict=np.array([True, False, False, False]),
        conflict_probability=np.array([0.95, 0.1, 0.1, 0.1]),
    )
    beside = set(np.argsort(-(task.inputs @ task.inputs[0]))[:8].tolist())
    scores = {v.row: v.score for v in judgement.wrong}
    assert scores[0] >= 0.8
    assert all(score < 0.5 for row, score in scores.items() if row not in beside)
