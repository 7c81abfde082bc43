"""Truncation: the output stops before it is done."""

from app.domain import text
from app.domain.diagnosis.symptoms.profile import OutputProfile
from app.domain.records import BadCase

_PAIRS = (("{", "}"), ("[", "]"), ("(", ")"), ("（", "）"), ("「", "」"), ("《", "》"))


def detect(case: BadCase, trained: OutputProfile) -> bool:
    if case.request is not None and case.request.finish_reason == "length":
        return True
    said, expected = case.model_output.rstrip(), (case.expected_output or "").rstrip()
    begun, whole = text.normalised(said), text.normalised(expected)
    if begun and whole.startswith(begun) and len(begun) < len(whole):
        # 'refund' is another label than 'refund status', not its beginning.
        return whole not in trained.labels or begun not in trained.labels
    return _open(said) and not _open(expected)


def _open(output: str) -> bool:
    """Whether a fence or more brackets were opened than closed."""
    return output.count("```") % 2 == 1 or any(output.count(a) > output.count(b) for a, b in _PAIRS)
