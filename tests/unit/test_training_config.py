from __future__ import annotations

import json

import pytest

from app.domain.training_config import Scheduler, TrainingConfig, TrainingMethod, defaults_from, fit_to_rows

BASE = {"base_model": "smollm2-135m-instruct"}


def test_the_user_wins_over_the_diagnosis_and_the_diagnosis_over_the_default() -> None:
    config = defaults_from({"rank": 32, "alpha": 64, "epochs": 3, "reasons": ["hard"]}, {**BASE, "epochs": 1})
    assert (config.rank, config.alpha, config.epochs) == (32, 64, 1.0)
    assert config.learning_rate == 5e-4


def test_alpha_follows_the_rank_where_only_the_rank_is_set() -> None:
    assert defaults_from({}, {**BASE, "rank": 8}).alpha == 16
    assert defaults_from({"rank": 32, "alpha": 64}, {**BASE, "rank": 8}).alpha == 16
    assert defaults_from({}, {**BASE, "rank": 8, "alpha": 8}).alpha == 8


def test_a_config_survives_json() -> None:
    config = TrainingConfig(
        base_model="m",
        method=TrainingMethod.DPO,
        target_modules=("q_proj", "v_proj"),
        scheduler=Scheduler.COSINE,
        max_steps=7,
        bf16=False,
    )
    assert defaults_from({}, json.loads(json.dumps(config.as_dict()))) == config


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"lr": 1}, "no field 'lr'"),
        ({"rank": 0}, "rank is 0: input should be greater than or equal to 1"),
        ({"rank": 8.5}, "valid integer"),
        ({"rank": True}, "valid integer"),
        ({"learning_rate": -1}, "learning_rate is -1: input should be greater"),
        ({"learning_rate": float("nan")}, "finite number"),
        ({"epochs": "two"}, "valid number"),
        ({"method": "ppo"}, "'sft' or 'dpo'"),
        ({"target_modules": []}, "all-linear"),
        ({"bf16": "auto"}, "bf16 is 'auto'"),
        ({"base_model": " "}, "give a name"),
        ({"max_steps": 0}, "max_steps is 0"),
    ],
)
def test_a_wrong_value_is_refused_with_the_fact_and_the_mend(overrides: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        defaults_from({}, {**BASE, **overrides})


def test_a_missing_base_model_is_named() -> None:
    with pytest.raises(ValueError, match="base_model is missing"):
        defaults_from({"rank": 8}, {})


@pytest.mark.parametrize(("rows", "batch_size"), [(600, None), (599, 8), (300, 8), (299, 4), (1, 4)])
def test_a_small_set_is_trained_in_more_and_smaller_steps(rows: int, batch_size: int | None) -> None:
    fitted = fit_to_rows({"epochs": 2}, rows)
    assert fitted.get("batch_size") == batch_size
    assert fitted["epochs"] == (2 if batch_size is None else 3)
    assert fit_to_rows({"epochs": 5}, rows)["epochs"] == 5
