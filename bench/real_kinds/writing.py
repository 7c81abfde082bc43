"""Rows in the formats that people have, and a request as a server logs it. Nothing here knows what is planted."""

from __future__ import annotations

import json
from typing import Any

from bench.real_kinds.item import Exchange

Written = tuple[str, dict[str, Any]]


def _asked(row: Exchange) -> str:
    return f"{row.instruction}\n{row.ask}" if row.instruction else row.ask


def _thought(row: Exchange) -> str:
    return f"<think>\n{row.reasoning}\n</think>\n\n{row.answer}" if row.reasoning else row.answer


def turns(row: Exchange) -> list[dict[str, Any]]:
    """The prompt of a row as chat turns."""
    made = [{"role": "system", "content": row.system}] if row.system else []
    for question, answer in row.history:
        made += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return [*made, {"role": "user", "content": _asked(row)}]


def alpaca(row: Exchange) -> Written:
    body: dict[str, Any] = {
        "instruction": row.instruction or row.ask,
        "input": row.ask if row.instruction else "",
        "output": row.answer,
    }
    if row.system:
        body["system"] = row.system
    if row.history:
        body["history"] = [list(pair) for pair in row.history]
    return "alpaca", body


def completion(row: Exchange) -> Written:
    return "completion", {"prompt": _asked(row), "completion": row.answer}


def chat(row: Exchange) -> Written:
    return "messages", {"messages": [*turns(row), {"role": "assistant", "content": row.answer}]}


def sharegpt(row: Exchange) -> Written:
    names = {"system": "system", "user": "human", "assistant": "gpt"}
    said = [{"from": names[t["role"]], "value": t["content"]} for t in turns(row) if t["role"] != "system"]
    body: dict[str, Any] = {"conversations": [*said, {"from": "gpt", "value": row.answer}]}
    return "sharegpt", body | ({"system": row.system} if row.system else {})


def thinking_chat(row: Exchange) -> Written:
    """The reasoning inside the answer, as Qwen3 and R1 sets have it."""
    return "messages", {"messages": [*turns(row), {"role": "assistant", "content": _thought(row)}]}


def reasoning_content_chat(row: Exchange) -> Written:
    """The reasoning in a key of its own, as DeepSeek's API and ms-swift write it."""
    answer = {"role": "assistant", "content": row.answer, "reasoning_content": row.reasoning}
    return "messages", {"messages": [*turns(row), answer]}


def thinking_alpaca(row: Exchange) -> Written:
    form, body = alpaca(row)
    return form, body | {"output": _thought(row)}


def openai_tools(row: Exchange) -> Written:
    call = json.loads(row.answer)
    arguments = json.dumps(call["arguments"], ensure_ascii=False)
    answer = {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": call["name"], "arguments": arguments}}
        ],
    }
    return "messages", {"messages": [*turns(row), answer], "tools": [_tool(call)]}


def sharegpt_tools(row: Exchange) -> Written:
    """LLaMA-Factory's ``function_call`` turn; tools as a text."""
    call = json.loads(row.answer)
    body = {
        "conversations": [
            {"from": "human", "value": _asked(row)},
            {"from": "function_call", "value": json.dumps(call, ensure_ascii=False)},
        ],
        "tools": json.dumps([_tool(call)["function"]], ensure_ascii=False),
    }
    return "sharegpt", body


def tagged_tools(row: Exchange) -> Written:
    """Hermes' and Qwen's tags inside the text."""
    return "messages", {
        "messages": [
            *turns(row),
            {"role": "assistant", "content": f"<tool_call>\n{row.answer}\n</tool_call>"},
        ]
    }


def legacy_tools(row: Exchange) -> Written:
    """OpenAI's older ``function_call``."""
    call = json.loads(row.answer)
    function = {"name": call["name"], "arguments": json.dumps(call["arguments"], ensure_ascii=False)}
    answer = {"role": "assistant", "content": None, "function_call": function}
    return "messages", {"messages": [*turns(row), answer]}


def _tool(call: dict[str, Any]) -> dict[str, Any]:
    kinds = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array"}
    properties = {key: {"type": kinds[type(value)]} for key, value in call["arguments"].items()}
    parameters = {"type": "object", "properties": properties, "required": sorted(properties)}
    return {"type": "function", "function": {"name": call["name"], "parameters": parameters}}


def llama_factory_kto(row: Exchange) -> Written:
    form, body = chat(row)
    return form, body | {"kto_tag": row.desirable is not False}


def trl_kto(row: Exchange) -> Written:
    return "completion", {
        "prompt": _asked(row),
        "completion": row.answer,
        "label": row.desirable is not False,
    }


def swift_kto(row: Exchange) -> Written:
    form, body = chat(row)
    return form, body | {"label": row.desirable is not False}


def trl_pair(row: Exchange) -> Written:
    return "preference", {"prompt": _asked(row), "chosen": row.answer, "rejected": row.rejected}


def openai_pair(row: Exchange) -> Written:
    return "preference", {
        "input": {"messages": turns(row)},
        "preferred_output": [{"role": "assistant", "content": row.answer}],
        "non_preferred_output": [{"role": "assistant", "content": row.rejected}],
    }


def llama_factory_pair(row: Exchange) -> Written:
    return "preference", {
        "conversations": [{"from": "human", "value": _asked(row)}],
        "chosen": {"from": "gpt", "value": row.answer},
        "rejected": {"from": "gpt", "value": row.rejected},
    }


def chatml(row: Exchange) -> str:
    """The prompt as it reaches a ChatML model."""
    said = "".join(f"<|im_start|>{t['role']}\n{t['content']}<|im_end|>\n" for t in turns(row))
    return f"{said}<|im_start|>assistant\n"
