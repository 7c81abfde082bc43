"""The output is in another language than its prompt, in a task that does not translate."""

from __future__ import annotations

from app.domain.diagnosis.symptoms import wrong_language
from app.domain.language import phrases
from app.domain.records import TrainingExample
from app.domain.repair.row_quality.defects.finding import PLAIN_SIGN, NoisyRow, Sign
from app.domain.repair.row_quality.defects.habits import once, weighed
from app.domain.repair.row_quality.defects.reading import Reading


@once
def detect(reading: Reading) -> tuple[NoisyRow, ...]:
    signs = {}
    for row, example in enumerate(reading.examples):
        if not reading.prose[row]:
            continue
        found = wrong_language.detect(reading.case(row), reading.profile)
        if found is None or _speaks_of_languages(example):
            continue
        signs[row] = Sign(certainty=PLAIN_SIGN, reason=found.detail)
    return weighed(reading, "wrong_language", signs)


def _speaks_of_languages(example: TrainingExample) -> bool:
    """A prompt that names a language or a transcription may ask for it."""
    asked = f"{example.system or ''}\n{example.prompt}"
    return phrases.pattern("requests", "language").search(asked) is not None
