"""Take refusals out of what the model learns and is told.

**How it is decided.** The symptom refusal was seen.

**What to do.** Search the training answers for refusals: a few hundred of them teach a habit. Read the system
prompt of the request for rules that forbid this prompt, and add rows that answer prompts like it.
"""

from app.domain.diagnosis.remedies.verdict import Cost, Verdict
from app.domain.records import Symptom

COST = Cost.LOW
REASON = "the model declines: look for refusals in training rows and system prompt"


def applies(verdict: Verdict) -> bool:
    return Symptom.REFUSAL in verdict.symptoms
