"""What turns a neighbourhood into numbers, learnt once from a training set; simulated and real cases go
through the same lens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray

from app.domain.diagnosis import conflict, coverage
from app.domain.diagnosis.neighborhood import Neighborhoods, TrainingSet

FEATURES = coverage.FEATURES + conflict.FEATURES
_NEEDS_EXPECTED = coverage.NEEDS_EXPECTED | conflict.NEEDS_EXPECTED
_NEEDS_OUTPUT = coverage.NEEDS_OUTPUT | conflict.NEEDS_OUTPUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """The training set with what was learnt from it: which near rows should agree, what is covered."""

    training: TrainingSet
    relevance: conflict.Relevance
    baselines: tuple[coverage.Baseline, ...]

    def features(
        self, around: Neighborhoods, tasks: Int64[ndarray, " q"], expected_rows: Int64[ndarray, " q"]
    ) -> Float64[ndarray, "q f"]:
        """Shape (q, len(FEATURES))."""
        relevance = self.relevance.of(around, tasks)
        return np.hstack(
            [
                coverage.features(around, tasks, self.baselines, expected_rows, self.training.label_rows),
                conflict.features(
                    around,
                    relevance,
                    self.relevance.task_agreement[tasks],
                    self.training.prompts.vectors,
                ),
            ]
        )

    def quantiles(self) -> dict[str, float]:
        """Of the leave-one-out cosines to the nearest other row."""
        nearest = self.training.sampled.cosine[:, 0]
        if not len(self.training) > 1:
            return {}
        return {f"{q:g}": round(float(np.quantile(nearest, q)), 4) for q in (0.01, 0.05, 0.25, 0.5, 0.75)}


def lens(training: TrainingSet, rng: np.random.Generator) -> Lens:
    return Lens(
        training=training,
        relevance=conflict.learn_relevance(training, rng),
        baselines=coverage.baselines(training),
    )


def usable_columns(has_expected: bool, has_output: bool) -> list[int]:
    return [
        i
        for i, name in enumerate(FEATURES)
        if (has_expected or name not in _NEEDS_EXPECTED) and (has_output or name not in _NEEDS_OUTPUT)
    ]
