"""An adapter as a user has it: the downloaded zip, opened with plain ``peft`` and nothing of this project."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer


def unpacked(download: bytes, into: Path) -> Path:
    """The folder that the zip holds."""
    with zipfile.ZipFile(io.BytesIO(download)) as archive:
        assert archive.testzip() is None
        archive.extractall(into)
    (folder,) = into.iterdir()
    return folder


def answers(folder: Path, base: Path, prompts: Sequence[str], *, max_new_tokens: int) -> list[str]:
    """Greedy answers, one prompt after the other; ``base``: the base model's folder."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    # AutoPeftModelForCausalLM would look the base model up on the hub, which tests do not reach
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), folder)
    said = []
    for prompt in prompts:
        ids = tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )
        made = model.generate(**ids, max_new_tokens=max_new_tokens, do_sample=False)
        text = tokenizer.decode(made[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)
        # PostgreSQL keeps no NUL, which a model that has learnt nothing may say
        said.append(text.strip().replace("\x00", "\ufffd"))
    return said


def share_equal(
    folder: Path, base: Path, verified: Sequence[dict[str, str]], *, max_new_tokens: int
) -> float:
    """Of the answers that a verification of this limit recorded, those that the downloaded adapter gives, 0..1."""
    said = answers(folder, base, [case["prompt"] for case in verified], max_new_tokens=max_new_tokens)
    return sum(a == case["after_output"] for a, case in zip(said, verified, strict=True)) / len(verified)


def base_of(folder: Path) -> str:
    return json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"]
