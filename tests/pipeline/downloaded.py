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


def share_equal(
    folder: Path,
    base: Path,
    verified: Sequence[dict[str, str]],
    *,
    max_new_tokens: int,
    near_tie: float = 0.0,
) -> float:
    """Of the answers that a verification of this limit recorded, those that the downloaded adapter gives greedily,
    one prompt after the other, 0..1. ``base``: the base model's folder.

    An answer that parts from the recorded one where both next tokens are as likely, their logits within ``near_tie``,
    counts as equal: another precision, or another batch, may take the other one.
    """
    tokenizer = AutoTokenizer.from_pretrained(folder)
    # AutoPeftModelForCausalLM would look the base model up on the hub, which tests do not reach
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), folder)
    equal = 0
    for case in verified:
        prompt = tokenizer.apply_chat_template(
            [{"role": "user", "content": case["prompt"]}],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )
        with torch.inference_mode():
            whole = model.generate(**prompt, max_new_tokens=max_new_tokens, do_sample=False)[0]
        said = whole[prompt["input_ids"].shape[1] :]
        text = tokenizer.decode(said, skip_special_tokens=True)
        # PostgreSQL keeps no NUL, which a model that has learnt nothing may say
        if text.strip().replace("\x00", "\ufffd") == case["after_output"]:
            equal += 1
        elif near_tie:
            lead = text[: len(text) - len(text.lstrip())]  # the record is stripped
            recorded = tokenizer(lead + case["after_output"], add_special_tokens=False)["input_ids"]
            gap = _gap(model, whole, prompt["input_ids"].shape[1], [*recorded, tokenizer.eos_token_id])
            equal += gap <= near_tie
    return equal / len(verified)


def _gap(model: PeftModel, whole: torch.Tensor, start: int, recorded: Sequence[int]) -> float:
    """How much likelier, in logits, the model finds its own token than the recorded one where the answers part."""
    said = whole[start:].tolist()
    parted = next((i for i, (a, b) in enumerate(zip(said, recorded, strict=False)) if a != b), None)
    if parted is None:
        return float("inf")
    with torch.inference_mode():
        logits = model(input_ids=whole[None, : start + parted]).logits[0, -1].float()
    return float(logits[said[parted]] - logits[recorded[parted]])


def base_of(folder: Path) -> str:
    return json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"]
