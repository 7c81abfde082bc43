"""The verdict on one case, put together: evidence first, then what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from numpy import ndarray

from app.domain.diagnosis.catalogue import remedies
from app.domain.diagnosis.simulation.simulated_cases import CAUSES
from app.domain.evidence import Neighbor
from app.domain.records import (
    Agreement,
    RecommendedAction,
    RootCause,
    Symptom,
    TrainingExample,
)

UNDETERMINED_BELOW: Final = 0.42
"""Largest probability under which no cause is named; evenly split thirds would be .33."""

SHOWN_NEIGHBORS: Final = 8
_NEITHER_SIDE_WEIGHT: Final = 0.5
"""A row with a third answer contradicts, but explains the wrong one less than a row that gives it."""

_SHOWN_SUPPORTERS: Final = 2
"""Rows on the expected side that a conflict finding shows at least, so that both sides are seen."""

CREDIBLE_SHARE: Final = 0.6
"""A row is shown as one that contradicts, or supports, where it weighs this share of the weightiest."""


def agreement(expected: bool, wrong: bool) -> Agreement:
    """A row that agrees with both sides is on the expected one: they say the same then."""
    if expected:
        return Agreement.EXPECTED
    return Agreement.MODEL_OUTPUT if wrong else Agreement.NEITHER


def shown_order(
    cause: RootCause,
    *,
    cosine: Float32[ndarray, " k"],
    relevance: Float32[ndarray, " k"],
    expected: Bool[ndarray, " k"],
    wrong: Bool[ndarray, " k"],
    present: Bool[ndarray, " k"],
    labelled: bool = True,
    room: int = SHOWN_NEIGHBORS,
) -> Int64[ndarray, " s"]:
    """Which neighbours to show and in which order, ``room`` at most.

    Nearest first; for a conflict the rows that contradict come first, the weightiest first, then those that
    support, so that both sides are seen. A row that weighs little beside these (another question whose answer
    happens to be the same letter) is no witness for either side and stays out.
    """
    rows = np.flatnonzero(present)
    if cause is not RootCause.CONFLICT:
        return rows[np.argsort(-cosine[rows], kind="stable")][:room]
    weight = opposition(relevance, expected=expected, wrong=wrong, present=present, labelled=labelled)
    against = rows[~expected[rows]]
    against = against[np.argsort(-weight[against], kind="stable")]
    against = against[weight[against] >= CREDIBLE_SHARE * weight.max(initial=0.0)]
    supporting = rows[expected[rows]]
    supporting = supporting[np.lexsort((-cosine[supporting], -relevance[supporting]))]
    least = CREDIBLE_SHARE * relevance[rows].max(initial=0.0)
    credible = relevance[supporting] >= least
    supporting = supporting[credible | (np.arange(len(supporting)) == 0)]
    shown = min(len(against), max(room - len(supporting), room - _SHOWN_SUPPORTERS))
    return np.concatenate([against[:shown], supporting[: room - shown]])


def opposition(
    relevance: Float32[ndarray, " k"],
    *,
    expected: Bool[ndarray, " k"],
    wrong: Bool[ndarray, " k"],
    present: Bool[ndarray, " k"],
    labelled: bool,
) -> Float64[ndarray, " k"]:
    """How much each near row weighs against the expected output, 0..1; 0 where it supports it.

    A third answer to the same question contradicts as the model's does. A third *label* is often just the
    label next to it: it weighs half.
    """
    third = _NEITHER_SIDE_WEIGHT if labelled else 1.0
    return np.where(present & ~expected, relevance * np.where(wrong, 1.0, third), 0.0).astype(np.float64)


def neighbor(
    example: TrainingExample, cosine: float, side: Agreement, *, same_question: bool = False
) -> Neighbor:
    return Neighbor(
        example_id=example.id,
        similarity=round(float(cosine), 6),
        input=example.prompt,
        output=example.output,
        agrees_with=side,
        same_question=same_question,
    )


def combined(causes: Float64[ndarray, " 3"], serving: float) -> dict[RootCause, float]:
    """Probabilities of the four causes, summing to 1. Serving comes first: the rest shares what it leaves."""
    data = {cause: float(p) * (1.0 - serving) for cause, p in zip(CAUSES, causes, strict=True)}
    return {**data, RootCause.SERVING_MISMATCH: serving}


def root_cause(
    probabilities: Mapping[RootCause, float],
    *,
    already_right: bool,
    below: float = UNDETERMINED_BELOW,
) -> RootCause:
    """The most probable cause; undetermined where none stands out, or where the output is not wrong."""
    best = max(probabilities, key=lambda cause: probabilities[cause])
    if already_right or probabilities[best] < below:
        return RootCause.UNDETERMINED
    return best


def recommended_actions(
    cause: RootCause,
    symptoms: Sequence[Symptom],
    *,
    has_expected: bool,
    already_right: bool,
    labelled: bool = False,
    nearest: float | None = None,
    taught: bool = False,
    answer_is_label: bool = False,
) -> tuple[RecommendedAction, ...]:
    """What to do about a case, cheapest sensible remedy first."""
    return remedies.recommended(
        remedies.RemedyInput(
            cause=cause,
            symptoms=frozenset(symptoms),
            has_expected=has_expected,
            already_right=already_right,
            labelled=labelled,
            nearest=nearest,
            taught=taught,
            answer_is_label=answer_is_label,
        )
    )
