"""Format violation: right or wrong, the output has not the shape that the training set taught."""

from app.domain import text, thresholds
from app.domain.diagnosis.symptoms.profile import OutputProfile, closing_of, is_json
from app.domain.records import BadCase


def detect(case: BadCase, trained: OutputProfile) -> bool:
    expected, said = case.expected_output, case.model_output
    wants_json = is_json(expected) if expected else trained.json_share >= thresholds.FORMAT_RULE_SHARE
    if wants_json and not is_json(said):
        return True
    wants_label = (
        text.normalised(expected) in trained.labels
        if expected
        else trained.label_share >= thresholds.FORMAT_RULE_SHARE
    )
    plain = text.normalised(said)
    if wants_label and plain not in trained.labels and plain not in trained.unique:
        return True
    closing = closing_of(expected or "")
    return closing in trained.closings and closing_of(said) != closing
