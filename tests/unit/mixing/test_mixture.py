from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.language import text
from app.domain.mixing.curriculum import Curriculum
from app.domain.mixing.export import trainable_row, trainable_rows
from app.domain.mixing.mixture import (
    LeftOut,
    Mixture,
    MixtureRecipe,
    MixtureRole,
    MixtureStrategy,
    build_mixture,
)
from app.domain.near_duplicates.leakage import leaked
from app.domain.records import Message, Role, TrainingExample
from tests.effort import examples
from tests.unit.repair.builders import example

_WORDS = (
    "card",
    "loan",
    "parcel",
    "refund",
    "account",
    "password",
    "invoice",
    "delivery",
    "coupon",
    "退款",
    "会员",
)


def _rows(count: int) -> list[TrainingExample]:
    rng = np.random.default_rng(7)
    return [
        example(
            f"ex_{i}", " ".join(rng.choice(_WORDS, 6)) + f" {i}", f"label {i % 5}", instruction="Name it."
        )
        for i in range(count)
    ]


ROWS = _rows(120)


def _mix(
    targeted: set[str], held_back: list[str], recipe: MixtureRecipe, rows: list[TrainingExample] = ROWS
) -> Mixture:
    return build_mixture(
        repaired=rows,
        targeted_ids=targeted,
        held_back_prompts=held_back,
        recipe=recipe,
        rng=np.random.default_rng(recipe.seed),
    )


@settings(max_examples=examples(60))
@given(
    st.sets(st.sampled_from(ROWS).map(lambda r: r.id), max_size=40),
    st.lists(st.sampled_from(ROWS).map(lambda r: r.prompt), max_size=10),
    st.sampled_from(MixtureStrategy),
    st.sampled_from(Curriculum),
    st.integers(0, 5),
)
def test_held_back_never_enters_and_every_targeted_row_does_once_at_least(
    targeted: set[str], held_back: list[str], strategy: MixtureStrategy, order: Curriculum, seed: int
) -> None:
    recipe = MixtureRecipe(strategy=strategy, order=order, seed=seed)
    mixture = _mix(targeted, held_back, recipe)
    by_id = {r.id: r for r in ROWS}
    used = [row.example_id for row in mixture.rows]
    assert len(used) == len(set(used))
    kept_out = {text.normalised(p) for p in held_back}
    assert not kept_out & {text.normalised(by_id[i].prompt) for i in used}
    leaks = {d.example_id for d in mixture.dropped if d.reason is LeftOut.HELD_BACK}
    assert targeted - leaks <= set(used)
    assert all(row.repeat >= 1 for row in mixture.rows)
    assert set(used) | {d.example_id for d in mixture.dropped} == set(by_id)
    assert mixture == _mix(targeted, held_back, recipe)
    assert sum(1 for _ in trainable_rows(mixture, by_id)) == mixture.counts["rows_as_trained"]


def test_a_full_mixture_brings_few_targeted_rows_up_to_their_share() -> None:
    mixture = _mix({"ex_1", "ex_2", "ex_3"}, [], MixtureRecipe(targeted_share=0.08))
    assert mixture.counts["rows"] == 120
    assert 0.05 <= mixture.targeted_share <= 0.1
    assert mixture.counts["targeted_as_trained"] == 10
    capped = _mix({"ex_1"}, [], MixtureRecipe(targeted_share=0.3, max_repeats=3))
    assert capped.counts["targeted_as_trained"] == 3


def test_many_targeted_rows_are_seen_once() -> None:
    mixture = _mix({f"ex_{i}" for i in range(60)}, [], MixtureRecipe())
    assert {row.repeat for row in mixture.rows} == {1}


@pytest.mark.parametrize(
    ("strategy", "targeted", "replay"),
    [(MixtureStrategy.TARGETED_REPLAY, 70, 30), (MixtureStrategy.QUICK_CHECK, 20, 100)],
)
def test_shares_are_exact(strategy: MixtureStrategy, targeted: int, replay: int) -> None:
    mixture = _mix({f"ex_{i}" for i in range(targeted)}, [], MixtureRecipe(strategy=strategy))
    assert (mixture.counts["targeted"], mixture.counts["replay"]) == (targeted, min(replay, 120 - targeted))
    assert mixture.counts["not_drawn"] == 120 - targeted - mixture.counts["replay"]


@pytest.mark.parametrize(
    ("share", "replay"), [(0.0, 0), (0.1, 4), (0.2, 10), (0.3, 17), (0.5, 40), (0.6, 60)]
)
def test_the_share_of_replay_is_what_is_asked_for(share: float, replay: int) -> None:
    recipe = MixtureRecipe(strategy=MixtureStrategy.TARGETED_REPLAY, replay_share=share)
    counts = _mix({f"ex_{i}" for i in range(40)}, [], recipe).counts
    assert (counts["targeted"], counts["replay"]) == (40, replay)


@pytest.mark.parametrize(
    ("strategy", "field", "value"),
    [
        ("targeted_replay", "targeted_share", 0.2),
        ("quick_check", "targeted_share", 0.2),
        ("quick_check", "replay_share", 0.2),
        ("full", "replay_share", 0.2),
        ("full", "replay_exponent", 0.2),
        ("targeted_replay", "max_repeats", 2),
        ("quick_check", "parity", False),
    ],
)
def test_what_a_strategy_does_not_read_is_refused_by_name(strategy: str, field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{field} has no effect in {strategy}"):
        MixtureRecipe.from_dict({"strategy": strategy, field: value})


@pytest.mark.parametrize("strategy", MixtureStrategy)
def test_a_recipe_that_was_read_can_be_sent_again(strategy: MixtureStrategy) -> None:
    recipe = MixtureRecipe(strategy=strategy)
    assert MixtureRecipe.from_dict(recipe.as_dict()) == recipe


def test_general_rows_come_before_targeted_ones_in_drawn_order() -> None:
    targeted = {f"ex_{i}" for i in range(0, 60, 3)}
    mixture = _mix(targeted, [], MixtureRecipe(order=Curriculum.GENERAL_FIRST, targeted_share=0.4))
    roles = [row.role for row in mixture.rows]
    assert roles == sorted(roles, key=lambda role: role is MixtureRole.TARGETED)
    of_replay = [row.example_id for row in mixture.rows if row.role is MixtureRole.REPLAY]
    assert of_replay != sorted(of_replay, key=lambda i: int(i.removeprefix("ex_")))
    written = [row["prompt"] for row in trainable_rows(mixture, {r.id: r for r in ROWS})]
    first = next(n for n, row in enumerate(mixture.rows) if row.role is MixtureRole.TARGETED)
    assert len(written) - first == mixture.counts["targeted_as_trained"]


def test_replay_draws_rare_groups_up() -> None:
    rows = [example(f"a{i}", f"common {i}", "common") for i in range(90)]
    rows += [example(f"b{i}", f"rare {i}", "rare") for i in range(10)]
    rows += [example(f"t{i}", f"target {i}", "new") for i in range(35)]
    mixture = _mix(
        {f"t{i}" for i in range(35)}, [], MixtureRecipe(strategy=MixtureStrategy.TARGETED_REPLAY), rows
    )
    replay = [row.example_id for row in mixture.rows if row.role is MixtureRole.REPLAY]
    assert len(replay) == 15
    assert sum(i.startswith("b") for i in replay) == 3


def test_a_near_duplicate_of_a_held_back_prompt_is_found_and_named() -> None:
    held = "how do i freeze my debit card when i am abroad"
    rows = [
        example("near", "how do I freeze my debit card when I'm abroad?", "cards", instruction="Name it."),
        example("far", "what is the interest rate of a loan", "loans", instruction="Name it."),
    ]
    mixture = _mix(set(), [f"Name it.\n{held}"], MixtureRecipe(), rows)
    (dropped,) = mixture.dropped
    assert (dropped.example_id, dropped.of) == ("near", f"Name it.\n{held}")
    assert [row.example_id for row in mixture.rows] == ["far"]


HELD = (
    "Which planet has the most moons?",
    "how do I freeze my debit card when I am abroad",
    "Convert 12 miles to kilometres.",
    "信用卡丢了应该先给谁打电话？",
)
FRAMES = (
    "Please answer: {}",
    "Q: {} A:",
    "### Question 7:\n{}\n### Answer:",
    "Hello, can you tell me {} Thanks in advance!",
    "Name the one thing that counts.\n{}",
    "{}\nAnswer in one word and do not explain.",
    "user: hi\nassistant: Hello! How can I help?\nuser: {}",
    "<question>{}</question>",
    "你好，请问{}谢谢",
    "问题：{}\n答案：",
    "{}",
)


EARLIER = "user: {}\nassistant: Sure.\nuser: and how long does that take?"


@settings(max_examples=examples(120))
@given(
    st.sampled_from(HELD),
    st.sampled_from((*FRAMES, EARLIER)),
    st.sampled_from(FRAMES),
    st.sampled_from([str.upper, str.lower, str.title, str.strip]),
    st.booleans(),
)
def test_a_held_back_question_enters_in_no_frame(
    question: str, outer: str, inner: str, case: Callable[[str], str], evaluation: bool
) -> None:
    rows = [
        example("leak", outer.format(inner.format(case(question))), "x"),
        example("far", "what is the interest rate of a loan", "loans"),
    ]
    mixture = build_mixture(
        repaired=rows,
        targeted_ids={"leak"},
        held_back_prompts=[] if evaluation else [question],
        evaluation_prompts=[question] if evaluation else [],
        recipe=MixtureRecipe(),
        rng=np.random.default_rng(0),
    )
    assert [row.example_id for row in mixture.rows] == ["far"]


@settings(max_examples=examples(60))
@given(st.sampled_from(FRAMES), st.sampled_from((*FRAMES, EARLIER)))
def test_a_question_held_back_in_one_frame_enters_in_no_other(left: str, right: str) -> None:
    question = "Which planet has the most moons?"
    assert leaked([right.format(question)], [left.format(question)]) == {0: left.format(question)}


@pytest.mark.parametrize(
    ("held", "other"),
    [
        ("Which planet has the most moons?", "Which planet has the fewest moons?"),
        ("What is 17 + 25?", "What is 17 - 25?"),
        ("Convert 12 miles to kilometres.", "Convert 13 miles to kilometres."),
        ("Who founded the city of Bergstadt in the north?", "Who founded the city of Talheim in the north?"),
        ("how do I open a savings account today", "how do I close a savings account today"),
        ("北京明天的天气怎么样", "上海明天的天气怎么样"),
    ],
)
@pytest.mark.parametrize("frame", [*FRAMES, EARLIER])
def test_another_question_in_the_same_frame_enters(held: str, other: str, frame: str) -> None:
    assert leaked([frame.format(other)], [frame.format(held)]) == {}
    assert leaked([frame.format(other)], [held]) == {}


@given(
    st.lists(st.text("ab c退", max_size=12), max_size=8), st.lists(st.text("ab c退", max_size=12), max_size=4)
)
def test_an_equal_prompt_always_leaks(prompts: list[str], held_back: list[str]) -> None:
    found = leaked(prompts, held_back, frozenset())
    for i, prompt in enumerate(prompts):
        if text.normalised(prompt) and text.normalised(prompt) in {text.normalised(h) for h in held_back}:
            assert i in found
    assert leaked(prompts, [], frozenset()) == {}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"strategie": "full"}, "no field 'strategie'"),
        ({"strategy": "all"}, "'full', 'targeted_replay' or 'quick_check'"),
        ({"targeted_share": 0.9}, "less than or equal to 0.5"),
        ({"max_repeats": 0}, "greater than or equal to 1"),
        ({"max_repeats": 1.5}, "valid integer"),
        ({"seed": True}, "valid integer"),
        ({"order": "random"}, "'shuffled', 'easy_to_hard' or 'general_first'"),
    ],
)
def test_a_recipe_from_outside_is_refused_with_the_fact_and_the_mend(raw: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MixtureRecipe.from_dict(raw)


def test_a_recipe_survives_json() -> None:
    recipe = MixtureRecipe(strategy=MixtureStrategy.QUICK_CHECK, order=Curriculum.EASY_TO_HARD, seed=9)
    assert MixtureRecipe.from_dict(json.loads(json.dumps(recipe.as_dict()))) == recipe


def test_easy_to_hard_trains_short_answers_first() -> None:
    rows = [example("long", "q", "one two three four five six"), example("short", "q", "one")]
    mixture = _mix(set(), [], MixtureRecipe(order=Curriculum.EASY_TO_HARD), rows)
    assert [row.example_id for row in mixture.rows] == ["short", "long"]


def test_repeats_of_a_shuffled_mixture_stand_apart() -> None:
    mixture = _mix({"ex_1"}, [], MixtureRecipe(targeted_share=0.03, max_repeats=4))
    prompts = [row["prompt"][0]["content"] for row in trainable_rows(mixture, {r.id: r for r in ROWS})]
    places = [i for i, p in enumerate(prompts) if p == ROWS[1].prompt]
    assert len(places) == 4
    assert min(b - a for a, b in pairwise(places)) > 20


def test_a_trainable_row_is_a_conversation_with_its_answer_apart() -> None:
    row = TrainingExample(
        id="a",
        messages=(
            Message(role=Role.SYSTEM, content="s"),
            Message(role=Role.USER, content="u"),
            Message(role=Role.ASSISTANT, content="a"),
        ),
        rejected=(Message(role=Role.ASSISTANT, content="r"),),
        tools=[{"name": "t"}],
    )
    assert trainable_row(row, 2.0) == {
        "prompt": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
        "completion": [{"role": "assistant", "content": "a"}],
        "rejected": [{"role": "assistant", "content": "r"}],
        "tools": [{"name": "t"}],
        "weight": 2.0,
    }


def test_a_row_that_is_measured_on_is_not_trained_on() -> None:
    mixture = build_mixture(
        repaired=ROWS,
        targeted_ids={ROWS[0].id},
        held_back_prompts=[],
        evaluation_prompts=[f" {ROWS[0].prompt.upper()}! ", ROWS[1].prompt],
        recipe=MixtureRecipe(),
        rng=np.random.default_rng(0),
    )
    assert {d.example_id for d in mixture.dropped} == {ROWS[0].id, ROWS[1].id}
    assert mixture.counts["held_back"] == 2
