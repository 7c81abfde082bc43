"""Wrong language: another script than the expected output's, or than the prompt's where none is known."""

from app.domain import text, thresholds
from app.domain.diagnosis.symptoms.profile import OutputProfile
from app.domain.records import BadCase


def detect(case: BadCase, trained: OutputProfile) -> bool:
    wanted = text.script_shares(case.expected_output or case.prompt)
    said = text.script_shares(case.model_output)
    if min(wanted.letters, said.letters) < thresholds.LANGUAGE_MIN_LETTERS:
        return False
    if not case.expected_output and text.normalised(case.model_output) in trained.labels:
        return False  # labels are often English whatever the prompt
    return abs(wanted.cjk - said.cjk) > thresholds.LANGUAGE_SHARE_GAP
