"""The verdict on one case, put together: evidence first, then what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from numpy import ndarray

from app.domain import thresholds
from app.domain.diagnosis import remedies
from app.domain.diagnosis.simulation import CAUSES
from app.domain.records import (
    Agreement,
    Neighbor,
    RecommendedAction,
    RootCause,
    Symptom,
    TrainingExample,
)


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
    room: int = thresholds.SHOWN_NEIGHBORS,
) -> Int64[ndarray, " s"]:
    """Which neighbours to show and in which order, ``room`` at most.

    Nearest first; for a conflict the rows that contradict come first, most relevant first and above all
    those that say what the model said, then those that support, so that both sides are seen.
    """
    rows = np.flatnonzero(present)
    if cause is not RootCause.CONFLICT:
        return rows[np.argsort(-cosine[rows], kind="stable")][:room]
    against = rows[~expected[rows]]
    weight = relevance[against] * np.where(wrong[against], 1.0, thresholds.NEITHER_SIDE_WEIGHT)
    against = against[np.argsort(-weight, kind="stable")]
    supporting = rows[expected[rows]]
    supporting = supporting[np.argsort(-cosine[supporting], kind="stable")]
    shown = min(len(against), max(room - len(supporting), room - thresholds.SHOWN_SUPPORTERS))
    return np.concatenate([against[:shown], supporting[: room - shown]])


def neighbor(example: TrainingExample, cosine: float, side: Agreement) -> Neighbor:
    return Neighbor(
        example_id=example.id,
        similarity=round(float(cosine), 6),
        input=example.prompt,
        output=example.output,
        agrees_with=side,
    )


def combined(causes: Float64[ndarray, " 3"], serving: float) -> dict[RootCause, float]:
    """Probabilities of the four causes, summing to 1. Serving comes first: the rest shares what it leaves."""
    data = {cause: float(p) * (1.0 - serving) for cause, p in zip(CAUSES, causes, strict=True)}
    return {**data, RootCause.SERVING_MISMATCH: serving}


def root_cause(
    probabilities: Mapping[RootCause, float],
    *,
    already_right: bool,
    below: float = thresholds.UNDETERMINED_BELOW,
) -> RootCause:
    """The most probable cause; undetermined where none stands out, or where the output is not wrong."""
    best = max(probabilities, key=lambda cause: probabilities[cause])
    if already_right or probabilities[best] < below:
        return RootCause.UNDETERMINED
    return best


def recommended_actions(
    cause: RootCause, symptoms: Sequence[Symptom], *, has_expected: bool, already_right: bool
) -> tuple[RecommendedAction, ...]:
    """What to do about a case, cheapest sensible remedy first."""
    return remedies.recommended(
        remedies.Verdict(
            cause=cause,
            symptoms=frozenset(symptoms),
            has_expected=has_expected,
            already_right=already_right,
        )
    )
