"""Loading a base model and its tokenizer from disk: one way, for training and for generation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from workers.models.base_models import BaseModelError, LocalModel

DEFAULT_CONTEXT = 4_096
"""Of a model whose configuration names none."""

SHARED_PREFIX_FAMILIES = frozenset({"llama", "qwen2", "qwen3", "mistral", "granite", "smollm3", "olmo2"})
"""Model types whose every layer is plain causal attention over what the mask and the positions say."""


def load_tokenizer(model: LocalModel) -> Any:
    """The tokenizer, with a padding token (the end token where the model has none of its own)."""
    tokenizer = AutoTokenizer.from_pretrained(model.path, trust_remote_code=False)
    if tokenizer.eos_token_id is None:
        raise BaseModelError(f"{model.name}: its tokenizer has no end token, so an answer would never stop")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_weights(model: LocalModel, *, dtype: torch.dtype, device: torch.device) -> Any:
    """The causal language model in ``dtype`` on ``device``. Safetensors only, never the model's own code."""
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            model.path,
            dtype=dtype,
            attn_implementation="sdpa",
            use_safetensors=True,
            trust_remote_code=False,
        )
    except (ValueError, KeyError) as error:
        raise BaseModelError(f"{model.name} cannot be loaded as a causal language model: {error}") from error
    return loaded.to(device)


def merge_adapter(model: Any, adapter: Path) -> Any:
    """``model`` with the LoRA weights in ``adapter`` added into its own: answers cost what the base's cost."""
    from peft import PeftModel

    require_safe_adapter(adapter)
    return PeftModel.from_pretrained(model, str(adapter)).merge_and_unload(safe_merge=True)


def save_merged(model: LocalModel, adapter: Path, folder: Path) -> None:
    """Write base model and adapter as one model: safetensors in the base model's own precision, added up in float32;
    beside them the tokenizer and the chat template that the adapter was trained with."""
    base = load_weights(model, dtype=torch.float32, device=torch.device("cpu"))
    own = AutoConfig.from_pretrained(model.path, trust_remote_code=False).dtype or torch.float32
    try:
        merged = merge_adapter(base, adapter)
    except (ValueError, RuntimeError) as error:
        raise BaseModelError(f"the adapter cannot be added to {model.name}: {error}") from error
    merged.to(own).save_pretrained(str(folder), safe_serialization=True)
    AutoTokenizer.from_pretrained(str(adapter), trust_remote_code=False).save_pretrained(str(folder))


def require_safe_adapter(adapter: Path) -> None:
    """Raise unless ``adapter`` holds a LoRA adapter as safetensors: peft would fall back to a pickle."""
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        if not (adapter / name).is_file():
            raise BaseModelError(f"the adapter folder {adapter.name} has no {name}; train or export it again")


def context_of(model: Any) -> int:
    """Tokens of prompt and answer together that the model can see."""
    return int(getattr(model.config, "max_position_embeddings", None) or DEFAULT_CONTEXT)


def stop_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    """Tokens that end an answer."""
    ends = model.generation_config.eos_token_id
    return frozenset({tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])} - {None})


def shares_prefix(config: Any) -> bool:
    """Whether rows may share the computation of a common prefix in this architecture.

    True for plain causal attention in every layer; a sliding window or a recurrent state counts distances
    in memory, not in positions, and would see the rows packed beside it.
    """
    layers = set(getattr(config, "layer_types", None) or {"full_attention"})
    window = getattr(config, "sliding_window", None) if getattr(config, "use_sliding_window", True) else None
    return config.model_type in SHARED_PREFIX_FAMILIES and layers == {"full_attention"} and window is None
