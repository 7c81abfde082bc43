"""The output breaks the form that the other rows of its task keep: JSON, code fences, tags, a closing line."""

from __future__ import annotations

from app.domain.diagnosis.symptoms import format_violation
from app.domain.diagnosis.symptoms.empty import says_nothing
from app.domain.diagnosis.symptoms.shapes import unbalanced_tag
from app.domain.repair.noise import limits
from app.domain.repair.noise.finding import NoisyRow, Sign, once, weighed
from app.domain.repair.noise.reading import Reading


@once
def detect(reading: Reading) -> tuple[NoisyRow, ...]:
    signs = {}
    for row, output in enumerate(reading.outputs):
        if not reading.prose[row] or says_nothing(output):
            continue
        sign = _form_of_the_task(reading, row) or _broken_by_itself(output)
        if sign is not None:
            signs[row] = sign
    return weighed(reading, "broken_markup", signs)


def _form_of_the_task(reading: Reading, row: int) -> Sign | None:
    if reading.shape(row) is None:
        return None
    found = format_violation.detect(reading.case(row), reading.profile)
    if found is None:
        return None
    return Sign(certainty=limits.HINT if reading.mixed(row) else limits.PLAIN_SIGN, reason=found.detail)


def _broken_by_itself(output: str) -> Sign | None:
    """Without a habit of the task, only a text that closes some of its tags and not others is broken."""
    tag = unbalanced_tag(output) if "</" in output else None
    return (
        None
        if tag is None
        else Sign(certainty=limits.FAINT_SIGN, reason=f"the tag {tag} has no partner in the output")
    )
