"""Missing knowledge: the expected output says words that stand nowhere in the prompt or the training set."""

from app.domain import text, thresholds
from app.domain.diagnosis.symptoms.profile import OutputProfile
from app.domain.records import BadCase


def detect(case: BadCase, trained: OutputProfile) -> bool:
    expected = case.expected_output
    if not expected or len(trained.vocabulary) < thresholds.UNKNOWN_MIN_VOCABULARY:
        return False
    if trained.label_share >= thresholds.LABEL_TASK_SHARE:
        return False  # a label that was never taught is a missing kind of row, not a missing fact
    given = set(text.tokens(text.clip(case.prompt)))
    told = [t for t in dict.fromkeys(text.tokens(text.clip(expected))) if t not in given]
    # Computed numbers are reasoning, not knowledge.
    words = [t for t in told if not t[0].isdigit()]
    unseen = [t for t in words if t not in trained.vocabulary]
    if text.is_chinese(expected):
        # Single characters are nearly all known; what is new is how they stand together.
        grams = text.character_ngrams(text.clip(expected), 2) - text.character_ngrams(
            text.clip(case.prompt), 2
        )
        return bool(grams) and sum(g not in trained.bigrams for g in grams) > thresholds.UNKNOWN_SHARE * len(
            grams
        )
    return bool(words) and len(unseen) > thresholds.UNKNOWN_SHARE * len(words)
