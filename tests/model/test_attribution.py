"""Attribution on the bundled model: planted wrong rows against closeness, after a real training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.pipeline.desk import training_rows
from tests.pipeline.test_training import prepare, row, train_here
from workers.models.attribution import answer_gradients
from workers.models.base_models import resolve
from workers.models.embedder import load_embedder
from workers.models.tuned import TunedModel

pytestmark = [pytest.mark.model, pytest.mark.slow]


@pytest.mark.timeout(3600)
def test_planted_rows_are_told_from_their_neighbours_by_gradients_and_not_by_closeness(
    tmp_path: Path, model_cache: Path
) -> None:
    # every second row about refunds carries the answer for transfers
    data = [r for r in training_rows() if r["id"].startswith(("refund", "transfer"))]
    prompts = [f"{r['instruction']}\n{r['input']}" for r in data]
    model = resolve("bundled", model_cache)
    run = prepare(
        tmp_path / "run",
        model,
        [row(p, r["output"]) for p, r in zip(prompts, data, strict=True)],
        epochs=2,
        batch_size=8,
        max_length=96,
    )
    train_here(run)
    tuned = TunedModel.load(model, run / "adapter")
    asked = ["Name the topic.\nrefund me quickly", "Name the topic.\nhello, i want my money back"]
    wrong, expected, rows = (
        [tuned.pair([{"role": "user", "content": p}], answer) for p, answer in pairs]
        for pairs in (
            [(p, "transfer") for p in asked],
            [(p, "refund") for p in asked],
            [(p, r["output"]) for p, r in zip(prompts, data, strict=True)],
        )
    )
    gradients = answer_gradients(tuned, [*wrong, *expected, *rows])
    n = len(asked)
    pulled = (gradients[:n] - gradients[n : 2 * n]) @ gradients[2 * n :].T
    vectors = load_embedder().encode([*asked, *prompts])
    closeness = vectors[:n] @ vectors[n:].T
    refunds = np.array([r["id"].startswith("refund") for r in data])
    planted = np.array([r["output"] == "transfer" for r in data])[refunds]
    by_gradient, by_closeness = (
        np.mean([roc_auc_score(planted, s[refunds]) for s in scores]) for scores in (pulled, closeness)
    )
    print(
        f"AUROC of planted rows among their topic: gradients {by_gradient:.3f}, closeness {by_closeness:.3f}"
    )
    assert by_gradient > 0.9
    assert by_gradient > by_closeness
