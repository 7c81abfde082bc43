"""How a conversation becomes tokens: the same for training and for generation, or the training is for nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

PLAIN_TEMPLATE = (
    "{% for m in messages %}{{ '### ' + m['role'] + ':\n' + m['content'] + '\n\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '### assistant:\n' }}{% endif %}"
)
"""For base models without a chat template of their own."""

ROLES = {"function_call": "assistant"}
"""Roles of the data that chat templates do not know, and what they are rendered as."""


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


class UnrenderableConversation(ValueError):
    """The model's chat template refuses the conversation (an unknown role, two user turns in a row ...)."""


def prompt_ids(tokenizer: Any, messages: Sequence[Mapping[str, Any]], *, tools: Any = None) -> list[int]:
    """Tokens of the prompt, up to where the model's answer begins."""
    return _ids(tokenizer, messages, tools=tools, add_generation_prompt=True)


def prompt_and_answer_ids(
    tokenizer: Any,
    prompt: Sequence[Mapping[str, Any]],
    answer: Sequence[Mapping[str, Any]],
    *,
    tools: Any = None,
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


def _ids(
    tokenizer: Any, messages: Sequence[Mapping[str, Any]], *, tools: Any, add_generation_prompt: bool
) -> list[int]:
    turns = [
        {**m, "role": ROLES.get(m["role"], m["role"]), "content": m.get("content") or ""} for m in messages
    ]
    template = None if tokenizer.chat_template else PLAIN_TEMPLATE
    try:
        text = tokenizer.apply_chat_template(
            turns,
            tools=tools,
            chat_template=template,
            add_generation_prompt=add_generation_prompt,
            tokenize=False,
        )
    except (TemplateError, TypeError, KeyError) as error:
        raise UnrenderableConversation(f"the model's chat template refuses it: {error}") from error
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])
