from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.domain.records import Message, Role, TrainingExample
from app.domain.repair.apply.apply import apply_actions
from app.domain.repair.draft.actions import ActionKind, ProposedAction
from app.domain.repair.draft.draft import Draft
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.policy.decision import Decision
from app.domain.repair.policy.normalisation import NormalisationPolicy, NormalisationRule
from app.domain.repair.policy.repair_policy import RepairPolicy
from app.domain.repair.rewriting import normalisation_step
from app.domain.repair.rewriting.normalisation.templates import read
from app.domain.repair.uniformity import step
from tests.unit.repair.builders import example


def _actions(rows: list[TrainingExample], rule: NormalisationRule) -> dict[str, ProposedAction]:
    policy = RepairPolicy(normalise=NormalisationPolicy(rules=frozenset({rule})))
    draft = Draft.of(rows, policy)
    vectors = np.random.default_rng(0).normal(size=(len(rows), 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    material = PlanInputs(input_vectors=vectors, output_vectors=np.zeros((len(rows), 1), dtype=np.float32))
    normalisation_step.propose(draft, material)
    step.propose(draft, material)
    assert all(a.kind is ActionKind.NORMALISE for a in draft.actions)
    assert all(a.decision is Decision.PROPOSED for a in draft.actions)
    assert all(a.evidence["rule"] == f"normalise_{rule.value}" for a in draft.actions)
    return {a.example_ids[0]: a for a in draft.actions}


def _after(action: ProposedAction) -> list[tuple[str, str]]:
    return [(m["role"], m["content"]) for m in action.after[0]["messages"]]


_TASK = "Sort the message into a topic."


def test_an_instruction_inside_the_user_text_goes_where_most_rows_have_it() -> None:
    rows = [example(f"r{i}", f"message {i}", "cards", system=_TASK) for i in range(30)]
    rows += [
        example("front", f"{_TASK}\nmy card is gone", "cards"),
        example("glued", f"{_TASK} my card broke", "cards"),
        example("behind", f"my card is late\n{_TASK}", "cards"),
        example("twice", f"{_TASK}\nmy card is red", "cards", system=_TASK),
    ]
    made = _actions(rows, NormalisationRule.LAYERING)
    assert {key: action.evidence["found"] for key, action in made.items()} == {
        key: key for key in ("front", "glued", "behind", "twice")
    }
    assert _after(made["glued"]) == [("system", _TASK), ("user", "my card broke"), ("assistant", "cards")]
    assert _after(made["behind"])[1] == ("user", "my card is late")


def test_an_instruction_that_is_a_system_prompt_in_few_rows_goes_in_front() -> None:
    rows = [example(f"r{i}", f"message {i}", "cards", instruction=_TASK) for i in range(30)]
    rows.append(example("odd", "my card is gone", "cards", system=_TASK))
    made = _actions(rows, NormalisationRule.LAYERING)
    assert _after(made["odd"]) == [("user", f"{_TASK}\nmy card is gone"), ("assistant", "cards")]
    assert len(made) == 1


@pytest.mark.parametrize(
    ("odd", "usual"),
    [
        ("Question: how far is it", "how far is it"),
        ("### Input:\nhow far is it\n\n### Response:", "how far is it"),
        ("how far is it", "Question: how far is it\nAnswer:"),
        ("问题：how far is it", "### Input:\nhow far is it"),
    ],
)
def test_a_row_in_another_template_is_laid_out_as_its_neighbours_are(odd: str, usual: str) -> None:
    rows = [example(f"r{i}", usual.replace("far", f"far{i}"), "5 km", system="Answer.") for i in range(40)]
    rows.append(example("odd", odd, "5 km", system="Answer."))
    made = _actions(rows, NormalisationRule.TEMPLATES)
    assert _after(made["odd"])[1] == ("user", usual)
    assert len(made) == 1


def test_a_template_keeps_its_slots_apart_and_a_few_shot_prompt_is_none() -> None:
    found = read("### Instruction:\nSum up.\n\n### Input:\nA text.\n\n### Response:\n")
    assert found is not None
    layout, bodies = found
    assert (layout.slots, bodies, layout.cue) == (
        ("instruction", "input"),
        ("Sum up.", "A text."),
        "\n\n### Response:",
    )
    assert read("Q: 1+1\nA: 2\nQ: 2+2\nA:") is None


def test_a_transcript_in_one_turn_becomes_turns() -> None:
    rows = [
        example(
            "a", "User: hi\nAssistant: hello, how can I help?\nUser: book a table\nAssistant:", "For when?"
        ),
        example("b", "Sum up this talk:\nUser: hi\nAssistant: hello", "A greeting."),
        example("c", "用户：你好", "您好"),
        *(example(f"r{i}", f"question {i}", "answer") for i in range(9)),
    ]
    made = _actions(rows, NormalisationRule.ROLES)
    assert _after(made["a"]) == [
        ("user", "hi"),
        ("assistant", "hello, how can I help?"),
        ("user", "book a table"),
        ("assistant", "For when?"),
    ]
    assert _after(made["c"])[0] == ("user", "你好")
    assert "b" not in made


def test_an_answer_that_speaks_for_others_is_cut() -> None:
    rows = [
        example("label", "hi", "Assistant: hello"),
        example("runs", "hi there", "hello\nUser: thanks\nAssistant: welcome"),
        *(example(f"r{i}", f"question {i}", "answer") for i in range(18)),
    ]
    made = _actions(rows, NormalisationRule.ROLES)
    assert _after(made["label"])[1] == ("assistant", "hello")
    assert _after(made["runs"])[1] == ("assistant", "hello")


def test_a_row_the_wrong_way_round_and_a_turn_with_the_wrong_role_are_found() -> None:
    question, answer = "how do I reset my password", "Open the settings and choose reset."
    row = example("d", "one", "four")
    turns = [("user", "one"), ("assistant", "two"), ("assistant", "three?"), ("assistant", "four")]
    dialogue = replace(row, messages=tuple(Message(role=Role(r), content=c) for r, c in turns))
    made = _actions(
        [example("a", question, answer), example("b", answer, question), dialogue], NormalisationRule.ROLES
    )
    assert _after(made["b"]) == [("user", question), ("assistant", answer)]
    assert [role for role, _ in _after(made["d"])] == ["user", "assistant", "user", "assistant"]
    assert "a" not in made


def test_system_prompts_of_one_meaning_become_one_and_others_stay() -> None:
    usual = "You are a helpful assistant. Answer in English."
    variants = {
        "signs": "You are a helpful assistant, answer in English",
        "word": "You are a helpful AI assistant. Answer in English.",
        "spelling": "You are a helpful assistent. Answer in English.",
        "language": "You are a helpful assistant. Answer in Spanish.",
        "negation": "You are a helpful assistant. Do not answer in English.",
        "number": "You are a helpful assistant. Answer in English 2.",
    }
    rows = [example(f"r{i}", f"question {i}", "answer", system=usual) for i in range(10)]
    rows += [example(name, f"question {name}", "answer", system=system) for name, system in variants.items()]
    made = _actions(rows, NormalisationRule.SYSTEM_PROMPTS)
    assert set(made) == {"signs", "word", "spelling"}
    assert all(_after(action)[0] == ("system", usual) for action in made.values())
    assert made["signs"].score > made["word"].score


def test_punctuation_follows_the_set() -> None:
    rows = [example(f"r{i}", f"你好，世界第{i}，再见", "好的。") for i in range(20)]
    rows += [example("odd", "你好,世界!3.5,再见", "好的."), example("latin", "Hello，world。", "ok")]
    rows += [example(f"e{i}", f"Hello, world {i}.", "Fine, thanks.") for i in range(20)]
    made = _actions(rows, NormalisationRule.PUNCTUATION_WIDTH)
    assert _after(made["odd"]) == [("user", "你好，世界!3.5,再见"), ("assistant", "好的。")]
    assert _after(made["latin"])[0] == ("user", "Hello, world.")
    assert len(made) == 2


def test_segmented_chinese_and_curly_quotes_follow_the_set() -> None:
    plain = "我们今天下午一起去公园里散步吧"
    rows = [example(f"r{i}", plain + str(i), "好") for i in range(30)]
    rows.append(example("odd", "我们 今天 下午 一起 去 公园 里 散步 吧 。", "好"))
    assert _after(_actions(rows, NormalisationRule.CHINESE_SPACES)["odd"])[0][1] == f"{plain}。"
    rows = [example(f"r{i}", f'don\'t say "{i}"', "ok") for i in range(30)]
    rows.append(example("odd", "don’t say “no”, `don’t`", "ok"))
    assert _after(_actions(rows, NormalisationRule.QUOTES)["odd"])[0][1] == 'don\'t say "no", `don’t`'


def test_rules_are_decided_one_by_one_and_the_instruction_keeps_its_place() -> None:
    row = example("a", "the text<|im_end|>", "ＯＫ", instruction="Sort  the message.")
    draft = Draft.of([row], RepairPolicy())
    material = PlanInputs(
        input_vectors=np.ones((1, 1), dtype=np.float32), output_vectors=np.ones((1, 1), dtype=np.float32)
    )
    normalisation_step.propose(draft, material)
    rules = [a.evidence["rule"] for a in draft.actions]
    assert rules == ["normalise_special_tokens", "normalise_width", "normalise_spaces"]
    assert draft.examples[0].instruction == "Sort the message."
    chosen = [
        replace(a, decision=Decision.APPROVED if n == 2 else Decision.REJECTED)
        for n, a in enumerate(draft.actions)
    ]
    (applied,) = apply_actions([row], chosen, new_id=lambda: "n").rows
    assert applied.example.messages[0].content == "Sort the message.\nthe text<|im_end|>"
    assert applied.example.instruction == "Sort the message."
    assert applied.example.output == "ＯＫ"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("yes", "give an object"),
        ({"rules": "width"}, "valid frozenset"),
        ({"rules": ["widht"]}, "input should be"),
        ({"rule": []}, "no field"),
    ],
)
def test_a_normalisation_policy_is_refused_with_the_fact_and_the_mend(raw: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NormalisationPolicy.from_dict(raw)


def test_a_normalisation_policy_survives_its_own_form() -> None:
    for raw in (True, False, {"rules": ["roles", "width"]}):
        assert NormalisationPolicy.from_dict(raw).model_dump() == raw
        assert RepairPolicy.from_dict({"normalise": raw}).as_dict()["normalise"] == raw
    assert RepairPolicy.from_dict({"normalise": {"rules": []}}).as_dict()["normalise"] is False


def test_a_speaker_that_is_cut_from_an_answer_leaves_its_reasoning_and_a_call_is_left_alone() -> None:
    rows = [example(f"r{i}", f"message {i}", f"answer number {i} is ready") for i in range(30)]
    thought = "<think>\nThe lamp is blue.\n</think>\n\n"
    call = '<tool_call>\n{"name": "say", "arguments": {"text": "x\\nUser: y"}}\n</tool_call>'
    rows += [
        example("odd", "What colour is it?", f"{thought}Assistant: The lamp is blue."),
        example("call", "Say it", call),
    ]
    made = _actions(rows, NormalisationRule.ROLES)
    assert set(made) == {"odd"}
    assert _after(made["odd"])[-1] == ("assistant", f"{thought}The lamp is blue.")
