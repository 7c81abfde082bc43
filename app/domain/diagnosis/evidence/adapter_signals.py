"""What the adapter itself says about a case: does it prefer the wrong answer, is it sure, has it learnt the rows
beside it?

Knows how to read losses and samples. Does not know how they are made. A reading is evidence and moves no
probability: rows learnt and the wrong answer preferred is what a contradiction looks like and what a hard case
looks like, and causes simulated in a training set have no adapter to learn the difference from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from app.domain.answers.scoring import score_answer
from app.domain.evidence import AdapterEvidence, Finding, Reading
from app.domain.records import BadCase, RootCause

MOST_CASES = 40
"""With their near rows and samples, about a minute and a half for a small model on one core. A resource bound."""

SAMPLES = 5
SAMPLE_TEMPERATURE = 0.7
"""Self-consistency (Wang et al. 2023) draws its samples at this temperature."""

NEAR_ROWS = 8
REFERENCE_ROWS = 64
"""Rows drawn from the whole training set, to tell what a learnt row costs this adapter."""

SAMPLED_TOKENS = 64
"""Longer answers are not sampled: they cost too much, and no two of them say quite the same."""

FIRST_TOKENS = 4
"""An answer's course is set by its first words: later tokens follow from them."""

UNLEARNT_QUANTILE = 0.9
"""Near rows that cost more than nine tenths of the training rows do are not learnt as the others are ..."""

UNLEARNT_MIN_LOSS = 0.1
"""... unless they are known by heart all the same: .1 nats are a likelihood of .9 a token."""

PREFERENCE_MARGIN = 0.1
"""Nats a token by which one answer must be cheaper before it counts as preferred."""

STABLE_SHARE = 0.6
"""Below three of five equal answers the model has no answer of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterSignals:
    """Losses are mean negative log-likelihoods of an answer's tokens in nats; 0 = certain, None = no such answer.

    ``first_token_entropy``: mean over the first tokens of the wrong answer (of the expected one without it), in
    nats; 0 = sure what comes next. ``modal_share``: share 0..1 of the ``samples`` that say the most frequent
    answer; None without samples. ``near_losses``: the nearest training rows' own answers, nearest first.
    """

    expected_loss: float | None
    wrong_loss: float | None
    first_token_entropy: float | None
    samples: int
    modal_answer: str | None
    modal_share: float | None
    near_losses: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterReading:
    reading: Reading
    sentence: str


def choose_cases(findings: Sequence[Finding], *, most: int = MOST_CASES) -> list[int]:
    """The cases to ask the adapter about: hard ones first, then what is covered, then the rest."""
    order = (RootCause.HARD, RootCause.UNDETERMINED, RootCause.CONFLICT, RootCause.OOD)
    asked = [i for cause in order for i, finding in enumerate(findings) if finding.root_cause is cause]
    return sorted(asked[:most])


def modal(answers: Sequence[str]) -> tuple[str | None, float | None]:
    """The most frequent answer, as first said, and its share 0..1; ties go to the first.

    Two answers are one where the one would count as right with the other expected (``score_answer``).
    """
    groups: list[list[str]] = []
    for answer in answers:
        same = (g for g in groups if answer == g[0] or score_answer(answer, g[0]).correct)
        group = next(same, None)
        if group is None:
            groups.append([answer])
        else:
            group.append(answer)
    if not groups:
        return None, None
    largest = max(groups, key=len)
    return largest[0], len(largest) / len(answers)


def read(signals: AdapterSignals, reference: Float64[ndarray, " r"]) -> AdapterReading:
    """What a case's signals mean, in a sentence. ``reference``: losses of rows from the whole training set."""
    near = median(signals.near_losses) if signals.near_losses else None
    usual = float(np.median(reference)) if len(reference) else None
    limit = float(np.quantile(reference, UNLEARNT_QUANTILE)) if len(reference) else None
    if near is not None and limit is not None and near > max(limit, UNLEARNT_MIN_LOSS):
        return AdapterReading(
            reading=Reading.NOT_LEARNED,
            sentence=f"The {len(signals.near_losses)} nearest training rows cost the model {near:.2f} nats a token, "
            f"training rows in general {usual:.2f}: it has not learned them.",
        )
    if signals.modal_share is not None and signals.modal_share < STABLE_SHARE:
        return AdapterReading(
            reading=Reading.UNSTABLE,
            sentence=f"Of {signals.samples} samples only {signals.modal_share:.0%} give the same answer: the model "
            "has none of its own.",
        )
    if signals.expected_loss is None or signals.wrong_loss is None:
        return AdapterReading(
            reading=Reading.UNCLEAR,
            sentence="Without both an expected and a model output there is no preference to see.",
        )
    costs = f"{signals.wrong_loss:.2f} nats a token against {signals.expected_loss:.2f}"
    gap = signals.expected_loss - signals.wrong_loss
    if gap > PREFERENCE_MARGIN and near is None:
        return AdapterReading(
            reading=Reading.UNCLEAR,
            sentence=f"The wrong answer is cheaper than the expected one ({costs}); no training row is near.",
        )
    if gap > PREFERENCE_MARGIN:
        return AdapterReading(
            reading=Reading.LEARNED_WRONG,
            sentence=f"The wrong answer is cheaper than the expected one ({costs}), and the nearest rows are "
            f"learned ({near:.2f}): the wrong answer is what it learned.",
        )
    if gap < -PREFERENCE_MARGIN:
        return AdapterReading(
            reading=Reading.PREFERS_EXPECTED,
            sentence=f"The wrong answer is dearer than the expected one ({costs}): this adapter would say the "
            "expected one; look at the sampling, the request, or whether another adapter had answered.",
        )
    return AdapterReading(
        reading=Reading.UNCLEAR,
        sentence=f"The wrong answer costs about what the expected one does ({costs}).",
    )


def evidence(case: BadCase, signals: AdapterSignals, reference: Float64[ndarray, " r"]) -> AdapterEvidence:
    found = read(signals, reference)
    said = signals.modal_answer
    recorded = None
    if said is not None and case.model_output.strip():
        recorded = said == case.model_output or score_answer(said, case.model_output).correct
    return AdapterEvidence(
        reading=found.reading,
        sentence=found.sentence,
        expected_loss=signals.expected_loss,
        wrong_loss=signals.wrong_loss,
        first_token_entropy=signals.first_token_entropy,
        samples=signals.samples,
        modal_answer=said,
        modal_share=signals.modal_share,
        says_the_recorded_output=recorded,
        near_rows_loss=median(signals.near_losses) if signals.near_losses else None,
        training_rows_loss=float(np.median(reference)) if len(reference) else None,
    )
