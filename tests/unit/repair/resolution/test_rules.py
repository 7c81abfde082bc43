"""Every rule that settles a dispute, on disputes that the test makes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.records import Message, Role
from app.domain.repair.draft.judge_log import JUDGED_DISPUTES, Discarded, JudgeLog
from app.domain.repair.policy.repair_policy import CONFIDENT_SCORE
from app.domain.repair.resolution import (
    Dispute,
    Resolution,
    ResolutionContext,
    best_quality,
    judge,
    majority,
    newest,
    source_priority,
)
from app.domain.repair.resolution.dispute import RULE_SCORE
from app.domain.repair.resolution.judge import JUDGE_SCORE, JUDGED_CHARACTERS
from app.domain.repair.resolution.newest import written_at
from tests.unit.repair.builders import example

ASKED = "What is the return window?"


def dispute(*sides: Sequence[str], metadata: Mapping[int, Mapping[str, Any]] | None = None) -> Dispute:
    """A dispute whose sides hold these outputs; ``metadata`` by row."""
    outputs = [said for side in sides for said in side]
    rows = iter(range(len(outputs)))
    examples = [
        replace(example(f"ex_{i}", ASKED, said), metadata=dict((metadata or {}).get(i, {})))
        for i, said in enumerate(outputs)
    ]
    numbered = tuple(tuple(next(rows) for _ in side) for side in sides)
    return Dispute(question=ASKED, sides=numbered, examples=examples)


def context(
    quality: Sequence[float] = (),
    *,
    sources: tuple[str, ...] = (),
    ask: Callable[[tuple[Message, ...]], str | None] | None = None,
) -> ResolutionContext:
    return ResolutionContext(
        source_priority=sources, measure_quality=lambda: np.array(quality), ask_judge=ask
    )


def kept(found: Resolution | Discarded | None) -> int | None:
    return found.keep if isinstance(found, Resolution) else None


def test_two_thirds_are_a_majority_and_a_bare_half_is_none() -> None:
    found = majority.resolve(dispute(["30 days", "30 days."], ["14 days"]), context())
    assert found is not None
    assert (found.keep, found.score, found.ask) == (0, 3 / 5, False)
    assert found.because == '2 of 3 say "30 days"'
    assert majority.resolve(dispute(["30 days"] * 2, ["14 days"], ["7 days"]), context()) is None
    assert majority.resolve(dispute(["30 days"], ["14 days"]), context()) is None


def test_a_larger_majority_is_surer() -> None:
    scores = [
        found.score
        for n in (2, 5, 20)
        if (found := majority.resolve(dispute(["30 days"] * n, ["14 days"]), context()))
    ]
    assert scores == sorted(scores)
    assert len(scores) == 3
    assert scores[-1] > 0.9


def test_the_better_answer_is_proposed_to_a_person_and_about_as_good_ones_are_left() -> None:
    sides = dispute(["30 days", "30 d"], ["14 days"])
    found = best_quality.resolve(sides, context([0.2, 0.5, 0.9]))
    assert found is not None
    assert (found.keep, found.ask) == (1, True)
    assert found.score == pytest.approx(0.7)
    assert "0.90" in found.because
    assert best_quality.resolve(sides, context([0.2, 0.85, 0.9])) is None


def test_quality_is_measured_once_and_only_when_a_rule_asks() -> None:
    measured: list[int] = []

    def measure() -> np.ndarray:
        measured.append(1)
        return np.array([0.1, 0.9])

    lazy = ResolutionContext(measure_quality=measure)
    majority.resolve(dispute(["a b"], ["c d"]), lazy)
    assert measured == []
    for _ in range(3):
        best_quality.resolve(dispute(["a b"], ["c d"]), lazy)
    assert measured == [1]


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"updated_at": "2024-05-01T10:00:00Z"}, datetime(2024, 5, 1, 10, tzinfo=UTC)),
        ({"updated_at": "2024-05-01T12:00:00+02:00"}, datetime(2024, 5, 1, 10, tzinfo=UTC)),
        ({"date": " 2024-05-01 "}, datetime(2024, 5, 1, tzinfo=UTC)),
        ({"timestamp": 1_714_557_600}, datetime(2024, 5, 1, 10, tzinfo=UTC)),
        ({"timestamp": 1_714_557_600_000}, datetime(2024, 5, 1, 10, tzinfo=UTC)),
        ({"timestamp": 1_714_557_600.5}, datetime(2024, 5, 1, 10, 0, 0, 500_000, tzinfo=UTC)),
        ({"created_at": "2020-01-01", "updated_at": "2024-05-01"}, datetime(2024, 5, 1, tzinfo=UTC)),
        ({"updated_at": "last spring", "created_at": "2020-01-01"}, datetime(2020, 1, 1, tzinfo=UTC)),
        ({"updated_at": True, "date": "2020-01-01"}, datetime(2020, 1, 1, tzinfo=UTC)),
        ({"timestamp": float("nan")}, None),
        ({"timestamp": float("inf")}, None),
        ({"timestamp": 1e300}, None),
        ({"timestamp": 10**400}, None),
        ({"timestamp": None, "date": ["2020"]}, None),
        ({"other": "2020-01-01"}, None),
        ({}, None),
    ],
)
def test_when_a_row_was_written(metadata: dict[str, Any], expected: datetime | None) -> None:
    row = replace(example("ex", ASKED, "30 days"), metadata=metadata)
    assert written_at(row) == expected


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=3)
)
def test_no_value_of_a_time_stops_a_plan(value: Any) -> None:
    read = written_at(replace(example("ex", ASKED, "30 days"), metadata={"timestamp": value}))
    assert read is None or read.tzinfo is not None


def test_the_side_with_the_newest_row_is_right_however_small() -> None:
    times = {0: {"date": "2023-01-01"}, 1: {"date": "2023-06-01"}, 2: {"date": "2024-02-03T04:05:00"}}
    found = newest.resolve(dispute(["30 days", "30 d"], ["14 days"], metadata=times), context())
    assert found is not None
    assert (found.keep, found.score) == (1, RULE_SCORE)
    assert found.because == "the newest row is of 2024-02-03 04:05"


@pytest.mark.parametrize(
    "times",
    [
        {0: {"date": "2023-01-01"}, 1: {"date": "2023-01-01T00:00:00Z"}},
        {0: {"date": "2023-01-01"}},
        {0: {"date": "2023-01-01"}, 1: {"date": "yesterday"}},
    ],
)
def test_equal_or_unknown_times_decide_nothing(times: dict[int, dict[str, str]]) -> None:
    assert newest.resolve(dispute(["30 days"], ["14 days"], metadata=times), context()) is None


def test_the_most_trusted_source_is_right() -> None:
    sources = {0: {"source": "crawl"}, 1: {"source": "crawl"}, 2: {"dataset": "handbook"}}
    sides = dispute(["30 days", "30 d"], ["14 days"], metadata=sources)
    found = source_priority.resolve(sides, context(sources=("handbook", "crawl")))
    assert found is not None
    assert found.keep == 1
    assert '"handbook"' in found.because
    assert kept(source_priority.resolve(sides, context(sources=("crawl",)))) == 0
    assert source_priority.resolve(sides, context(sources=("wiki",))) is None
    assert source_priority.resolve(sides, context()) is None


def test_sources_of_equal_rank_decide_nothing() -> None:
    both = {0: {"source": "handbook"}, 1: {"source": "crawl"}, 2: {"source": "handbook"}}
    sides = dispute(["30 days", "30 d"], ["14 days"], metadata=both)
    assert source_priority.resolve(sides, context(sources=("handbook", "crawl"))) is None
    odd = {0: {"source": 7, "origin": "crawl"}, 1: {"source": ""}}
    found = source_priority.resolve(
        dispute(["30 days"], ["14 days"], metadata=odd), context(sources=("crawl",))
    )
    assert kept(found) == 0


SIDES = dispute(
    ["You can send it back within 30 days of the delivery.", "Within 30 days of the delivery."],
    ["You can send it back within 14 days of the delivery."],
)


def said(**fields: Any) -> str:
    return json.dumps({"contradict": True, "right": 2, "quote": "within 14 days", **fields})


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (said(), 1),
        (f"Here you are:\n```json\n{said()}\n```\nI hope that it helps.", 1),
        (said(quote="  within   14\n days "), 1),
        (said(right=1), 0),
        (said(quote="within 15 days"), Discarded.QUOTE_NOT_SHOWN),
        (said(quote="WITHIN 14 DAYS"), Discarded.QUOTE_NOT_SHOWN),
        (said(quote="14"), Discarded.QUOTE_NOT_SHOWN),
        (said(quote=""), Discarded.QUOTE_NOT_SHOWN),
        (said(quote=" \n"), Discarded.QUOTE_NOT_SHOWN),
        (said(quote="return window"), Discarded.QUOTE_NOT_SHOWN),
        (said(quote="of the delivery"), Discarded.QUOTE_TELLS_NOTHING_APART),
        (said(quote=None), Discarded.WRONG_FIELDS),
        (said(quote=14), Discarded.WRONG_FIELDS),
        (said(right=0), Discarded.UNKNOWN_ANSWER),
        (said(right=3), Discarded.UNKNOWN_ANSWER),
        (said(right=-1), Discarded.UNKNOWN_ANSWER),
        (said(right=10**30), Discarded.UNKNOWN_ANSWER),
        (said(right=True), Discarded.WRONG_FIELDS),
        (said(right="2"), Discarded.WRONG_FIELDS),
        (said(right=2.0), Discarded.WRONG_FIELDS),
        (said(right=[2]), Discarded.WRONG_FIELDS),
        (said(contradict="yes"), Discarded.WRONG_FIELDS),
        (said(contradict=None), Discarded.WRONG_FIELDS),
        (said(contradict=False), None),
        (said(right=None), None),
        ("The second one is right.", Discarded.NOT_JSON),
        ("", Discarded.NOT_JSON),
        ("[1, 2]", Discarded.NOT_JSON),
        ("} no {", Discarded.NOT_JSON),
        ("{" * 50_000, Discarded.NOT_JSON),
        ('{"a":' * 50_000 + "1" + "}" * 50_000, Discarded.NOT_JSON),
        (said() + said(), Discarded.NOT_JSON),
    ],
)
def test_what_of_a_judges_answer_counts(answer: str, outcome: int | Discarded | None) -> None:
    found = judge.parse(answer, SIDES)
    if isinstance(outcome, int):
        assert isinstance(found, Resolution)
        assert (found.keep, found.ask, found.score) == (outcome, True, JUDGE_SCORE)
        assert " ".join(found.quote.split()) in found.because
        assert found.score < CONFIDENT_SCORE
    else:
        assert found == outcome


@given(st.text(alphabet="`<>{}\n ab", max_size=80), st.text(alphabet="`<>{}\n ab", max_size=80))
def test_no_text_closes_its_fence(question: str, answer: str) -> None:
    made = Dispute(question=question, sides=((0,),), examples=[example("ex", "q", answer)])
    system, user = judge.messages(made)
    assert (system.role, user.role) == (Role.SYSTEM, Role.USER)
    rest = user.content
    for content in (question, answer):
        head, _, rest = rest.partition("\n")
        assert head in ("Question:", "Answer 1 (1 rows):")
        fence, _, rest = rest.partition("\n")
        assert set(fence) == {"`"}
        assert fence not in content
        assert rest.startswith(f"{content}\n{fence}")
        rest = rest[len(f"{content}\n{fence}\n\n") :]
    assert rest == ""


def test_long_answers_are_clipped_and_of_many_only_some_are_shown() -> None:
    many = dispute(*([f"{i} days {'x' * 9_000}"] for i in range(9)))
    user = judge.messages(many)[1].content
    assert "Answer 4" in user
    assert "Answer 5" not in user
    assert len(user) < 5 * JUDGED_CHARACTERS
    # What was not shown cannot be chosen.
    assert judge.parse(said(right=5, quote="0 days"), many) is Discarded.UNKNOWN_ANSWER


def test_what_became_of_the_questions_is_counted() -> None:
    answers = iter([said(), said(contradict=False), "no", None])
    asked: list[tuple[Message, ...]] = []

    def ask(messages: tuple[Message, ...]) -> str | None:
        asked.append(messages)
        return next(answers)

    judged = context(ask=ask)
    assert [kept(judge.resolve(SIDES, judged)) for _ in range(4)] == [1, None, None, None]
    assert judged.judge_log.as_dict() == {
        "asked": 4,
        "answered": 2,
        "undecided": 1,
        "discarded": {"not_json": 1},
        "notes": [],
    }
    assert len(asked) == 4
    assert judge.resolve(SIDES, context()) is None


def test_a_plan_asks_about_so_many_disputes_and_no_more() -> None:
    log = JudgeLog()
    assert sum(log.may_ask() for _ in range(JUDGED_DISPUTES + 7)) == JUDGED_DISPUTES
    assert log.as_dict()["notes"] == [
        f"7 disputes were not judged: a plan asks about {JUDGED_DISPUTES} at most"
    ]
