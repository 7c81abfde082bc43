"""Quality of rows as a weighted mean of components, every one of them shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from app.domain.repair.draft.row_bands import Use, Veto
from app.domain.repair.policy.quality import QualityComponent, QualityPolicy
from app.domain.repair.row_quality.defects.statistics import JudgedRows
from app.domain.repair.row_quality.scores import consistency, form, information, relevance, safety
from app.domain.repair.row_quality.scores.vetoes import vetoes

Component = Callable[[JudgedRows], Float64[ndarray, " n"]]

COMPONENTS: tuple[tuple[QualityComponent, Component], ...] = (
    (QualityComponent.RELEVANCE, relevance.score),
    (QualityComponent.INFORMATION, information.score),
    (QualityComponent.FORMAT, form.score),
    (QualityComponent.SAFETY, safety.score),
    (QualityComponent.CONSISTENCY, consistency.score),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityScores:
    """``scores`` (n,) 0..1, larger = better. ``components`` (n,) each, 0..1; NaN = left out for that row.

    ``vetoes`` (n,): what no score outvotes.
    """

    scores: Float64[ndarray, " n"]
    components: Mapping[str, Float64[ndarray, " n"]]
    policy: QualityPolicy
    vetoes: tuple[tuple[Veto, ...], ...] = ()

    def use(self, row: int) -> Use:
        """What the policy makes of a row: of its score, if nothing in it is vetoed."""
        if self.vetoes and self.vetoes[row]:
            return Use.DROP
        score = float(self.scores[row])
        if score > self.policy.use_above:
            return Use.USE
        return Use.DROP if score < self.policy.drop_below else Use.REVIEW

    def shown(self, row: int) -> dict[str, float | None]:
        """The row's components, JSON-ready; None = left out."""
        return {
            name: None if np.isnan(values[row]) else round(float(values[row]), 3)
            for name, values in self.components.items()
        }


def score_rows(rows: JudgedRows, policy: QualityPolicy) -> QualityScores:
    """Score every row; a row for which every weighted component is left out scores 1."""
    components = {name.value: score(rows) for name, score in COMPONENTS}
    total, weight = np.zeros(len(rows)), np.zeros(len(rows))
    for name, _ in COMPONENTS:
        values = components[name.value]
        judged = ~np.isnan(values)
        total += np.where(judged, np.nan_to_num(values), 0.0) * policy.weights[name]
        weight += judged * policy.weights[name]
    scores = np.where(weight > 0, total / np.maximum(weight, 1e-12), 1.0)
    return QualityScores(scores=scores, components=components, policy=policy, vetoes=vetoes(rows))
