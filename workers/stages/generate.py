"""Greedy answers of a model with or without an adapter, for the stages that compare answers."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import Any

from app.db.models import AdapterRow
from app.errors import StageError
from workers.models.base_models import BaseModelError, resolve
from workers.models.generator import Generator
from workers.run_stage import StageContext
from workers.stages.train import fetch_adapter

BATCH_SIZE = 128

Prompt = Sequence[dict[str, Any]] | str


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
    generator = Generator.load(model, fetch_adapter(context, adapter) if adapter else None)
    try:
        return generator.generate(
            prompts, max_new_tokens=max_new_tokens, batch_size=BATCH_SIZE, progress=progress
        )
    finally:
        del generator
        gc.collect()  # the next model of this stage needs the memory


def tokens_for(expected_outputs: Sequence[str], *, at_most: int = 512) -> int:
    """Room for an answer as long as the longest expected one and a fifth more.

    A byte-level tokenizer never needs more tokens than bytes, so no right answer is cut off.
    """
    longest = max((len(o.encode("utf-8", "surrogatepass")) for o in expected_outputs), default=0)
    return max(16, min(at_most, int(longest * 1.2) + 8))
