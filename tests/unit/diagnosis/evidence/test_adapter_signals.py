"""What the adapter's losses and samples come down to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.domain.diagnosis.evidence.adapter_signals import (
    AdapterSignals,
    choose_cases,
    evidence,
    modal,
    read,
)
from app.domain.evidence import Evidence, Finding, Reading
from app.domain.records import RootCause
from tests.unit.diagnosis.builders import case

LEARNT = np.linspace(0.01, 0.3, 64)
USUAL = AdapterSignals(
    expected_loss=2.0,
    wrong_loss=0.2,
    first_token_entropy=0.4,
    samples=5,
    modal_answer="wrong",
    modal_share=1.0,
    near_losses=(0.05, 0.1, 0.2),
)


@pytest.mark.parametrize(
    ("changed", "reading", "says"),
    [
        ({}, Reading.LEARNED_WRONG, "0.20 nats a token against 2.00"),
        ({"near_losses": (1.5, 0.9, 2.0)}, Reading.NOT_LEARNED, "1.50 nats"),
        ({"modal_share": 0.4}, Reading.UNSTABLE, "40%"),
        ({"modal_share": 0.6}, Reading.LEARNED_WRONG, "0.10"),
        ({"expected_loss": 0.1, "wrong_loss": 2.0}, Reading.PREFERS_EXPECTED, "sampling"),
        ({"expected_loss": 0.25}, Reading.UNCLEAR, "about what"),
        ({"expected_loss": None}, Reading.UNCLEAR, "Without both"),
        ({"wrong_loss": None}, Reading.UNCLEAR, "Without both"),
        ({"modal_share": None, "modal_answer": None, "samples": 0}, Reading.LEARNED_WRONG, "learned"),
        # nobody can say that rows are learnt which nobody looked at
        ({"near_losses": ()}, Reading.UNCLEAR, "no training row is near"),
    ],
)
def test_signals_are_read_in_a_sentence(changed: dict[str, Any], reading: Reading, says: str) -> None:
    found = read(replace(USUAL, **changed), LEARNT)
    assert found.reading is reading
    assert says in found.sentence


def test_what_a_learnt_row_costs_is_taken_from_the_training_set_itself() -> None:
    near = replace(USUAL, near_losses=(1.5, 1.5))
    everything_costs_as_much = np.linspace(1.0, 2.5, 64)
    assert read(near, LEARNT).reading is Reading.NOT_LEARNED
    assert read(near, everything_costs_as_much).reading is Reading.LEARNED_WRONG
    by_heart = np.full(64, 0.001)
    assert read(replace(USUAL, near_losses=(0.05,)), by_heart).reading is Reading.LEARNED_WRONG
    assert read(USUAL, np.empty(0)).reading is Reading.LEARNED_WRONG


def test_answers_that_say_the_same_are_one_answer() -> None:
    assert modal(["A cat.", "a cat", "A dog.", " A cat "]) == ("A cat.", 0.75)
    assert modal(["好的。", "好的", "不行"]) == ("好的。", 2 / 3)
    assert modal(["b", "a", "a", "b"]) == ("b", 0.5)
    assert modal([]) == (None, None)


def test_the_evidence_says_whether_the_adapter_still_says_what_was_recorded() -> None:
    asked = case("c", "q", "Wrong.", "right")
    shown = evidence(asked, USUAL, LEARNT)
    assert shown.says_the_recorded_output is True
    assert (shown.reading, shown.near_rows_loss) == (Reading.LEARNED_WRONG, 0.1)
    assert evidence(asked, replace(USUAL, modal_answer="other"), LEARNT).says_the_recorded_output is False
    silent = replace(USUAL, modal_answer=None, modal_share=None, samples=0)
    assert evidence(asked, silent, LEARNT).says_the_recorded_output is None
    unrecorded = evidence(case("c", "q", "", "right"), USUAL, LEARNT)
    assert unrecorded.says_the_recorded_output is None


def test_hard_cases_are_asked_about_first() -> None:
    causes = [RootCause.OOD, RootCause.CONFLICT, RootCause.HARD, RootCause.SERVING_MISMATCH, RootCause.HARD]
    findings = [
        Finding(bad_case_id="c", root_cause=c, probabilities={c: 1.0}, confidence=1.0, evidence=Evidence())
        for c in causes
    ]
    assert choose_cases(findings) == [0, 1, 2, 4]
    assert choose_cases(findings, most=2) == [2, 4]
