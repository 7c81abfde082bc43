"""How a conversation becomes tokens: the same for training and for generation, or the training is for nothing.

A model's own chat template renders tool calls, their results and reasoning, as far as it knows them: what it
knows is found by rendering probes. The rest is written in the form of Hermes, which generated text is read back
from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from app.domain.answers import Answer, ToolCall, read_message, read_text
from app.domain.answers.answer import REASONING_KEYS, structured_calls
from app.domain.offered_tools import functions_of
from app.domain.records import Role

PLAIN_TEMPLATE = (
    "{% for m in messages %}{{ '### ' + m['role'] + ':\n' + m['content'] + '\n\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '### assistant:\n' }}{% endif %}"
)
"""For base models without a chat template of their own."""

HERMES_TOOLS = (
    "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
    "You are provided with function signatures within <tools></tools> XML tags:\n<tools>\n{tools}\n</tools>\n\n"
    "For each function call, return a json object with function name and arguments within "
    "<tool_call></tool_call> XML tags:\n"
    '<tool_call>\n{{"name": <function-name>, "arguments": <args-json-object>}}\n</tool_call>'
)
"""Tools in the words of Hermes 2 Pro and Qwen 2.5, for templates that write none."""

Turn = Mapping[str, Any]

_CALL_KEYS = ("tool_calls", "function_call")
_ANSWERING = ("assistant", "function_call")
_PLACE = "\ue000answer\ue001"
"""Stands for an answer while a template renders that would cut its reasoning out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Turns and the functions that may be called in them."""

    messages: Sequence[Turn]
    tools: Any = None


class UnrenderableConversation(ValueError):
    """The model's chat template refuses the conversation (an unknown role, two user turns in a row ...)."""


def template_source(folder: Path) -> str | None:
    """The chat template that lies beside a model's weights, without loading the tokenizer; None = none."""
    separate = folder / "chat_template.jinja"
    if separate.is_file():
        return separate.read_text(encoding="utf-8")
    config = folder / "tokenizer_config.json"
    if not config.is_file():
        return None
    template = json.loads(config.read_text(encoding="utf-8")).get("chat_template")
    return template if isinstance(template, str) else None


def prompt_ids(tokenizer: Any, messages: Sequence[Turn], *, tools: Any = None) -> list[int]:
    """Tokens of the prompt, up to where the model's answer begins."""
    return _ids(tokenizer, messages, tools=tools, add_generation_prompt=True)


def prompt_and_answer_ids(
    tokenizer: Any, prompt: Sequence[Turn], answer: Sequence[Turn], *, tools: Any = None
) -> tuple[list[int], list[int]]:
    """Tokens of the prompt and of the answer; the answer ends with the token that ends a turn.

    The answer starts where the rendering with it leaves the rendering without it. What a template writes
    after the end of the turn (a line break, mostly) is cut off: generation stops before it.
    """
    before = prompt_ids(tokenizer, prompt, tools=tools)
    whole = _ids(tokenizer, [*prompt, *answer], tools=tools, add_generation_prompt=False)
    start = 0
    while start < min(len(before), len(whole)) and before[start] == whole[start]:
        start += 1
    ids = whole[start:]
    end = tokenizer.eos_token_id
    if end in ids:
        last = len(ids) - 1 - ids[::-1].index(end)
        ids = ids[: last + 1]
    else:
        ids = [*ids, end]
    return whole[:start], ids


def _ids(tokenizer: Any, messages: Sequence[Turn], *, tools: Any, add_generation_prompt: bool) -> list[int]:
    functions = functions_of(tools)
    form = _template_form(tokenizer, _template_of(tokenizer, functions), bool(functions))
    turns, kept_apart = _turns(messages, functions, form, answered=not add_generation_prompt)
    try:
        text = _render(tokenizer, turns, functions if form.tools else None, add_generation_prompt)
    except _REFUSALS as error:
        raise UnrenderableConversation(f"the model's chat template refuses it: {error}") from error
    if kept_apart is not None:
        text = text.replace(_PLACE, kept_apart)
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


_REFUSALS = (TemplateError, TypeError, KeyError, AttributeError)


def _template_of(tokenizer: Any, functions: Sequence[Turn] | None) -> str:
    if not tokenizer.chat_template:
        return PLAIN_TEMPLATE
    return tokenizer.get_chat_template(tools=list(functions) if functions else None)


def _render(
    tokenizer: Any, turns: Sequence[Turn], functions: Sequence[Turn] | None, add_generation_prompt: bool
) -> str:
    return tokenizer.apply_chat_template(
        list(turns),
        tools=list(functions) if functions else None,
        chat_template=None if tokenizer.chat_template else PLAIN_TEMPLATE,
        add_generation_prompt=add_generation_prompt,
        tokenize=False,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _CallForm:
    """How a template wants a call: ``as_text``, arguments as JSON text (DeepSeek), not as an object;
    ``short_ids``, ids of nine characters (Mistral)."""

    as_text: bool
    short_ids: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _TemplateForm:
    """What a chat template writes by itself.

    ``calls``: None = it drops them. ``reasoning_key``: where it reads an answer's reasoning, None = nowhere.
    ``keeps_blocks``: a ``<think>`` block in the answer's content stays. ``opens_block``: the generation prompt
    begins the reasoning.
    """

    tools: bool
    calls: _CallForm | None
    results: bool
    reasoning_key: str | None
    keeps_blocks: bool
    opens_block: bool


@lru_cache(maxsize=4)
def _template_form(tokenizer: Any, template: str, with_tools: bool) -> _TemplateForm:  # noqa: ARG001 - the key
    """Ask the template by rendering probes; what it refuses or swallows it does not know."""
    probe_tool = functions_of(
        {"name": "probe_tool", "description": "probe", "parameters": {"type": "object"}}
    )
    asked = {"role": "user", "content": "probe"}

    def written(*turns: Turn, prompt: bool = False, tools: Sequence[Turn] | None = None) -> str:
        try:
            return _render(tokenizer, [asked, *turns], tools, prompt)
        except _REFUSALS:
            return ""

    knows_tools = with_tools and "probe_tool" in written(prompt=True, tools=probe_tool)
    offered = probe_tool if knows_tools else None
    forms = (_CallForm(as_text=text, short_ids=short) for short, text in product((False, True), repeat=2))
    calls = next((form for form in forms if _renders_call(written(_probe_call(form), tools=offered))), None)
    called = {"role": "assistant", "content": "probe"} if calls is None else _probe_call(calls)
    result = {"role": "tool", "name": "probe_call", "tool_call_id": _short_id(0), "content": "probe result"}
    said = {"role": "assistant", "content": "probe answer"}
    thought = {key: written({**said, key: "probe thought"}, tools=offered) for key in REASONING_KEYS}
    block = {"role": "assistant", "content": _with_block("probe thought", "probe answer")}
    return _TemplateForm(
        tools=knows_tools,
        calls=calls,
        results="probe result" in written(called, result, prompt=True, tools=offered),
        reasoning_key=next((key for key, text in thought.items() if "probe thought" in text), None),
        keeps_blocks="probe thought" in written(block, tools=offered),
        opens_block=written(prompt=True, tools=offered).rstrip().endswith("<think>"),
    )


def _probe_call(form: _CallForm) -> dict[str, Any]:
    call = ToolCall(name="probe_call", arguments={"probe_key": "probe value"})
    return {
        "role": "assistant",
        "content": "",
        "tool_calls": _native([call], [{"id": "call_probe"}], form, 0),
    }


def _renders_call(text: str) -> bool:
    """Whether the call of the probe is in it; escaped or with Python's quotes, it wanted the other form."""
    whole = all(sign in text for sign in ("probe_call", "probe_key", "probe value"))
    return whole and '\\"probe_key' not in text and "'probe_key'" not in text


def _turns(
    messages: Sequence[Turn], functions: Sequence[Turn] | None, form: _TemplateForm, *, answered: bool
) -> tuple[list[dict[str, Any]], str | None]:
    """The turns as the template takes them, and what stands for ``_PLACE`` in the last one (None: nothing)."""
    asked = max((i for i, m in enumerate(messages) if m["role"] == Role.USER), default=-1)
    turns: list[dict[str, Any]] = []
    kept_apart: str | None = None
    pending: list[str] = []
    for at, message in enumerate(messages):
        if message["role"] in _ANSWERING:
            is_answer = answered and at == len(messages) - 1
            turn, calls = _answering(message, form, at, is_answer=is_answer, behind_question=at > asked)
            pending = calls or pending
            if is_answer and (form.opens_block or not form.keeps_blocks) and form.reasoning_key is None:
                turn, kept_apart = _apart(turn, form)
        elif message["role"] == Role.TOOL:
            turn = _result(message, form, pending)
            if turns and turns[-1]["role"] == turn["role"] == Role.USER:  # several results, one turn
                turns[-1]["content"] += "\n" + turn["content"]
                continue
        else:
            turn = {**message, "content": _text(message)}
        turns.append(turn)
    if functions and not form.tools and turns:
        _write_tools(turns, functions)
    return turns, kept_apart


def _text(message: Turn) -> Any:
    content = message.get("content")
    return "" if content is None else content


def _answering(
    message: Turn, form: _TemplateForm, at: int, *, is_answer: bool, behind_question: bool
) -> tuple[dict[str, Any], list[str]]:
    """An assistant's turn and the ids of its calls. Text is left as it is; calls and reasoning that stand beside
    it are given to the template, or written into it."""
    content = _text(message)
    extra = {key: value for key, value in message.items() if key not in ("role", "content")}
    beside = not extra.keys().isdisjoint((*_CALL_KEYS, *REASONING_KEYS))
    if not isinstance(content, str) or not (beside or message["role"] == Role.FUNCTION_CALL):
        return {**extra, "role": "assistant", "content": content}, []
    answer = read_message(message["role"], content, extra)
    structured = bool(structured_calls(extra)) or message["role"] == Role.FUNCTION_CALL
    calls = [c for c in answer.tool_calls if c.name] if structured else []
    said = _said(message["role"], content, calls)
    kept = {k: v for k, v in extra.items() if k not in (*_CALL_KEYS, *REASONING_KEYS)}
    turn: dict[str, Any] = {**kept, "role": "assistant", "content": said}
    ids: list[str] = []
    if calls and form.calls is not None:
        given = extra.get("tool_calls")
        given = [g if isinstance(g, Mapping) else {} for g in given] if isinstance(given, list) else []
        turn["tool_calls"] = _native(
            calls, given if len(given) == len(calls) else [{}] * len(calls), form.calls, at
        )
        ids = [call["id"] for call in turn["tool_calls"]]
    elif calls:
        turn["content"] = "\n".join([*([said] if said else []), *map(_hermes, calls)])
    thought = next((extra[key] for key in REASONING_KEYS if isinstance(extra.get(key), str)), None)
    if thought is not None and form.reasoning_key is not None:
        turn[form.reasoning_key] = thought
    elif thought is not None and behind_question and (form.keeps_blocks or is_answer):
        # Templates that know reasoning leave out what was thought before the last question; so it is here.
        turn["content"] = _with_block(thought, turn["content"])
    return turn, ids


def _said(role: str, content: str, calls: Sequence[ToolCall]) -> str:
    """The text beside structured calls; a ``function_call`` turn's content is the calls themselves."""
    if role != Role.FUNCTION_CALL or not calls:
        return content
    answer = read_text(content)
    return answer.text if answer.reasoning is None else _with_block(answer.reasoning, answer.text)


def _apart(turn: dict[str, Any], form: _TemplateForm) -> tuple[dict[str, Any], str | None]:
    """The answer's text taken out of the template's hands where it would lose or miss its block."""
    answer: Answer = read_text(turn["content"])
    if answer.reasoning is None and not form.opens_block:
        return turn, None
    whole = turn["content"]
    return {**turn, "content": _PLACE}, whole if answer.reasoning is not None else _with_block("", whole)


def _with_block(thought: str, said: str) -> str:
    return f"<think>\n{thought}\n</think>\n\n{said}"


def _native(
    calls: Sequence[ToolCall], given: Sequence[Turn], form: _CallForm, at: int
) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for number, (call, like) in enumerate(zip(calls, given, strict=True)):
        arguments = call.arguments
        if form.as_text and not isinstance(arguments, str):
            arguments = json.dumps(arguments, ensure_ascii=False)
        short = _short_id(at * 10 + number)
        identity = like.get("id") if isinstance(like.get("id"), str) and not form.short_ids else short
        function = {"name": call.name, "arguments": arguments}
        made.append({"id": identity, "type": "function", "function": function})
    return made


def _short_id(number: int) -> str:
    return f"call{number % 100_000:05d}"


def _hermes(call: ToolCall) -> str:
    body = json.dumps({"name": call.name, "arguments": call.arguments}, ensure_ascii=False)
    return f"<tool_call>\n{body}\n</tool_call>"


def _result(message: Turn, form: _TemplateForm, pending: list[str]) -> dict[str, Any]:
    """What a tool gave back. ``pending`` holds the ids of the calls that wait for their results, first first."""
    content = _text(message)
    if not form.results:
        return {"role": Role.USER.value, "content": f"<tool_response>\n{content}\n</tool_response>"}
    turn = {**message, "content": content}
    if pending:
        own = pending.pop(0)
        if form.calls is not None and (form.calls.short_ids or not turn.get("tool_call_id")):
            turn["tool_call_id"] = own
    return turn


def _write_tools(turns: list[dict[str, Any]], functions: Sequence[Turn]) -> None:
    """The tools into the system prompt, or in front of the first turn: some templates take no system prompt."""
    listed = "\n".join(json.dumps(function, ensure_ascii=False) for function in functions)
    system = HERMES_TOOLS.format(tools=listed)
    first = turns[0]
    parts = [first["content"], system] if first["role"] == Role.SYSTEM else [system, first["content"]]
    turns[0] = {**first, "content": "\n\n".join(filter(None, parts))}
