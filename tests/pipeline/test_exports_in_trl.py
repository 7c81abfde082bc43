"""Exports as TRL's own trainers prepare them: what is desired, rejected and called arrives as tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.domain.formats import export_row, format_named
from app.domain.records import Message, Role, TrainingExample
from tests.pipeline.tiny_model import make_tiny_model

trl = pytest.importorskip("trl")
datasets = pytest.importorskip("datasets")
transformers = pytest.importorskip("transformers")

CALL = {"id": "c", "type": "function", "function": {"name": "hours", "arguments": '{"shop": "north"}'}}
# As Qwen's template does, short.
TEMPLATE = (
    "{% if tools %}<tools>{{ tools | tojson }}</tools>{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content or '' }}"
    "{% for call in m.tool_calls or [] %}<tool_call>{{ call.function | tojson }}</tool_call>{% endfor %}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def example(
    prompt: str, answer: str, *, rejected: str | None = None, calls: bool = False, **fields: Any
) -> TrainingExample:
    said = Message(role=Role.ASSISTANT, content=answer, extra={"tool_calls": [CALL]} if calls else {})
    worse = () if rejected is None else (Message(role=Role.ASSISTANT, content=rejected),)
    return TrainingExample(
        id="x", messages=(Message(role=Role.USER, content=prompt), said), rejected=worse, **fields
    )


def loaded(examples: list[TrainingExample], name: str, folder: Path) -> Any:
    format = format_named(name)
    assert format is not None
    file = folder / f"{name}.jsonl"
    file.write_text("".join(json.dumps(export_row(e, format), ensure_ascii=False) + "\n" for e in examples))
    return datasets.load_dataset("json", data_files=str(file), split="train", cache_dir=str(folder / "cache"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def parts(tiny: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny)
    tokenizer.chat_template = TEMPLATE
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny)
    return {"model": model, "processing_class": tokenizer}


def options(folder: Path) -> dict[str, Any]:
    return {
        "output_dir": str(folder / "out"),
        "per_device_train_batch_size": 2,
        "report_to": [],
        "use_cpu": True,
        "bf16": False,
    }


def test_the_kto_trainer_reads_signs_and_calls(parts: dict[str, Any], tmp_path: Path) -> None:
    rows = [
        example("Hours?", "9 to 18", desirable=True),
        example("Hours?", "go away", desirable=False),
        example("North?", "", calls=True, desirable=True),
        example("问", "走开", desirable=False),
    ]
    trainer = trl.KTOTrainer(
        **parts, args=trl.KTOConfig(**options(tmp_path)), train_dataset=loaded(rows, "kto", tmp_path)
    )
    decode = parts["processing_class"].decode
    prepared = list(trainer.train_dataset)
    assert [row["label"] for row in prepared] == [True, False, True, False]
    answers = [decode(row["completion_ids"]) for row in prepared]
    assert [
        said in answer
        for said, answer in zip(["9 to 18", "go away", '"hours"', "走开"], answers, strict=True)
    ] == [True] * 4
    assert "Hours?" in decode(prepared[0]["prompt_ids"])


def test_the_dpo_trainer_reads_both_answers(parts: dict[str, Any], tmp_path: Path) -> None:
    rows = [
        example("Hours?", "9 to 18", rejected="go away"),
        example("North?", "", calls=True, rejected="I do not know."),
    ]
    trainer = trl.DPOTrainer(
        **parts, args=trl.DPOConfig(**options(tmp_path)), train_dataset=loaded(rows, "dpo", tmp_path)
    )
    decode = parts["processing_class"].decode
    chosen = [decode(row["chosen_ids"]) for row in trainer.train_dataset]
    rejected = [decode(row["rejected_ids"]) for row in trainer.train_dataset]
    assert "9 to 18" in chosen[0]
    assert "north" in chosen[1]
    assert "go away" in rejected[0]
    assert "I do not know." in rejected[1]
