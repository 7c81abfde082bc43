"""How one LoRA run is set up. Plain data: importable without torch.

Knows names, ranges and what was measured to work. Does not know how a run is carried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from app.domain.section import Number, Section, Seed, Share, Whole

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


Steps = Annotated[Whole, Field(ge=0, le=1_000_000)]


def _one_or_many(value: object) -> object:
    """One name may stand without a list. None at all would train nothing."""
    names = [value] if isinstance(value, str) else value
    if isinstance(names, list | tuple) and names and all(isinstance(n, str) and n for n in names):
        return tuple(names)
    raise ValueError("give 'all-linear' or a list of module names such as 'q_proj'")


def _name(value: str) -> str:
    if not value.strip() or "\0" in value:
        raise ValueError("give a name, a path or an id")
    return value


Modules = Annotated[tuple[str, ...], BeforeValidator(_one_or_many)]


class Hyperparameters(Section):
    """How a LoRA run is set up. What is left out: what the diagnosis suggests, else the default.

    The defaults were measured on SmolLM2-135M-Instruct (800 to 1,000 short rows).
    """

    title = "hyperparameters"
    method: TrainingMethod = TrainingMethod.SFT
    rank: Annotated[Whole, Field(ge=1, le=1024)] = 16
    alpha: Annotated[Whole, Field(ge=1, le=4096)] = 32
    """Where only the rank is set, twice the rank."""
    dropout: Annotated[Number, Field(ge=0, le=0.9)] = 0.0
    target_modules: Literal["all-linear"] | Modules = "all-linear"
    """"all-linear" or names of modules, such as "q_proj"."""
    learning_rate: Annotated[Number, Field(ge=1e-8, le=1)] = 5e-4
    epochs: Annotated[Number, Field(ge=0.01, le=1000)] = 2.0
    batch_size: Annotated[Whole, Field(ge=1, le=4096)] = 16
    gradient_accumulation: Annotated[Whole, Field(ge=1, le=4096)] = 1
    warmup_steps: Steps = 10
    weight_decay: Share = 0.0
    scheduler: Scheduler = Scheduler.LINEAR
    max_length: Annotated[Whole, Field(ge=16, le=1_048_576)] = 1024
    """Prompt and answer, in tokens."""
    max_steps: Annotated[Whole, Field(ge=1, le=10_000_000)] | None = None
    """null: as many as ``epochs`` give."""
    max_grad_norm: Annotated[Number, Field(ge=0, le=1000)] = 1.0
    dpo_beta: Annotated[Number, Field(ge=1e-4, le=100)] = 0.1
    checkpoint_every_steps: Steps = 50
    """0: never."""
    keep_checkpoints: Annotated[Whole, Field(ge=0, le=100)] = 0
    """How many adapters of ends of epochs, the newest ones, are kept beside the result to be asked."""
    shuffle: Annotated[bool, Field(strict=True)] = True
    """False: rows in the order of the mixture, for a curriculum."""
    bf16: Annotated[bool, Field(strict=True)] | None = None
    """null: where the device has it."""
    seed: Seed = 0


class TrainingConfig(Hyperparameters):
    """One run: its hyperparameters and what it starts from."""

    base_model: Annotated[str, Field(strict=True), AfterValidator(_name)]
    """A name, a path or an id."""


def defaults_from(training_defaults: Mapping[str, Any], overrides: Mapping[str, Any]) -> TrainingConfig:
    """The configuration of a run: what the user set, else what the diagnosis suggests, else the default.

    ``training_defaults`` may hold more (the diagnosis adds its reasons); an unknown name in ``overrides``
    is an error. Where only the rank is set, alpha follows as twice the rank. Raises ValueError naming the
    fact and how to fix it.
    """
    values = {name: value for name, value in training_defaults.items() if name in TrainingConfig.model_fields}
    if "rank" in overrides:
        values.pop("alpha", None)
    config = TrainingConfig.from_dict({**values, **overrides})
    if "rank" in config.model_fields_set and "alpha" not in config.model_fields_set:
        return config.model_copy(update={"alpha": 2 * config.rank})
    return config


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
