"""Repetition: the output goes round in circles (rep-n, Welleck et al. 2020)."""

from collections import Counter

from app.domain import text, thresholds
from app.domain.diagnosis.symptoms.profile import OutputProfile
from app.domain.records import BadCase


def detect(case: BadCase, trained: OutputProfile) -> bool:  # noqa: ARG001
    said = repeated_share(case.model_output)
    expected = repeated_share(case.expected_output or "")
    return said > max(thresholds.REPETITION_SHARE, expected + thresholds.REPETITION_MARGIN)


def repeated_share(output: str) -> float:
    """Share 0..1 of the token 4-grams that occurred before; 0 for texts too short to loop."""
    words = text.tokens(text.clip(output))
    n = thresholds.REPETITION_NGRAM
    grams = Counter(words[i : i + n] for i in range(len(words) - n + 1))
    total = grams.total()
    return 1.0 - len(grams) / total if total >= 2 * n else 0.0
