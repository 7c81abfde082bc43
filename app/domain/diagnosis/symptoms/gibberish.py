"""Gibberish: characters that do not follow each other in any training text."""

from app.domain import text, thresholds
from app.domain.diagnosis.symptoms.profile import OutputProfile
from app.domain.records import BadCase


def detect(case: BadCase, trained: OutputProfile) -> bool:
    said = text.clip(case.model_output)
    if said.count("\ufffd") > thresholds.GIBBERISH_BROKEN_SHARE * max(1, len(said)):
        return True
    grams = text.character_ngrams(said, 2)
    own = text.character_ngrams(text.clip(case.prompt), 2)
    own |= text.character_ngrams(text.clip(case.expected_output or ""), 2)
    # A small training set has not seen most of a language: then only broken characters count.
    if len(grams) < thresholds.GIBBERISH_MIN_BIGRAMS or len(trained.bigrams) < thresholds.GIBBERISH_MIN_KNOWN:
        return False
    if text.is_chinese(said) and not trained.chinese:
        return False  # another language is its own symptom
    unseen = sum(g not in trained.bigrams and g not in own for g in grams)
    return unseen > thresholds.GIBBERISH_UNSEEN_SHARE * len(grams)
