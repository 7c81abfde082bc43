"""How one LoRA run is set up. Plain data: importable without torch.

Knows names, ranges and what was measured to work. Does not know how a run is carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

BUNDLED_MODEL = "smollm2-135m-instruct"
"""The base model that is installed with the service."""


class TrainingMethod(StrEnum):
    """``dpo`` prefers a row's answer to its ``rejected`` one (Rafailov et al. 2023)."""

    SFT = "sft"
    DPO = "dpo"


class Scheduler(StrEnum):
    LINEAR = "linear"
    COSINE = "cosine"
    CONSTANT = "constant"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """Hyperparameters of one run.

    The defaults were measured on SmolLM2-135M-Instruct (800 to 1,000 short rows). ``bf16`` None = where
    the device has it. ``max_length`` is in tokens, prompt and answer; ``max_steps`` None = as many as
    ``epochs`` give; ``checkpoint_every_steps`` 0 = never. ``shuffle`` False = rows in
    the order of the mixture, for a curriculum. ``target_modules``: "all-linear" or names.
    """

    base_model: str
    method: TrainingMethod = TrainingMethod.SFT
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    target_modules: str | tuple[str, ...] = "all-linear"
    learning_rate: float = 5e-4
    epochs: float = 2.0
    batch_size: int = 16
    gradient_accumulation: int = 1
    warmup_steps: int = 10
    weight_decay: float = 0.0
    scheduler: Scheduler = Scheduler.LINEAR
    max_length: int = 1024
    max_steps: int | None = None
    max_grad_norm: float = 1.0
    dpo_beta: float = 0.1
    checkpoint_every_steps: int = 50
    shuffle: bool = True
    bf16: bool | None = None
    seed: int = 0

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; ``defaults_from({}, config.as_dict())`` gives an equal config."""
        values = asdict(self)
        if isinstance(self.target_modules, tuple):
            values["target_modules"] = list(self.target_modules)
        return values


def defaults_from(training_defaults: Mapping[str, Any], overrides: Mapping[str, Any]) -> TrainingConfig:
    """The configuration of a run: what the user set, else what the diagnosis suggests, else the default.

    ``training_defaults`` may hold more (the diagnosis adds its reasons); an unknown name in ``overrides``
    is an error. Where only the rank is set, alpha follows as twice the rank. Raises ValueError naming the
    fact and how to fix it.
    """
    known = {f.name for f in fields(TrainingConfig)}
    unknown = sorted(set(overrides) - known)
    if unknown:
        raise ValueError(f"there is no hyperparameter {unknown[0]!r}; there are {', '.join(sorted(known))}")
    values = {name: value for name, value in training_defaults.items() if name in known}
    values.update(overrides)
    if "rank" in overrides and "alpha" not in overrides:
        values.pop("alpha", None)
    if "base_model" not in values:
        raise ValueError("base_model is missing; name a base model, for example 'smollm2-135m-instruct'")
    checked = {name: _CHECKS[name](name, value) for name, value in values.items()}
    if "rank" in checked and "alpha" not in checked:
        checked["alpha"] = 2 * checked["rank"]
    return TrainingConfig(**checked)


SMALL_SET_ROWS = 600
BATCH_SIZES = ((300, 8), (0, 4))
"""Fewest rows, and the batch that such a set is trained with: an epoch stays some forty steps long."""


def fit_to_rows(defaults: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """Defaults for a training set of this size: a small one needs more and smaller steps.

    Measured on 430 rows: 54 steps (batch 16, 2 epochs) learnt a third of what 162 (batch 8, 3 epochs) did.
    Never fewer epochs than ``defaults`` ask for.
    """
    if rows >= SMALL_SET_ROWS:
        return dict(defaults)
    batch_size = next(size for fewest, size in BATCH_SIZES if rows >= fewest)
    epochs = max(3.0, float(defaults.get("epochs", 0.0)))
    return {**defaults, "batch_size": batch_size, "epochs": epochs}


_Check = Callable[[str, Any], Any]


def _whole(low: int, high: int) -> _Check:
    def check(name: str, value: Any) -> int:
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not whole or not low <= value <= high:
            raise ValueError(f"{name} is {value!r}; give a whole number from {low} to {high}")
        return int(value)

    return check


def _real(low: float, high: float) -> _Check:
    def check(name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"{name} is {value!r}; give a number from {low:g} to {high:g}")
        return float(value)

    return check


def _optional(inner: _Check) -> _Check:
    return lambda name, value: None if value is None else inner(name, value)


def _choice(kind: type[StrEnum]) -> _Check:
    def check(name: str, value: Any) -> StrEnum:
        try:
            return kind(value)
        except ValueError:
            raise ValueError(f"{name} is {value!r}; choose from {', '.join(kind)}") from None

    return check


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}; give true, false or null (decide by the device)")
    return value


def _name(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ValueError(f"{name} is {value!r}; give a name, a path or an id")
    return value


def _modules(name: str, value: Any) -> str | tuple[str, ...]:
    if isinstance(value, str) and value:
        return value if value == "all-linear" else (value,)
    if isinstance(value, list | tuple) and value and all(isinstance(v, str) and v for v in value):
        return tuple(value)
    raise ValueError(f"{name} is {value!r}; give 'all-linear' or a list of module names such as 'q_proj'")


_CHECKS: Mapping[str, _Check] = {
    "base_model": _name,
    "method": _choice(TrainingMethod),
    "rank": _whole(1, 1024),
    "alpha": _whole(1, 4096),
    "dropout": _real(0.0, 0.9),
    "target_modules": _modules,
    "learning_rate": _real(1e-8, 1.0),
    "epochs": _real(0.01, 1000.0),
    "batch_size": _whole(1, 4096),
    "gradient_accumulation": _whole(1, 4096),
    "warmup_steps": _whole(0, 1_000_000),
    "weight_decay": _real(0.0, 1.0),
    "scheduler": _choice(Scheduler),
    "max_length": _whole(16, 1_048_576),
    "max_steps": _optional(_whole(1, 10_000_000)),
    "max_grad_norm": _real(0.0, 1000.0),
    "dpo_beta": _real(1e-4, 100.0),
    "checkpoint_every_steps": _whole(0, 1_000_000),
    "shuffle": _boolean,
    "bf16": _optional(_boolean),
    "seed": _whole(0, 2**32 - 1),
}
