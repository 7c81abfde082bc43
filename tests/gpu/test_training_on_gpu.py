"""The training and the generator on a CUDA device."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.domain.training_config import defaults_from
from tests.pipeline.desk import training_rows
from tests.pipeline.tiny_model import make_tiny_model
from workers.models.base_models import resolve
from workers.models.generator import Generator
from workers.training.launch import run_training

pytestmark = pytest.mark.gpu


@pytest.fixture(autouse=True)
def _needs_cuda() -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device here")


def test_a_training_runs_on_the_gpu_and_its_adapter_answers_there(tmp_path: Path) -> None:
    model = resolve(str(make_tiny_model(tmp_path / "model")), tmp_path / "cache")
    run = tmp_path / "run"
    run.mkdir()
    config = defaults_from({}, {"base_model": model.name, "epochs": 1.0, "batch_size": 8})
    (run / "config.json").write_text(json.dumps(config.as_dict()))
    (run / "model.json").write_text(json.dumps(model.as_dict()))
    with (run / "train.jsonl").open("w") as out:
        for row in training_rows():
            prompt = [{"role": "user", "content": f"{row['instruction']}\n{row['input']}"}]
            answer = [{"role": "assistant", "content": row["output"]}]
            out.write(json.dumps({"prompt": prompt, "completion": answer}) + "\n")
    outcome = run_training(run, on_metrics=lambda _: None, should_cancel=lambda: False)
    assert outcome.device != "cpu"
    generator = Generator.load(model, outcome.adapter_path, device="cuda")
    answers = generator.generate([[{"role": "user", "content": "freeze my card"}]] * 3, max_new_tokens=4)
    assert len(set(answers)) == 1
