"""The model card of an adapter: only what stands on record, and nothing of a user's text as markup."""

from __future__ import annotations

from typing import Any

from app.reporting import adapter_card
from app.services.training.adapters import AdapterHistory

CARD = {
    "base_model": "smollm2-135m-instruct",
    "base_model_published": "HuggingFaceTB/SmolLM2-135M-Instruct",
    "base_model_revision": "sha256:00",
    "dataset_version_id": "dsv_1",
    "init_adapter_id": None,
    "hyperparameters": {"rank": 16, "learning_rate": 5e-4, "base_model": "smollm2-135m-instruct"},
    "training": {"steps": 22, "final_loss": 0.51234567, "rows_left_out": {}},
}
RESULT = {
    "fix_rate": {"rate": 0.9, "low": 0.8, "high": 0.95, "fixed": 18, "n": 20},
    "held_back_fix_rate": {"rate": None, "low": 0.0, "high": 1.0, "fixed": 0, "n": 0},
    "retention": {"mean": 0.985},
    "gate": {"accepted": True, "reasons": ["retention 0.985 above 0.9"]},
}


def card(**changed: Any) -> str:
    known: dict[str, Any] = {
        "id": "adp_1",
        "base_model": "smollm2-135m-instruct",
        "card": CARD,
        "gate": "accepted",
        "dataset": "support desk",
        "verified": RESULT,
    }
    return adapter_card.written(AdapterHistory(**{**known, **changed}))


def test_it_names_the_base_model_as_others_find_it_and_what_was_measured() -> None:
    written = card()
    assert 'base_model: "HuggingFaceTB/SmolLM2-135M-Instruct"' in written
    assert "trained on a copy that the service calls `smollm2-135m-instruct`" in written
    assert "90% of 20 (95% interval 80% to 95%)" in written
    assert "Gate: **accepted** (retention 0.985 above 0.9)" in written
    assert "never trained on" not in written, "no case was held back, so no rate is told"
    assert "| rank | `16` |" in written
    assert "Continued from" not in written


def test_an_adapter_that_nobody_verified_says_so() -> None:
    written = card(verified=None, gate=None)
    assert "Not verified" in written
    assert "Gate" not in written


def test_a_verification_without_a_retention_set_is_inconclusive_and_a_failed_one_rejected() -> None:
    refused = {"accepted": False, "reasons": []}
    assert "Gate: **inconclusive**" in card(
        gate=None, verified={**RESULT, "retention": None, "gate": refused}
    )
    assert "Gate: **rejected**" in card(gate=None, verified={**RESULT, "gate": refused})


def test_the_name_of_a_dataset_is_text() -> None:
    written = card(dataset="[click](http://evil) | `x` \n# Heading")
    assert "\n# Heading" not in written
    assert "[click](http://evil) |" not in written
    assert "deleted since" in card(dataset=None)
