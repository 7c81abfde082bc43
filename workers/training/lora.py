"""The trainable part: a fresh LoRA adapter, or an earlier one to go on from."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from peft import LoraConfig, PeftModel, TaskType

from app.domain.training_config import TrainingConfig
from workers.models.base_models import LocalModel
from workers.models.chat import PLAIN_TEMPLATE
from workers.models.weights import require_safe_adapter
from workers.training.run_folder import read_json, write_json


class LoraError(ValueError):
    """The adapter does not fit the model. The message says what is wrong and how to fix it."""


def lora_config(config: TrainingConfig) -> LoraConfig:
    """Hu et al. 2021; on all linear layers, which matters more than the rank (Dettmers et al. 2023)."""
    modules = config.target_modules
    return LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=modules if isinstance(modules, str) else list(modules),
        task_type=TaskType.CAUSAL_LM,
    )


def add_lora(base: Any, config: TrainingConfig, init_adapter: Path | None) -> PeftModel:
    """``base`` with its weights frozen and a trainable adapter, in float32, on top."""
    from peft import get_peft_model

    if "lm_head" in config.target_modules:
        raise LoraError("target_modules names 'lm_head', which is not trained here; leave it out")
    try:
        if init_adapter is not None:
            require_safe_adapter(init_adapter)
            model = PeftModel.from_pretrained(base, str(init_adapter), is_trainable=True)
        else:
            model = get_peft_model(base, lora_config(config))
    except (ValueError, RuntimeError) as error:
        raise LoraError(f"the adapter does not fit the model: {error}") from error
    assert isinstance(model, PeftModel)
    return model


def save_adapter(model: PeftModel, target: Path, base: LocalModel, tokenizer: Any) -> None:
    """``adapter_model.safetensors``, ``adapter_config.json``, and the tokenizer with the chat template that it was
    trained with: a folder that needs nothing of this service. All of it or nothing."""
    part = target.with_name(f".{target.name}.part")
    for folder in (part, target):
        shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(str(part), selected_adapters=["default"], save_embedding_layers=False)
    # Where the base model lies on this machine means nothing on another one.
    settings = read_json(part / "adapter_config.json")
    write_json(part / "adapter_config.json", {**settings, "base_model_name_or_path": base.published})
    tokenizer.chat_template = tokenizer.chat_template or PLAIN_TEMPLATE
    tokenizer.save_pretrained(str(part))
    (part / "README.md").unlink(missing_ok=True)  # a form with nothing filled in; the stage writes the card
    os.replace(part, target)
