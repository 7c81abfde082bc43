"""Greedy answers of a model with or without an adapter, for the stages that compare answers."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.db.models import AdapterRow
from app.domain.answers import Answer, read_text
from app.domain.records import Message
from app.errors import StageError
from workers.context import StageContext
from workers.models.base_models import BaseModelError, resolve
from workers.models.chat import Conversation
from workers.models.generator import Generator

BATCH_SIZE = 128

MOST_NEW_TOKENS = 512
MOST_REASONING_TOKENS = 2_048
"""Most tokens of an answer, and of one that reasons first: what bounds a generation that never ends."""

TAG_BYTES = 40
"""Of the marks that a template puts around a call or a block of reasoning, about."""

Prompt = Conversation | Sequence[Mapping[str, Any]] | str


def generate(
    context: StageContext,
    *,
    base_model: str,
    adapter: AdapterRow | None,
    prompts: Sequence[Prompt],
    max_new_tokens: int,
    progress: Callable[[float], None],
) -> list[str]:
    """One answer for each prompt, in order. A string is a raw prompt: no chat template is put around it."""
    if not prompts:
        return []
    try:
        model = resolve(base_model, context.settings.model_cache_dir)
    except BaseModelError as error:
        raise StageError(str(error), type="base-model-not-found", title="No such base model") from error
    generator = Generator.load(model, context.adapter_folder(adapter) if adapter else None)
    try:
        # An answer may take half of a context, not all of it: the prompt has to be read, too.
        room = max(1, generator.context // 2)
        return generator.generate(
            prompts, max_new_tokens=min(max_new_tokens, room), batch_size=BATCH_SIZE, progress=progress
        )
    finally:
        del generator
        gc.collect()  # the next model of this stage needs the memory


def prompt_of(messages: Sequence[Message], tools: object = None) -> Conversation:
    return Conversation(messages=[message.as_dict() for message in messages], tools=tools)


def tokens_for(expected: Sequence[Answer | str]) -> int:
    """Room for all that the longest expected answer makes the model write, reasoning and calls too, and a fifth
    more. A string is an answer written as one text. Where any answer reasons, the model may do so in all, and
    the cut comes later.

    A byte-level tokenizer never needs more tokens than bytes, so no right answer is cut off below the bounds.
    """
    answers = [read_text(answer) if isinstance(answer, str) else answer for answer in expected]
    longest = max(map(_written_bytes, answers), default=0)
    reasons = any(answer.reasoning for answer in answers)
    at_most = MOST_REASONING_TOKENS if reasons else MOST_NEW_TOKENS
    return max(16, min(at_most, int(longest * 1.2) + 8))


def _written_bytes(answer: Answer) -> int:
    parts = [answer.compared, *filter(None, [answer.reasoning])]
    marked = len(answer.tool_calls) + (answer.reasoning is not None)
    return sum(len(part.encode("utf-8", "surrogatepass")) for part in parts) + TAG_BYTES * marked
