from __future__ import annotations

import itertools
import json
from dataclasses import replace
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.estimators.knn_shapley import knn_shapley, worth
from app.domain.estimators.noise_mixture import STATISTICAL_CEILING, probability_bad
from app.domain.records import Message, Role, TrainingExample
from app.domain.repair.draft.draft import Draft
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.plan import ActionKind, Decision, RepairPolicy, plan_repair
from app.domain.repair.row_quality.defects import DETECTORS, JudgedRows, NoisyRow
from app.domain.repair.row_quality.defects.finding import PROPOSED_FROM, Sign
from app.domain.repair.row_quality.defects.habits import weighed
from app.domain.repair.row_quality.defects.reading import NEIGHBORS
from app.domain.repair.row_quality.defects_step import AGREEMENT_SCORE, combined
from app.domain.repair.row_quality.reading import judged_rows
from tests.effort import examples
from tests.unit.repair.builders import example, label_task

ASK = "Answer the customer."
ANSWERS = (
    "You can change the delivery address in your account before noon.",
    "The invoice is sent by mail two days after the order arrives.",
    "Please open the settings page and choose another password there.",
    "Returns are free of charge within thirty days of the purchase.",
    "Our shop in the station is open on Sundays from ten to six.",
)


def _support(*odd: tuple[str, str]) -> list[TrainingExample]:
    rows = [
        example(
            f"ok{i}", f"Customer {i} asks about topic {i % 5} of the order", ANSWERS[i % 5], instruction=ASK
        )
        for i in range(60)
    ]
    return rows + [example(f"odd{i}", p, o, instruction=ASK) for i, (p, o) in enumerate(odd)]


def _read(examples: list[TrainingExample]) -> JudgedRows:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(len(examples), 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    material = PlanInputs(input_vectors=vectors, output_vectors=vectors)
    return judged_rows(Draft.of(examples, RepairPolicy()), material)


def _found(examples: list[TrainingExample]) -> dict[str, list[NoisyRow]]:
    rows = _read(examples)
    return {name: list(detect(rows)) for name, detect in DETECTORS}


@pytest.mark.parametrize(
    ("detector", "prompt", "output"),
    [
        ("empty", "Where is my parcel today?", " \u200b\n"),
        ("refused", "Where is my parcel today?", "I'm sorry, but I can't help with that request."),
        ("refused", "我的包裹在哪里？", "抱歉，我无法回答这个问题。"),
        (
            "truncated",
            "Where is my parcel today?",
            "Your parcel has left the depot and it will reach you with the",
        ),
        (
            "truncated",
            "Which settings?",
            "You will find every one of these things on the settings page and in the accou",
        ),
        (
            "copied_prompt",
            "Where is the parcel that I ordered last week?",
            "Where is the parcel that I ordered last week?",
        ),
        (
            "wrong_language",
            "Where is my parcel today, please?",
            "您的包裹已经离开仓库，预计明天下午送到您家。",
        ),
        ("broken_markup", "Where is my parcel today?", "<p>It is on its way.</p><b>Tomorrow."),
        ("broken_markup", "Where is my parcel, as JSON?", '{"where": "depot", "when": tomorrow}'),
        ("unanswerable", "https://example.com/a.png", ANSWERS[0]),
        ("unanswerable", "Describe the attached picture", ANSWERS[1]),
        ("unanswerable", "请总结下面的文章：", ANSWERS[1]),
    ],
)
def test_each_plain_defect_is_found_in_its_row_alone(detector: str, prompt: str, output: str) -> None:
    found = _found(_support((prompt, output)))[detector]
    assert [noisy.row for noisy in found] == [60]
    assert found[0].score >= PROPOSED_FROM
    assert found[0].reason
    json.dumps(dict(found[0].evidence))


def test_ordinary_rows_are_silent() -> None:
    assert not any(_found(_support()).values())


@pytest.mark.parametrize(
    "outputs",
    [
        ("",),
        ("A", "B", "C"),
        ("我不知道这个问题的答案是什么。",),
        ("I'm sorry, but I can't help with that request.",),
    ],
)
def test_what_every_row_of_a_task_does_is_no_defect(outputs: tuple[str, ...]) -> None:
    rows = [
        example(f"r{i}", f"Say something about number {i}", outputs[i % len(outputs)], instruction=ASK)
        for i in range(60)
    ]
    proposed = [n for found in _found(rows).values() for n in found if n.score >= PROPOSED_FROM]
    assert proposed == []


def test_translation_is_not_a_wrong_language() -> None:
    rows = _support(("Translate into Chinese: where is my parcel today?", "我的包裹今天到哪里了？请告诉我。"))
    assert _found(rows)["wrong_language"] == []


def test_a_tool_call_has_no_empty_output() -> None:
    call = TrainingExample(
        id="call",
        messages=(
            Message(role=Role.USER, content="What is the weather in Rome?"),
            Message(role=Role.ASSISTANT, content="", extra={"tool_calls": [{"name": "weather"}]}),
        ),
    )
    assert _found([*_support(), call])["empty"] == []


def test_a_label_that_was_cut_off_is_named_with_the_whole_one() -> None:
    rows = [example(f"r{i}", f"Message {i}", "card_about_to_expire", instruction=ASK) for i in range(30)]
    found = _found([*rows, example("cut", "My card ends soon", "card_about_to", instruction=ASK)])[
        "truncated"
    ]
    assert [(n.row, n.evidence["label"]) for n in found] == [(30, "card_about_to_expire")]


@given(st.lists(st.booleans(), min_size=1, max_size=6), st.integers(1, 4))
@settings(max_examples=examples(40))
def test_worth_is_the_exact_shapley_value_of_the_vote(says: list[bool], k: int) -> None:
    agrees, neighbours = np.array([says]), len(says)

    def vote(chosen: tuple[int, ...]) -> float:
        return sum(says[i] for i in sorted(chosen)[:k]) / k

    exact = []
    for i in range(neighbours):
        others = [j for j in range(neighbours) if j != i]
        exact.append(
            sum(
                factorial(size)
                * factorial(neighbours - size - 1)
                / factorial(neighbours)
                * (vote((*s, i)) - vote(s))
                for size in range(neighbours)
                for s in itertools.combinations(others, size)
            )
        )
    assert worth(agrees, np.ones_like(agrees), k)[0] == pytest.approx(exact)


def test_absent_neighbours_are_worth_nothing() -> None:
    near = np.array([[1, -1], [0, -1], [-1, -1]])
    values = knn_shapley(near, np.array([0, 0, 0]), k=1)
    assert values[0] == values[1] > 0
    assert values[2] == 0


def test_swapped_labels_are_proposed_and_right_ones_stay() -> None:
    task = label_task(np.random.default_rng(3), rows_each=60)
    rows, wrong = list(task.examples), set(range(0, 360, 30))
    for row in wrong:
        rows[row] = example(rows[row].id, rows[row].prompt, task.gold[(row + 100) % 360])
    material = PlanInputs(input_vectors=task.inputs, output_vectors=task.outputs)
    plan = plan_repair(
        rows, material, RepairPolicy(near_duplicate_threshold=None, quality=None, contradictions=False)
    )
    named = {int(a.example_ids[0][3:]) for a in plan.actions if a.evidence["rule"] == "noise"}
    assert len(named & wrong) >= 0.8 * len(wrong)
    assert len(named - wrong) <= 3
    action = next(a for a in plan.actions if a.evidence["rule"] == "noise")
    assert action.kind is ActionKind.DROP
    assert {d["detector"] for d in action.evidence["detectors"]} & {"label_quality", "knn_shapley"}
    json.dumps(dict(action.evidence))


def test_outputs_that_do_not_follow_from_inputs_are_not_judged() -> None:
    rng = np.random.default_rng(0)
    own, swapped = rng.normal(size=(900, 3)), rng.normal(size=(900, 3))
    assert probability_bad(own, swapped, rng.integers(3, size=900)).max() < PROPOSED_FROM


def test_planted_strangers_are_probable_and_nothing_is_certain() -> None:
    rng = np.random.default_rng(0)
    own, swapped = rng.normal(size=(1000, 2)), rng.normal(loc=4, size=(1000, 2))
    own[:40] += 4
    found = probability_bad(own, swapped, rng.integers(3, size=1000))
    assert (found[:40] >= PROPOSED_FROM).mean() > 0.8
    assert (found[40:] >= PROPOSED_FROM).mean() < 0.01
    assert found.max() <= STATISTICAL_CEILING


def test_an_empty_output_goes_without_a_person_and_a_refusal_does_not() -> None:
    rows = _support(
        ("Where is it?", ""), ("Where is my coat?", "I'm sorry, but I can't help with that request.")
    )
    vectors = _read(rows).input_vectors
    plan = plan_repair(rows, PlanInputs(input_vectors=vectors, output_vectors=vectors), RepairPolicy())
    decided = {a.example_ids[0]: a.decision for a in plan.actions if a.evidence["rule"] == "noise"}
    assert decided == {"odd0": Decision.APPROVED, "odd1": Decision.PROPOSED}


def test_the_step_can_be_turned_off() -> None:
    rows = _support(("Where is it?", ""))
    vectors = _read(rows).input_vectors
    policy = RepairPolicy.from_dict({"noise": False, "quality": None})
    plan = plan_repair(rows, PlanInputs(input_vectors=vectors, output_vectors=vectors), policy)
    assert "noise" not in plan.summary["by_rule"]


def test_one_statistic_never_decides_and_signs_of_one_form_count_once() -> None:
    def noisy(detector: str, score: float, *, statistical: bool = False) -> NoisyRow:
        return NoisyRow(row=0, detector=detector, score=score, reason="", statistical=statistical)

    form = [noisy("truncated", 0.7), noisy("broken_markup", 0.7)]
    assert combined(form) == pytest.approx(0.7)
    assert combined([*form, noisy("refused", 0.7)]) == pytest.approx(0.91)
    statistics = [
        noisy(name, 0.75, statistical=True) for name in ("mismatch", "label_quality", "knn_shapley")
    ]
    assert combined(statistics[:2]) == 0.75
    assert combined(statistics) == AGREEMENT_SCORE


def test_a_trait_of_a_tenth_of_the_rows_counts_less_and_of_half_not_at_all() -> None:
    rows = _read(_support())
    sign = Sign(certainty=0.9, reason="")
    scores = [
        max((n.score for n in weighed(rows, "trait", dict.fromkeys(range(count), sign))), default=0.0)
        for count in (3, 9, 30)
    ]
    assert scores[0] == pytest.approx(0.9)
    assert 0 < scores[1] < 0.9
    assert scores[2] == 0


@pytest.mark.parametrize(
    "output",
    [
        "",
        "x",
        "\ud800",
        "[" * 5000,
        "😀" * 50,
        "مرحبا كيف حالك اليوم",
        "a" * 1_000_000,
        "<a>" * 2000 + "</b>",
    ],
)
def test_odd_texts_are_judged_without_failing(output: str) -> None:
    for found in _found([example("r", output, output), *_support()]).values():
        for noisy in found:
            json.dumps(dict(noisy.evidence)).encode()
            noisy.reason.encode()


def test_many_copies_of_one_prompt_are_no_work() -> None:
    rows = [example(f"r{i}", "the same", "and the same") for i in range(3000)]
    vectors = np.ones((3000, 4), dtype=np.float32) / 2
    read = judged_rows(
        Draft.of(rows, RepairPolicy()), PlanInputs(input_vectors=vectors, output_vectors=vectors)
    )
    assert (read.near.indices != np.arange(3000)[:, None]).all()
    assert len(np.unique(read.near.indices)) <= NEIGHBORS + 1


def _decisions(rows: list[TrainingExample]) -> dict[str, tuple[Decision, str]]:
    vectors = _read(rows).input_vectors
    plan = plan_repair(rows, PlanInputs(input_vectors=vectors, output_vectors=vectors), RepairPolicy())
    return {a.example_ids[0]: (a.decision, a.reason) for a in plan.actions if a.evidence["rule"] == "noise"}


@pytest.mark.parametrize(
    ("prompt", "output", "reason"),
    [
        ("Who are you?", "I am {{bot_name}}, the assistant of this shop.", "placeholder not filled in"),
        (
            "Who wrote you?",
            "I was written by <DEVELOPER> in the year of the fair.",
            "placeholder not filled in",
        ),
        ("谁开发了你？", "我是由[公司名称]开发的智能助手，很高兴为您服务。", "placeholder not filled in"),
        ("How long is the warranty?", "nan", "placeholder not filled in"),
        ("Where is the shop?", "undefined", "placeholder not filled in"),
        ("null", "The shop is open on Sundays from ten to six.", "the input holds 'null'"),
        (
            "Tell {customer_name} when we open",
            "The shop is open on Sundays.",
            "the input holds '{customer_name}'",
        ),
        ("请回答[问题]", "好的，我们周日十点开门，欢迎光临本店。", "the input holds '[问题]'"),
        ("Where is the harbour?", "#REF!", "placeholder not filled in"),
        ("How many days has June?", "<think>\nJune follows May, so it has", "the reasoning is cut off"),
        ("七月有几天？", "<think>七月是大月，所以应该", "the reasoning is cut off"),
        ("How many days has July?", "<think>\nIt has 31.\n</think>\n", "no answer stands behind"),
        ("What is 3+4?", "<think></think>", "no answer stands behind"),
        ("Find it", '<tool_call>\n{"name": "find", "arguments": {"q": "coat"\n</tool_call>', "is no JSON"),
    ],
)
def test_places_cut_reasoning_and_broken_calls_ask_a_person(prompt: str, output: str, reason: str) -> None:
    decision, told = _decisions(_support((prompt, output)))["odd0"]
    assert decision is Decision.PROPOSED
    assert reason in told


def test_no_habit_excuses_a_template_that_was_never_filled_in_or_reasoning_that_was_cut() -> None:
    rows = [
        example(f"t{i}", f"Who are you, part {i}?", f"I am {{{{name}}}}, assistant {i}.") for i in range(4)
    ]
    rows += [example(f"r{i}", f"What is {i} + 1?", f"<think>\n{i} and one make") for i in range(4)]
    decided = _decisions(rows)
    assert set(decided) == {row.id for row in rows}
    assert {decision for decision, _ in decided.values()} == {Decision.PROPOSED}


@pytest.mark.parametrize(
    ("prompt", "output"),
    [
        ("五加八等于几？", "<think>\n\n</think>\n\n13"),
        ("What is 8 + 9?", "<think>\nEight and nine make seventeen.\n</think>\n\nIt is seventeen in all."),
        ("Write a template of a greeting", "Hello {{name}}, welcome to our shop."),
        ("Put <CITY> into the sentence", "We all live in <CITY> and like it very much there."),
        ("Which tag opens the block of reasoning?", "<think>"),
        ("Which tag closes a paragraph?", "</p>"),
        (
            "查一下奥斯陆的天气",
            '<tool_call>\n{"name": "weather", "arguments": {"city": "Oslo"}}\n</tool_call>',
        ),
        ("查一下卑尔根的天气", '{"name": "weather", "arguments": {"city": "Bergen", "days": [1, 2, 3]}}'),
    ],
)
def test_reasoning_calls_and_templates_that_were_asked_for_are_no_defects(prompt: str, output: str) -> None:
    assert _decisions(_support((prompt, output))) == {}


def test_a_structured_call_is_no_defect_and_its_broken_arguments_are() -> None:
    def calling(name: str, arguments: str) -> TrainingExample:
        call = {"type": "function", "function": {"name": "weather", "arguments": arguments}}
        turn = Message(role=Role.ASSISTANT, content="", extra={"tool_calls": [call]})
        return TrainingExample(id=name, messages=(Message(role=Role.USER, content=f"Look up {name}"), turn))

    rows = [*_support(), calling("whole", '{"city": "Oslo"}'), calling("cut", '{"city": "Os')]
    decided = _decisions(rows)
    assert set(decided) == {"cut"}
    assert decided["cut"][0] is Decision.PROPOSED
    assert "arguments of the call weather are no JSON" in decided["cut"][1]


def test_guesses_that_agree_ask_a_person_and_undesired_answers_are_left_alone() -> None:
    twice = ("Where is my parcel today?", "I'm sorry, but I can't help with that because the {parcel_number}")
    assert _decisions(_support(twice))["odd0"][0] is Decision.PROPOSED
    rows = _support(("Where is it?", ""))
    rows[-1] = replace(rows[-1], desirable=False)
    assert _decisions(rows) == {}


def test_a_link_that_a_tool_opens_and_lines_of_json_are_no_defects() -> None:
    call = '<tool_call>\n{"name": "open", "arguments": {"url": "https://example.com/a"}}\n</tool_call>'
    assert _decisions(_support(("https://example.com/a", call))) == {}
    assert _decisions(_support(("Give both parcels as JSON lines", '{"parcel": 1}\n{"parcel": 2}'))) == {}
