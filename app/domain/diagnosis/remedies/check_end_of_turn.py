"""See that the model learnt to stop, and that the server stops there.

**How it is decided.** The symptom repetition was seen.

**What to do.** Every training row must end with the end-of-turn token, not masked out of the loss, and the
server must stop at that token. Remove near-duplicate rows; a repetition penalty only hides the loop.
"""

from app.domain.diagnosis.remedies.verdict import Cost, Verdict
from app.domain.records import Symptom

COST = Cost.LOW
REASON = "the output loops: see that every training row ends with the stop token"


def applies(verdict: Verdict) -> bool:
    return Symptom.REPETITION in verdict.symptoms
