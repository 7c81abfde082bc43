"""The model says nothing where an answer was expected.

**How it is decided.** The output is empty, or spaces, invisible characters, tokens that end a turn and a block of
reasoning alone, and the expected output is not. Reasoning that breaks off is *truncation*.

**What to do.** See that the end-of-turn token is not the first thing that the model learnt to say (training rows
with empty answers, a prompt that was masked by one token too few), that no stop text matches at once, and that the
reasoning leaves tokens for the answer.
"""

from __future__ import annotations

import unicodedata

from app.domain.diagnosis.symptoms.profile import OutputProfile
from app.domain.diagnosis.symptoms.quoting import quoted
from app.domain.diagnosis.symptoms.run_on import TURN_TOKEN
from app.domain.evidence import SymptomFinding
from app.domain.records import BadCase, Symptom


def detect(case: BadCase, trained: OutputProfile) -> SymptomFinding | None:  # noqa: ARG001
    answer = case.model_answer
    if answer.tool_calls or not answer.reasoning_closed or not says_nothing(TURN_TOKEN.sub("", answer.text)):
        return None
    if all(says_nothing(right) for right in case.acceptable_outputs):
        return None
    return SymptomFinding(
        symptom=Symptom.EMPTY,
        detail=f"nothing stands behind the reasoning {quoted(answer.reasoning)}"
        if answer.reasoning
        else "the output is empty",
    )


def says_nothing(output: str) -> bool:
    """Whether a text holds spaces, control and format characters only."""
    if len(output) > 1000 and output[:1000].strip():
        return False
    return not output.strip() or all(c.isspace() or unicodedata.category(c) in ("Cf", "Cc") for c in output)
