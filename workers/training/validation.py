"""Loss on rows that are not learnt, while a training runs.

Knows when it is measured and how means are taken. Does not know how a batch's loss comes about.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from transformers import TrainerCallback

from workers.training.metrics_log import MetricsLog

SAMPLE_ROWS: Final = 64
MEASURED_PER_EPOCH: Final = 10
"""How often the sample is measured; the whole set once, at the end of each epoch."""

Measure = Callable[[int | None], Mapping[str, float]]
"""Figures over the first ``n`` rows of the validation set, or all: ``loss`` in nats per answer token (of DPO its
objective), and where there is one ``mean_token_accuracy``."""


class Validate(TrainerCallback):
    """Adds ``valid_*`` (a sample of the set) and, at the end of an epoch and of the run, ``full_valid_*`` to the line
    of the step. Both names as OpenAI's fine-tuning gives them."""

    def __init__(self, measure: Measure, metrics: MetricsLog, *, steps_per_epoch: int) -> None:
        self._measure = measure
        self._metrics = metrics
        self._steps_per_epoch = steps_per_epoch
        self._every = max(1, math.ceil(steps_per_epoch / MEASURED_PER_EPOCH))

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        step = state.global_step
        whole = step % self._steps_per_epoch == 0 or step == state.max_steps
        if not whole and step % self._every:
            return control
        started = time.monotonic()
        found = self._measure(None if whole else SAMPLE_ROWS)
        measured = {f"valid_{name}": value for name, value in found.items()}
        if whole:
            measured |= {f"full_{name}": value for name, value in measured.items()}
        self._metrics.add(measured, seconds=time.monotonic() - started)
        control.should_log = True
        return control


def batches(rows: Sequence[Any], size: int) -> Sequence[Sequence[Any]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
