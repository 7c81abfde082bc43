"""The output breaks the form that the other rows of its task keep: JSON, code fences, tags, a closing line."""

from __future__ import annotations

import json
import re

from app.domain.diagnosis.symptoms import format_violation
from app.domain.diagnosis.symptoms.empty import says_nothing
from app.domain.diagnosis.symptoms.quoting import quoted
from app.domain.diagnosis.symptoms.shapes import unbalanced_tag
from app.domain.repair.row_quality.defects.finding import FAINT_SIGN, HINT, PLAIN_SIGN, NoisyRow, Sign
from app.domain.repair.row_quality.defects.habits import once, weighed
from app.domain.repair.row_quality.defects.reading import Reading

_LONE_TAG = re.compile(r"`?</?[A-Za-z][\w:-]*>`?")
_JSON = re.compile(r"\s*(?:\{\s*\"|\[\s*\{\s*\").*[}\]]\s*\Z", re.DOTALL)


@once
def detect(reading: Reading) -> tuple[NoisyRow, ...]:
    signs = {}
    for row, output in enumerate(reading.outputs):
        # A tag by itself is what was asked for.
        if not reading.prose[row] or says_nothing(output) or _LONE_TAG.fullmatch(output.strip()):
            continue
        found = [s for s in (_form_of_the_task(reading, row), _broken_by_itself(output)) if s is not None]
        if found:
            signs[row] = max(found, key=lambda sign: sign.certainty)
    return weighed(reading, "broken_markup", signs)


def _form_of_the_task(reading: Reading, row: int) -> Sign | None:
    if reading.shape(row) is None:
        return None
    found = format_violation.detect(reading.case(row), reading.profile)
    if found is None:
        return None
    return Sign(certainty=HINT if reading.mixed(row) else PLAIN_SIGN, reason=found.detail)


def _broken_by_itself(output: str) -> Sign | None:
    """Without a habit of the task, only a text that closes some of its tags and not others is broken, and one that
    begins and ends as JSON does and is none."""
    tag = unbalanced_tag(output) if "</" in output else None
    if tag is not None:
        return Sign(certainty=FAINT_SIGN, reason=f"the tag {tag} has no partner in the output")
    if _JSON.match(output) and not _is_json(output) and not all(map(_is_json, output.split("\n"))):
        return Sign(
            certainty=FAINT_SIGN, reason=f"the output is no JSON, though it looks so: {quoted(output)}"
        )
    return None


def _is_json(said: str) -> bool:
    try:
        json.loads(said)
    except (ValueError, RecursionError):
        return not said.strip()
    return True
