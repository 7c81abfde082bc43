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
from app.domain.diagnosis.symptoms.finding import SymptomFinding
from app.domain.diagnosis.symptoms.profile import OutputProfile, merged, profile
from app.domain.records import BadCase, Symptom

SYMPTOMS: tuple[tuple[Symptom, Callable[[BadCase, OutputProfile], SymptomFinding | None]], ...] = (
    (Symptom.GIBBERISH, gibberish.detect),
    (Symptom.REPETITION, repetition.detect),
    (Symptom.TRUNCATION, truncation.detect),
    (Symptom.FORMAT_VIOLATION, format_violation.detect),
    (Symptom.REFUSAL, refusal.detect),
    (Symptom.WRONG_LANGUAGE, wrong_language.detect),
    (Symptom.MISSING_KNOWLEDGE, missing_knowledge.detect),
    (Symptom.COPIED_TRAINING_OUTPUT, copied_training_output.detect),
)


def symptom_findings(case: BadCase, trained: OutputProfile) -> tuple[SymptomFinding, ...]:
    """The symptoms of a case with their proof, in the order of ``SYMPTOMS``; none for an empty output."""
    if not case.model_output.strip():
        return ()
    found = (detect(case, trained) for _, detect in SYMPTOMS)
    return tuple(f for f in found if f is not None)


def symptoms_of(case: BadCase, trained: OutputProfile) -> tuple[Symptom, ...]:
    """The symptoms alone, in the order of ``SYMPTOMS``."""
    return tuple(f.symptom for f in symptom_findings(case, trained))


__all__ = [
    "SYMPTOMS",
    "OutputProfile",
    "SymptomFinding",
    "merged",
    "profile",
    "symptom_findings",
    "symptoms_of",
]
