from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.domain.near_duplicates.comparison import Comparison
from app.domain.records import TrainingExample
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.duplicates.survivor import keep_best
from app.domain.repair.plan import RepairPlan, RepairPolicy, plan_repair
from tests.unit.repair.builders import example

_LONG = "You can ask for your money back within fourteen days after the parcel has reached you."
_ASK = "how do i ask for my money back when the parcel was late and broken"


def _plan(rows: list[tuple[str, str]], **duplicates: Any) -> RepairPlan:
    examples = [example(f"ex_{i}", prompt, output) for i, (prompt, output) in enumerate(rows)]
    policy = RepairPolicy.from_dict({"duplicates": duplicates, "conflict": ["ask"]})
    vectors = np.eye(8, dtype=np.float32)[[0] * len(rows)]
    return plan_repair(examples, PlanInputs(input_vectors=vectors, output_vectors=vectors), policy)


def _dropped(plan: RepairPlan, rule: str = "near_duplicate") -> dict[str, str]:
    return {a.example_ids[0]: a.evidence["of"] for a in plan.actions if a.evidence["rule"] == rule}


def test_of_a_pair_written_twice_the_better_answer_stays_and_the_reason_says_why() -> None:
    plan = _plan([(f"{_ASK}!", _LONG[:-1]), (_ASK, _LONG)])
    assert _dropped(plan) == {"ex_0": "ex_1"}
    assert "its answer is complete" in plan.actions[0].reason
    noted = plan.summary["near_duplicates"]
    assert noted["bands"] == 48
    assert noted["probability_at_threshold"] > 0.99
    assert noted["curve"]


def test_of_equal_rows_the_one_stays_whose_words_others_write_too() -> None:
    others = [
        (f"please say how long it takes until the {what} was sent back and my money too", f"{_LONG} {what}.")
        for what in ("parcel that came late", "broken lamp")
    ]
    noisy = "how do i ask for my monye back wehn the parcel was late and broken"
    plan = _plan([(noisy, _LONG), (_ASK, _LONG), *others])
    assert _dropped(plan) == {"ex_0": "ex_1"}
    assert "its words are spelt as in other rows" in plan.actions[0].reason


def test_the_same_prompt_with_another_label_is_no_duplicate_unless_inputs_alone_count() -> None:
    rows = [(_ASK, "refund"), (f"{_ASK}?", "complaint")]
    assert _dropped(_plan(rows)) == {}
    assert _dropped(_plan(rows, over="inputs")) == {"ex_0": "ex_1"}


def test_outputs_alone_count_where_that_is_asked_for_and_labels_never() -> None:
    rows = [(_ASK, _LONG), ("what is the weather like in the north", f"{_LONG} "), ("a", "yes"), ("b", "yes")]
    assert _dropped(_plan(rows)) == {}
    assert _dropped(_plan(rows, over="outputs")) == {"ex_1": "ex_0"}


def test_another_number_in_prompt_or_answer_keeps_both_rows() -> None:
    assert _dropped(_plan([(f"{_ASK} on 5 may", _LONG), (f"{_ASK} on 6 may", _LONG)])) == {}
    assert (
        _dropped(_plan([(_ASK, f"{_LONG} It costs 5 EUR."), (f"{_ASK}!", f"{_LONG} It costs 6 EUR.")])) == {}
    )


def test_meaning_counts_on_request_and_a_person_decides() -> None:
    rows = [(_ASK, _LONG), ("getting a refund for goods that came late and in pieces", _LONG)]
    assert _dropped(_plan(rows), "same_meaning") == {}
    plan = _plan(rows, meaning_cosine=0.9)
    assert _dropped(plan, "same_meaning") == {"ex_1": "ex_0"}
    assert plan.actions[0].decision.value == "proposed"
    unlike = [(_ASK, _LONG), ("getting a refund for 3 goods that came late and in pieces", _LONG)]
    assert _dropped(_plan(unlike, meaning_cosine=0.9), "same_meaning") == {}


@pytest.mark.parametrize(
    ("worse", "why"),
    [
        ("", "it has an answer"),
        ("I'm sorry, I can't help with that, as it is beyond what I am able to do for you here.", "refusal"),
        (_LONG[:-9], "complete"),
        (_LONG.replace("your", "yo\ufffdr"), "better formed"),
        (_LONG.replace("your money ", "it "), "says more"),
        (_LONG, "the first"),
    ],
)
def test_the_best_row_stays_for_the_first_reason_that_tells(worse: str, why: str) -> None:
    rows = [example("good", _ASK, _LONG), example("worse", _ASK, worse)]
    kept = keep_best((1, 0), rows)
    assert kept.row == 0
    assert why in kept.why
    preferred = keep_best((0, 1), rows, score=_only("worse"))
    assert preferred.row == 1
    assert "quality" in preferred.why


def _only(example_id: str) -> Any:
    def score(of: TrainingExample) -> float:
        return float(of.id == example_id)

    return score


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("pairs", "policy.duplicates is 'pairs': give an object"),
        ({"of": 1}, "policy.duplicates has no field 'of'"),
        ({"over": "rows"}, "duplicates.over"),
        ({"edit_share": 0.9}, "less than or equal to 0.5"),
        ({"lenient": 1}, "valid boolean"),
    ],
)
def test_a_policy_that_cannot_be_read_names_the_fact_and_the_mend(section: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RepairPolicy.from_dict({"duplicates": section})


def test_a_policy_comes_back_as_it_was_given() -> None:
    given = {"over": "inputs", "edit_share": 0.1, "lenient": True, "meaning_cosine": 0.95}
    assert RepairPolicy.from_dict({"duplicates": given}).as_dict()["duplicates"] == given


def test_what_is_answered_alike_may_differ_by_slips_that_nothing_else_gives_away() -> None:
    others = [(f"帮我查一下{city}明天的天气和气温", f"{city}天气") for city in ("北京", "上海", "广州")]
    one = ("唐艺昕今天晚上出席了什么活动", "唐艺忻今天晚上出席了什么活动")
    name = ("给刘俊发短信", "给刘西发短信")  # of a short text one character is much
    alike = [(text, answer) for answer, pair in enumerate((one, name)) for text in pair]
    plan = _plan([*others, *((t, f"answer {a}") for t, a in alike)])
    assert _dropped(plan) == {"ex_4": "ex_3"}
    (asked,) = (a for a in plan.actions if a.evidence["rule"] == "near_duplicate")
    assert asked.score > 0.8
    assert asked.decision.value == "proposed"
    assert "please confirm" in asked.reason
    unlike = [(text, f"answer {row}") for row, (text, _) in enumerate(alike)]
    assert _dropped(_plan([*others, *unlike], over="inputs")) == {}


def test_a_copy_that_is_sure_goes_by_itself_beside_one_that_only_the_answer_vouches_for() -> None:
    one, other = "唐艺昕今天晚上出席了什么活动", "唐艺忻今天晚上出席了什么活动"
    plan = _plan([(one, "首映礼"), (f"{one}？", "首映礼"), (other, "首映礼")])
    of_row = {a.example_ids[0]: a for a in plan.actions if a.evidence["rule"] == "near_duplicate"}
    assert {row: (a.evidence["of"], a.decision.value) for row, a in of_row.items()} == {
        "ex_1": ("ex_0", "approved"),
        "ex_2": ("ex_0", "proposed"),
    }


def test_who_asks_the_same_does_not_depend_on_who_answers_alike() -> None:
    first, noisy, whole = (
        "请查询一下深圳飞往上海的班",
        "请查询一下深圳一飞往上海的航班",
        "请查询一下深圳飞往上海的航班",
    )
    frames = [""] * 3
    alone, by_answers = Comparison.of(
        [first, noisy, whole], frames, 0.8, answers=["w", "r", "r"]
    ).found_apart()
    assert alone == Comparison.of([first, noisy, whole], frames, 0.8).found()
    assert by_answers.keys() <= {(1, 2)}


def test_a_row_that_others_go_for_stays_where_only_the_answer_vouches_for_another() -> None:
    one, other = "唐艺昕今天晚上出席了什么活动", "唐艺忻今天晚上出席了什么活动"
    plan = _plan([(one, _LONG[:-1]), (f"{one}？", "other answer"), (other, _LONG[:-1])], over="inputs")
    of_row = _dropped(plan)
    assert of_row.keys().isdisjoint(of_row.values())
    assert "ex_1" in of_row


def test_a_row_that_a_person_is_asked_about_is_not_proposed_again_for_its_meaning() -> None:
    pair = ("唐艺昕今天晚上出席了什么活动", "唐艺忻今天晚上出席了什么活动")
    plan = _plan([(text, "首映礼") for text in pair], meaning_cosine=0.95)
    assert [a.example_ids for a in plan.actions if a.kind.value == "drop"] == [("ex_1",)]


def test_versions_of_one_template_with_one_label_are_no_garbled_copies() -> None:
    names = ("alice", "bob", "charlie", "david", "emma", "frank", "grace", "henry", "irene", "jack", "kevin")
    places = ("office", "cinema", "station", "airport", "museum", "library", "harbour", "market")
    said = "please send a short text message to {} that i am going to be late for dinner at the {} tonight"
    rows = [(said.format(name, place), "send_message") for name in names for place in places]
    assert _dropped(_plan(rows)) == {}
