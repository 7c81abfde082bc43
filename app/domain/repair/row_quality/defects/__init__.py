"""Which rows of a training set are bad by themselves or beside the others. One file, one line each."""

from __future__ import annotations

from collections.abc import Callable

from app.domain.repair.row_quality.defects import (
    broken_call,
    broken_markup,
    copied_prompt,
    empty,
    knn_shapley,
    label_quality,
    mismatch,
    placeholder,
    reasoning,
    refused,
    truncated,
    unanswerable,
    wrong_language,
)
from app.domain.repair.row_quality.defects.finding import NoisyRow
from app.domain.repair.row_quality.defects.statistics import JudgedRows

Detector = Callable[[JudgedRows], tuple[NoisyRow, ...]]

DETECTORS: tuple[tuple[str, Detector], ...] = (
    ("empty", empty.detect),
    ("refused", refused.detect),
    ("copied_prompt", copied_prompt.detect),
    ("truncated", truncated.detect),
    ("reasoning", reasoning.detect),
    ("broken_markup", broken_markup.detect),
    ("broken_call", broken_call.detect),
    ("placeholder", placeholder.detect),
    ("wrong_language", wrong_language.detect),
    ("unanswerable", unanswerable.detect),
    ("mismatch", mismatch.detect),
    ("label_quality", label_quality.detect),
    ("knn_shapley", knn_shapley.detect),
)

__all__ = ["DETECTORS", "Detector", "JudgedRows", "NoisyRow"]
