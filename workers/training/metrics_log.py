"""The metrics log: one line per logged step, which the parent follows while the run goes on."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback


class TrainingDiverged(ArithmeticError):
    """The loss is no longer a number."""


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The log's whole lines; one that a killed process left half-written is dropped."""
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")[:-1]
    return [json.loads(line) for line in lines if line.strip()]


def cut_back(path: Path, last_step: int) -> float:
    """Drop what was logged after ``last_step``; a run that goes on from there logs it again.

    Returns the seconds of training up to there.
    """
    kept = [line for line in read_metrics(path) if line["step"] <= last_step]
    part = path.with_name(f".{path.name}.part")
    part.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
    part.replace(path)
    return float(kept[-1]["seconds"]) if kept else 0.0


class MetricsLog(TrainerCallback):
    """Appends step, loss, learning rate and speed; stops a run whose loss is no longer finite.

    ``tokens`` is advanced by the trainer: tokens of the rows, padding not counted, shared ones counted for
    each row.
    """

    def __init__(self, path: Path, *, seconds_before: float) -> None:
        self._path = path
        self._seconds_before = seconds_before
        self._started = time.monotonic()
        self._last_logged = self._started
        self._last_tokens = 0
        self.tokens = 0
        self._measured: dict[str, float] = {}

    @property
    def seconds(self) -> float:
        """Time in the training loop, over all starts of the run."""
        return self._seconds_before + time.monotonic() - self._started

    def add(self, measured: Mapping[str, float], *, seconds: float) -> None:
        """Figures for the line of the running step, and the time that measuring took: no token was trained in it."""
        self._measured.update(measured)
        self._last_logged += seconds

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        self._started = self._last_logged = time.monotonic()

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:  # noqa: ARG002
        if not logs or "loss" not in logs:
            return  # the summary at the end
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            raise TrainingDiverged(
                f"the loss is not a number any more at step {state.global_step}; lower learning_rate"
            )
        now = time.monotonic()
        tokens = self.tokens - self._last_tokens
        self._append(
            {
                "step": state.global_step,
                "total_steps": state.max_steps,
                "epoch": round(float(state.epoch or 0.0), 4),
                "loss": loss,
                "token_accuracy": logs.get("mean_token_accuracy"),
                "learning_rate": logs.get("learning_rate"),
                "tokens_per_second": round(tokens / max(now - self._last_logged, 1e-9), 1),
                "seconds": round(self.seconds, 3),
                **self._measured,
            }
        )
        self._measured = {}
        self._last_logged, self._last_tokens = now, self.tokens

    def _append(self, line: dict[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({**line, "time": round(time.time(), 3)}) + "\n")
