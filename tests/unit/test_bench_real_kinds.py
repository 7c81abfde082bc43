"""The bench of real kinds plants what it says."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from app.domain.answers.answer import read_text
from app.domain.records import RootCause, TrainingExample
from bench.real_kinds.kinds import KINDS
from bench.real_kinds.planting import (
    CONFLICTS,
    EQUAL,
    HARD,
    PER_KIND,
    UNCOVERED,
    UNLED,
    Part,
    PlantedCase,
    PlantedRow,
    PlantedSet,
    planted_set,
)
from bench.real_kinds.running import read_case, read_row
from bench.real_kinds.scoring import is_mended, repair_score

SEEDS = (1, 2, 3)
PLANTED = {seed: planted_set(seed) for seed in SEEDS}
seeds = pytest.mark.parametrize("planted", PLANTED.values(), ids=[f"seed {s}" for s in SEEDS])


def rows_of(planted: PlantedSet, kind: str, *parts: Part) -> list[PlantedRow]:
    return [r for r in planted.rows if r.kind == kind and (not parts or r.part in parts)]


def cases_of(planted: PlantedSet, cause: RootCause | None) -> list[PlantedCase]:
    return [c for c in planted.cases if c.cause is cause]


def test_the_same_seed_gives_the_same_set_and_another_seed_another_one() -> None:
    assert planted_set(1) == PLANTED[1]
    assert [r.body for r in PLANTED[1].rows] != [r.body for r in PLANTED[2].rows]


@seeds
def test_at_least_fourteen_kinds_and_four_hundred_rows_in_two_languages(planted: PlantedSet) -> None:
    assert len({r.kind for r in planted.rows}) == len(KINDS) >= 14
    assert len(planted.rows) >= 400
    assert len({r.format for r in planted.rows}) == 5
    chinese = [r for r in planted.rows if any("一" <= c <= "鿿" for c in r.ask)]
    assert 0.25 < len(chinese) / len(planted.rows) < 0.75


@seeds
def test_every_kind_has_its_cases(planted: PlantedSet) -> None:
    for kind in KINDS:
        causes = Counter(c.cause for c in planted.cases if c.kind == kind.name)
        unled = UNLED if kind.instruction or kind.has_system else 0
        assert sum(causes.values()) == PER_KIND
        assert causes[RootCause.OOD] == UNCOVERED
        assert causes[None] == EQUAL
        assert causes[RootCause.SERVING_MISMATCH] == unled
        assert causes[RootCause.CONFLICT] == CONFLICTS + (not unled)
        assert causes[RootCause.HARD] == HARD + (not unled)


@seeds
def test_every_case_is_one_that_the_service_takes(planted: PlantedSet) -> None:
    for case in planted.cases:
        assert read_case(case).prompt


@seeds
def test_wrong_rows_say_what_the_model_said_and_nothing_right(planted: PlantedSet) -> None:
    by_id = {r.id: r for r in planted.rows}
    named = set()
    for case in cases_of(planted, RootCause.CONFLICT):
        assert case.wrong_rows
        for row in (by_id[i] for i in case.wrong_rows):
            assert row.part is Part.WRONG
            assert read_text(row.answer).compared == read_text(case.body["model_output"]).compared
            assert row.answer not in row.answers
            assert case.body["expected_output"] in row.answers
        named |= set(case.wrong_rows)
    assert named == {r.id for r in planted.rows if r.part is Part.WRONG}


@seeds
def test_most_conflicts_stand_at_the_very_prompt_and_have_up_to_four_right_rows(planted: PlantedSet) -> None:
    by_id = {r.id: r for r in planted.rows}
    conflicts = cases_of(planted, RootCause.CONFLICT)
    exact = [c for c in conflicts if any(by_id[i].ask == c.ask for i in c.wrong_rows)]
    assert 0.5 < len(exact) / len(conflicts) < 0.8
    assert {int(c.around[-1]) for c in conflicts} == {0, 1, 2, 3, 4}


@seeds
def test_no_row_teaches_what_a_hard_case_said(planted: PlantedSet) -> None:
    labels = {k.name for k in KINDS if k.answers_are_labels}
    for case in cases_of(planted, RootCause.HARD):
        if case.kind in labels:
            continue
        said = read_text(case.body["model_output"]).compared
        taught = rows_of(planted, case.kind, Part.RIGHT, Part.NEIGHBOUR, Part.WRONG)
        assert said not in {read_text(r.answer).compared for r in taught}, case


@seeds
def test_a_hard_case_is_answered_right_by_other_wordings(planted: PlantedSet) -> None:
    for case in cases_of(planted, RootCause.HARD):
        right = case.body["expected_output"]
        assert sum(r.answer == right for r in rows_of(planted, case.kind, Part.RIGHT, Part.NEIGHBOUR)) >= 2


@seeds
def test_no_row_asks_or_answers_what_is_out_of_distribution(planted: PlantedSet) -> None:
    for case in cases_of(planted, RootCause.OOD):
        for row in planted.rows:
            assert row.ask != case.ask
            assert row.answer != case.body["expected_output"] or row.kind != case.kind


@seeds
def test_a_mismatch_leaves_out_what_every_row_of_the_kind_has(planted: PlantedSet) -> None:
    kinds = {k.name: k for k in KINDS}
    for case in cases_of(planted, RootCause.SERVING_MISMATCH):
        sent = case.body["request"]["prompt_text"]
        assert case.ask in sent
        assert "system" not in sent
        instruction = kinds[case.kind].instruction
        if instruction:
            assert instruction not in sent
            assert all(instruction in str(r.body) for r in rows_of(planted, case.kind))


@seeds
def test_other_cases_carry_a_request_built_as_the_rows_are(planted: PlantedSet) -> None:
    others = [c for c in planted.cases if c.cause is not RootCause.SERVING_MISMATCH]
    with_request = [c for c in others if "request" in c.body]
    assert 0.35 < len(with_request) / len(others) < 0.65
    kinds = {k.name: k for k in KINDS}
    for case in with_request:
        if case.cause is not RootCause.OOD:
            assert kinds[case.kind].instruction in case.body["request"]["prompt_text"]


@seeds
def test_an_equal_case_has_another_writing_of_the_expected_answer(planted: PlantedSet) -> None:
    for case in cases_of(planted, None):
        assert case.body["model_output"] != case.body["expected_output"]
        assert case.differs
    assert len({c.differs for c in cases_of(planted, None)}) >= 10


@seeds
def test_harmless_neighbours_answer_otherwise(planted: PlantedSet) -> None:
    for kind in KINDS:
        near = rows_of(planted, kind.name, Part.NEIGHBOUR)
        assert len(near) >= CONFLICTS


def a_wrong_row(kind: str) -> tuple[PlantedRow, TrainingExample]:
    row = next(r for r in PLANTED[1].rows if r.kind == kind and r.part is Part.WRONG)
    read = read_row(row)
    assert isinstance(read, TrainingExample)
    return row, read


def answering(example: TrainingExample, text: str) -> TrainingExample:
    turn = replace(example.messages[-1], content=text, extra={})
    return replace(example, messages=(*example.messages[:-1], turn))


def test_a_wrong_row_is_mended_when_it_is_dropped_or_says_the_right_answer() -> None:
    row, read = a_wrong_row("faq_en")
    assert is_mended(row, None)
    assert is_mended(row, answering(read, row.answers[0]))
    assert not is_mended(row, read)
    assert not is_mended(row, answering(read, "Something else."))


def test_a_pair_is_not_mended_by_an_answer_that_it_also_rejects() -> None:
    row, read = a_wrong_row("dpo")
    assert read.rejected_output in row.answers
    assert not is_mended(row, answering(read, row.answers[0]))
    assert is_mended(row, replace(answering(read, row.answers[0]), rejected=read.messages[-1:]))


def test_a_right_row_is_lost_unless_one_of_the_same_content_stays() -> None:
    row = next(r for r in PLANTED[1].rows if r.kind == "sql" and r.part is Part.COPY)
    twins = [r for r in PLANTED[1].rows if (r.kind, r.ask, r.answer) == (row.kind, row.ask, row.answer)]
    examples = [e for r in twins if isinstance(e := read_row(r), TrainingExample)]
    one_left, _ = repair_score(twins, examples, {examples[0].id: examples[0]})
    none_left, told = repair_score(twins, examples, {})
    assert one_left["right_lost"] == 0
    assert none_left["right_lost"] == len(twins) == len(told)


def test_white_space_is_harmless_except_where_it_is_code() -> None:
    for kind, changed in (("faq_en", 0.0), ("code", 1.0)):
        row = next(r for r in PLANTED[1].rows if r.kind == kind and r.part is Part.RIGHT)
        read = read_row(row)
        assert isinstance(read, TrainingExample)
        spaced = answering(read, read.output.replace(" ", "  "))
        figures, _ = repair_score([row], [read], {read.id: spaced})
        assert figures["right_changed"] == changed
