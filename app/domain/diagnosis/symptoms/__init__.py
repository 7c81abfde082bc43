"""What is visibly wrong with a model output. A new symptom is one new file and one new line in the tuple."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from app.domain.answers import read_text
from app.domain.diagnosis.symptoms import (
    copied_training_output,
    empty,
    forgetting,
    format_violation,
    gibberish,
    missing_knowledge,
    refusal,
    repetition,
    run_on,
    truncation,
    wrong_language,
)
from app.domain.diagnosis.symptoms.profile import OutputProfile, merged, profile
from app.domain.evidence import SymptomFinding
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
    (Symptom.EMPTY, empty.detect),
    (Symptom.RUN_ON, run_on.detect),
    (Symptom.FORGETTING, forgetting.detect),
)


# These look at the whole answer: reasoning and calls as well. The others read what is said in words.
_OF_WHOLE_ANSWERS = frozenset((Symptom.EMPTY, Symptom.TRUNCATION, Symptom.FORMAT_VIOLATION))


def symptom_findings(case: BadCase, trained: OutputProfile) -> tuple[SymptomFinding, ...]:
    """The symptoms of a case with their proof, in the order of ``SYMPTOMS``."""
    words = in_words(case)
    found = (
        detect(case if symptom in _OF_WHOLE_ANSWERS else words, trained)
        for symptom, detect in SYMPTOMS
        if symptom in _OF_WHOLE_ANSWERS or words.model_output.strip()
    )
    return tuple(f for f in found if f is not None)


def in_words(case: BadCase) -> BadCase:
    """The case without reasoning and calls: what is said in words, and what should have been."""
    expected = case.expected_answer
    return replace(
        case,
        model_output=case.model_answer.text,
        expected_output=None if expected is None or not expected.text.strip() else expected.text,
        alternatives=tuple(said for a in case.alternatives if (said := read_text(a).text).strip()),
    )


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
