"""What a model sees and learns of calls, results and reasoning, under the templates that models really have."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
from transformers import AutoTokenizer

from app.domain.answers import ToolCall, read_text
from tests.pipeline.tiny_model import CHAT_TEMPLATE as PLAIN_TURNS
from tests.pipeline.tiny_model import make_tiny_model
from workers.models.chat import UnrenderableConversation, prompt_and_answer_ids, prompt_ids

ASKED = [{"role": "user", "content": "How warm is it in Oslo?"}]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "temperature",
            "description": "Degrees now",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]
CALL = {
    "id": "call_7",
    "type": "function",
    "function": {"name": "temperature", "arguments": '{"city": "Oslo"}'},
}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "content": '{"celsius": -3}', "tool_call_id": "call_7"}
ONLY_TALK = (
    "{% for m in messages %}{% if m['role'] not in ['user', 'assistant'] %}{{ raise_exception('no such role') }}"
    "{% endif %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('turns') }}{% endif %}"
    "{{ '<' + m['role'] + '>' + m['content'] + '<|im_end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}"
)
SHORT_IDS = (
    "{% for m in messages %}{% if m.tool_calls %}{% for c in m.tool_calls %}{% if c.id|length != 9 %}"
    "{{ raise_exception('nine characters') }}{% endif %}{{ '[TOOL_CALLS]' + [c.function]|tojson + c.id }}{% endfor %}"
    "{% elif m.role == 'tool' %}{% if m.tool_call_id|length != 9 %}{{ raise_exception('nine') }}{% endif %}"
    "{{ '[RESULT]' + m.content + m.tool_call_id }}"
    "{% else %}{{ '[' + m.role + ']' + m.content }}{% endif %}{% endfor %}"
)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return AutoTokenizer.from_pretrained(make_tiny_model(tmp_path_factory.mktemp("tiny")))


def shipped(name: str) -> str:
    return (files("trl") / "chat_templates" / f"{name}.jinja").read_text(encoding="utf-8")


def learnt(
    tokenizer: Any,
    template: str | None,
    prompt: list[dict[str, Any]],
    answer: dict[str, Any],
    tools: Any = TOOLS,
) -> tuple[str, str]:
    """Prompt and answer as texts; the answer without the end of its turn."""
    tokenizer.chat_template = template
    before, ids = prompt_and_answer_ids(tokenizer, prompt, [answer], tools=tools)
    asked = prompt_ids(tokenizer, prompt, tools=tools)
    assert asked[: len(before)] == before, "generation goes on from where the learnt answer begins"
    assert ids[-1] == tokenizer.eos_token_id
    text = tokenizer.decode(ids[:-1])
    for end in ("<|im_end|>", "<end_of_turn>", "<|end|>", "<|eot_id|>", "<｜end▁of▁sentence｜>"):
        text = text.removesuffix("\n").removesuffix(end)
    return tokenizer.decode(before), text


KNOWING = ["qwen2_5", "qwen3", "qwen3_instruct_2507", "llama3_1", "llama3_2"]
NOT_KNOWING = [PLAIN_TURNS, ONLY_TALK, None, "phi3", "gemma", "gemma3", "deepseek_r1_distill"]


def source(template: str | None) -> str | None:
    return shipped(template) if template is not None and template.isidentifier() else template


@pytest.mark.parametrize("template", [*KNOWING, *NOT_KNOWING])
@pytest.mark.parametrize(
    "answer",
    [
        CALLING,
        {
            **CALLING,
            "content": "",
            "tool_calls": [{**CALL, "function": {"name": "temperature", "arguments": {"city": "Oslo"}}}],
        },
        {"role": "assistant", "content": None, "function_call": CALL["function"]},
        {"role": "function_call", "content": '{"name": "temperature", "arguments": {"city": "Oslo"}}'},
    ],
    ids=["json_text", "object", "older_function_call", "function_call_turn"],
)
def test_a_call_is_learnt_once_and_read_back_however_the_row_writes_it(
    tokenizer: Any, template: str | None, answer: dict[str, Any]
) -> None:
    prompt, said = learnt(tokenizer, source(template), ASKED, answer)
    assert "temperature" in prompt
    assert "Degrees now" in prompt, "the model is told what it may call"
    assert said.count("Oslo") == 1
    assert '\\"' not in said
    assert read_text(said).tool_calls == (ToolCall(name="temperature", arguments={"city": "Oslo"}),)


@pytest.mark.parametrize("template", [*KNOWING, *NOT_KNOWING])
def test_what_a_tool_gave_back_stands_in_the_prompt_and_is_not_learnt(
    tokenizer: Any, template: str | None
) -> None:
    turns = [*ASKED, CALLING, RESULT]
    prompt, said = learnt(tokenizer, source(template), turns, {"role": "assistant", "content": "It is -3."})
    assert "celsius" in prompt
    assert "Oslo" in prompt.split("?")[-1], "the call that brought it, too"
    assert "celsius" not in said
    assert read_text(said).text == "It is -3."


def test_two_calls_and_their_results_become_one_turn_each_where_turns_have_to_alternate(
    tokenizer: Any,
) -> None:
    other = {**CALL, "id": "call_8", "function": {"name": "temperature", "arguments": '{"city": "Bergen"}'}}
    turns = [*ASKED, {**CALLING, "tool_calls": [CALL, other]}, RESULT, {**RESULT, "content": "7"}]
    prompt, _ = learnt(tokenizer, ONLY_TALK, turns, {"role": "assistant", "content": "Bergen is warmer."})
    assert prompt.count("<user>") == 2
    assert prompt.count("<tool_response>") == 2
    assert prompt.count("<tool_call>\n{") == 3  # one in the words about tools


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize(
    "template", ["qwen3", "qwen2_5", "deepseekv3", "deepseek_r1_distill", "qwen3_6", PLAIN_TURNS, None]
)
def test_reasoning_is_learnt_before_the_answer(tokenizer: Any, template: str | None, key: str) -> None:
    answer = {"role": "assistant", "content": "4", key: "2 and 2"}
    prompt, said = learnt(tokenizer, source(template), ASKED, answer, tools=None)
    assert "2 and 2" not in prompt
    assert read_text(said).reasoning == "2 and 2"
    assert read_text(said).text == "4"


@pytest.mark.parametrize(
    "template", ["qwen3", "qwen2_5", "deepseekv3", "deepseek_r1_distill", "qwen3_6", PLAIN_TURNS, None]
)
def test_a_block_in_the_text_is_learnt_as_it_stands(tokenizer: Any, template: str | None) -> None:
    answer = {"role": "assistant", "content": "<think>\n2 and 2\n</think>\n\n4"}
    _, said = learnt(tokenizer, source(template), ASKED, answer, tools=None)
    assert said.count("2 and 2") == 1
    assert (read_text(said).reasoning, read_text(said).text) == ("2 and 2", "4")


def test_a_model_that_always_thinks_learns_an_empty_block_from_a_row_without_one(tokenizer: Any) -> None:
    prompt, said = learnt(
        tokenizer, shipped("deepseekv3"), ASKED, {"role": "assistant", "content": "4"}, tools=None
    )
    assert prompt.endswith("<think>\n")
    assert (read_text(said).reasoning, read_text(said).text) == ("", "4")


def test_what_was_thought_before_an_earlier_answer_is_not_shown_again(tokenizer: Any) -> None:
    earlier = {"role": "assistant", "content": "4", "reasoning_content": "2 and 2"}
    prompt, _ = learnt(
        tokenizer, PLAIN_TURNS, [*ASKED, earlier, *ASKED], {"role": "assistant", "content": "5"}
    )
    assert "2 and 2" not in prompt


def test_arguments_are_given_as_text_where_the_template_joins_texts(tokenizer: Any) -> None:
    _, said = learnt(tokenizer, shipped("deepseekv3"), ASKED, CALLING)
    assert '\n```json\n{"city": "Oslo"}\n```' in said


def test_ids_of_calls_are_shortened_only_where_the_template_asks_for_it(tokenizer: Any) -> None:
    _, said = learnt(tokenizer, SHORT_IDS, ASKED, CALLING)
    assert '[{"name": "temperature", "arguments": {"city": "Oslo"}}]' in said
    prompt, _ = learnt(
        tokenizer, SHORT_IDS, [*ASKED, CALLING, RESULT], {"role": "assistant", "content": "-3"}
    )
    assert prompt.split("]")[-1][-9:] in prompt.split("[RESULT]")[0], "the result names its call"


@pytest.mark.parametrize(
    "tools",
    [TOOLS, json.dumps(TOOLS), [TOOLS[0]["function"]], TOOLS[0]],
    ids=["list", "text", "functions", "one"],
)
@pytest.mark.parametrize("template", ["qwen2_5", PLAIN_TURNS])
def test_tools_are_read_in_every_form(tokenizer: Any, template: str, tools: Any) -> None:
    prompts = [learnt(tokenizer, source(template), ASKED, CALLING, tools=t)[0] for t in (TOOLS, tools)]
    assert prompts[0] == prompts[1]


@pytest.mark.parametrize("tools", [None, "", [], "[]"])
def test_no_tools_change_nothing(tokenizer: Any, tools: Any) -> None:
    prompt, said = learnt(tokenizer, PLAIN_TURNS, ASKED, {"role": "assistant", "content": "yes"}, tools=tools)
    assert prompt == "<|im_start|>user\nHow warm is it in Oslo?<|im_end|>\n<|im_start|>assistant\n"
    assert said == "yes"


def test_tools_stand_behind_the_rows_own_system_prompt(tokenizer: Any) -> None:
    system = {"role": "system", "content": "Be short."}
    prompt, _ = learnt(tokenizer, PLAIN_TURNS, [system, *ASKED], CALLING)
    assert prompt.startswith("<|im_start|>system\nBe short.\n\n# Tools")


def test_an_answer_that_is_only_text_is_learnt_to_the_letter(tokenizer: Any) -> None:
    written = '{"name": "Ada", "born": 1815}'
    assert (
        learnt(tokenizer, shipped("qwen2_5"), ASKED, {"role": "assistant", "content": written})[1] == written
    )


def test_a_template_that_refuses_says_so(tokenizer: Any) -> None:
    tokenizer.chat_template = "{{ raise_exception('no') }}"
    with pytest.raises(UnrenderableConversation, match="no"):
        prompt_ids(tokenizer, ASKED)
