"""What is visibly wrong with a model output. A new symptom is one new file and one new line in the tuple."""

from __future__ import annotations

from collections.abc import Callable

from app.domain.diagnosis.symptoms import (
    copied_training_output,
    format_violation,
    gibberish,
    missing_knowledge,
    refusal,
    repetition,
    truncation,
    wrong_language,
)
from app.domain.diagnosis.symptoms.profile import OutputProfile, profile
from app.domain.records import BadCase, Symptom

SYMPTOMS: tuple[tuple[Symptom, Callable[[BadCase, OutputProfile], bool]], ...] = (
    (Symptom.GIBBERISH, gibberish.detect),
    (Symptom.REPETITION, repetition.detect),
    (Symptom.TRUNCATION, truncation.detect),
    (Symptom.FORMAT_VIOLATION, format_violation.detect),
    (Symptom.REFUSAL, refusal.detect),
    (Symptom.WRONG_LANGUAGE, wrong_language.detect),
    (Symptom.MISSING_KNOWLEDGE, missing_knowledge.detect),
    (Symptom.COPIED_TRAINING_OUTPUT, copied_training_output.detect),
)


def symptoms_of(case: BadCase, trained: OutputProfile) -> tuple[Symptom, ...]:
    """The symptoms of a case's model output, in the order of ``SYMPTOMS``; none for an empty output."""
    if not case.model_output.strip():
        return ()
    return tuple(symptom for symptom, detect in SYMPTOMS if detect(case, trained))


__all__ = ["SYMPTOMS", "OutputProfile", "profile", "symptoms_of"]
