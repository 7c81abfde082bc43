"""Which gradients are worth making, and which rows they show."""

from __future__ import annotations

import numpy as np

from app.domain.diagnosis.evidence.gradient_attribution import (
    Candidates,
    Taught,
    choose_candidates,
    evidence,
    strongest,
)
from app.domain.evidence import Evidence, Finding
from app.domain.records import BadCase, RootCause
from tests.unit.diagnosis.builders import case, example


def finding(of: BadCase, cause: RootCause) -> Finding:
    return Finding(
        bad_case_id=of.id, root_cause=cause, probabilities={cause: 1.0}, confidence=1.0, evidence=Evidence()
    )


def chosen(
    causes: list[RootCause], nearest: list[list[int]], said: str = "wrong", **limits: int
) -> Candidates:
    cases = [case(f"c{i}", "q", said, "right") for i in range(len(causes))]
    findings = [finding(c, cause) for c, cause in zip(cases, causes, strict=True)]
    return choose_candidates(cases, findings, np.array(nearest), **limits)


def test_candidates_are_the_nearest_rows_of_every_case_once() -> None:
    made = chosen([RootCause.CONFLICT, RootCause.HARD], [[7, 3, -1], [3, 9, 1]])
    assert made.cases.tolist() == [0, 1]
    assert made.rows.tolist() == [1, 3, 7, 9]
    assert [made.rows[near].tolist() for near in made.near] == [[7, 3], [3, 9, 1]]


def test_where_not_all_rows_fit_every_case_keeps_its_nearest() -> None:
    made = chosen([RootCause.CONFLICT] * 3, [[0, 1, 2], [3, 4, 5], [6, 7, 8]], most_rows=7)
    assert [made.rows[near].tolist() for near in made.near] == [[0, 1], [3, 4], [6, 7]]
    tight = chosen([RootCause.CONFLICT] * 3, [[0, 1, 2], [3, 4, 5], [6, 7, 8]], most_rows=1)
    assert [len(near) for near in tight.near] == [1, 1, 1]


def test_cases_that_nothing_taught_are_left_out_and_contradictions_come_first() -> None:
    causes = [RootCause.OOD, RootCause.SERVING_MISMATCH, RootCause.HARD, RootCause.CONFLICT]
    near = [[1], [1], [1], [1]]
    assert chosen(causes, near).cases.tolist() == [0, 2, 3]
    assert chosen(causes, near, most_cases=2).cases.tolist() == [2, 3]
    assert chosen(causes, [[-1]] * 4).cases.tolist() == []
    assert chosen(causes, near, said=" ").rows.tolist() == []
    nothing = choose_candidates([], [], np.empty((0, 5), dtype=np.int64))
    assert (nothing.cases.size, nothing.rows.size, nothing.near) == (0, 0, ())


def unit(*values: float) -> np.ndarray:
    row = np.array(values, dtype=np.float32)
    return row / max(np.linalg.norm(row), 1e-9)


ROWS = np.stack([unit(1, 0, 0), unit(0, 1, 0), unit(1, 1, 0), unit(-1, 0, 0), unit(1, 0, 1), unit(0, 0, 0)])
ALL = Candidates(cases=np.array([4]), rows=np.array([10, 11, 12, 13, 14, 15]), near=(np.arange(6),))


def test_rows_that_pull_to_the_wrong_answer_and_not_to_the_expected_one_come_first() -> None:
    found = strongest(unit(1, 0, 0)[None], unit(0, 1, 0)[None], ROWS, ALL)[4]
    assert [t.row for t in found] == [10, 14]
    assert found[0] == Taught(row=10, score=1.0, towards_wrong=1.0, towards_expected=0.0)


def test_without_an_expected_answer_the_pull_to_the_wrong_one_decides() -> None:
    nothing = np.zeros((1, 3), dtype=np.float32)
    found = strongest(unit(1, 0, 0)[None], nothing, ROWS, ALL)[4]
    assert [t.row for t in found] == [10, 12, 14]
    assert {t.towards_expected for t in found} == {None}
    assert strongest(nothing, nothing, ROWS, ALL) == {4: ()}
    assert len(strongest(unit(1, 0, 0)[None], nothing, ROWS, ALL, shown=1)[4]) == 1


def test_the_evidence_shows_the_rows() -> None:
    examples = [example(i, f"prompt {i}", f"answer {i}") for i in range(3)]
    (shown,) = evidence([Taught(row=2, score=0.5, towards_wrong=0.6, towards_expected=0.1)], examples)
    assert shown.model_dump() == {
        "example_id": "t0002",
        "score": 0.5,
        "towards_wrong": 0.6,
        "towards_expected": 0.1,
        "input": "prompt 2",
        "output": "answer 2",
    }
