"""Say which language to answer in, in training as in serving.

**How it is decided.** The symptom wrong_language was seen.

**What to do.** Name the language in the system prompt of the request and of the training rows, and see that
prompts in the language of the case have answers in the right one among the rows.
"""

from app.domain.diagnosis.remedies.verdict import Cost, Verdict
from app.domain.records import Symptom

COST = Cost.LOW
REASON = "the language is wrong: name it in the system prompt, as the training rows do"


def applies(verdict: Verdict) -> bool:
    return Symptom.WRONG_LANGUAGE in verdict.symptoms
