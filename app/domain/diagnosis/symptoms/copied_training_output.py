"""Copied training output: the model recites one training row's answer instead of answering."""

from app.domain import text, thresholds
from app.domain.diagnosis.symptoms.profile import OutputProfile
from app.domain.records import BadCase


def detect(case: BadCase, trained: OutputProfile) -> bool:
    said = text.normalised(case.model_output)
    long_enough = len(text.tokens(text.clip(said))) > thresholds.CLOSED_ANSWER_MAX_TOKENS
    return long_enough and said in trained.unique and said != text.normalised(case.expected_output or "")
