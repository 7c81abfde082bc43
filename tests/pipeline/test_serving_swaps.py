"""Memory over many adapter swaps: what one leaves behind would add up in a process that runs for weeks."""

from __future__ import annotations

import gc
from pathlib import Path

import psutil
import pytest

from tests.pipeline.test_serving import asking, make_adapter
from tests.pipeline.tiny_model import make_tiny_model
from workers.models.base_models import resolve
from workers.models.chat import Conversation
from workers.models.running_batch import Row, Sampling
from workers.models.served_model import ServedModel

SWAPS = 100


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_memory_after_a_hundred_swaps_is_that_after_ten(tmp_path: Path) -> None:
    model = make_tiny_model(tmp_path / "tiny")
    folder = make_adapter(model, tmp_path / "adapter", seed=1)
    served = ServedModel(resolve(str(model), model), kept_adapters=2, device="cpu")
    prompt = served.prompt(Conversation(messages=asking("hi")))
    modules = len(list(served._model.modules()))
    memory: dict[int, int] = {}
    for swap in range(1, SWAPS + 1):
        name = f"adp_{swap}"
        served.use(name, folder)
        with served.answering_as(name):
            batch = served.batch()
            batch.join([Row(prompt, Sampling())])
            batch.step()
        assert len(served.adapters) <= 2
        if swap in (10, SWAPS):
            gc.collect()
            memory[swap] = psutil.Process().memory_info().rss
    assert memory[SWAPS] <= 1.05 * memory[10], memory
    for name in served.adapters:
        served.forget(name)
    assert len(list(served._model.modules())) == modules, "the base model is as it was"
