"""See that the model learnt where to stop, and that the server stops there.

**How it is decided.** The symptom run_on, repetition or empty was seen.

**What to do.** Every training row must end with the end-of-turn token, not masked out of the loss, and the
server must stop at that token and at nothing that an answer begins with. Remove near-duplicate rows; a repetition
penalty only hides the loop.
"""

from app.domain.diagnosis.remedies.verdict import Cost, Verdict
from app.domain.records import Symptom

COST = Cost.LOW
REASON = "the output does not end where the answer does: see that every training row ends with the stop token"


def applies(verdict: Verdict) -> bool:
    return not verdict.symptoms.isdisjoint((Symptom.RUN_ON, Symptom.REPETITION, Symptom.EMPTY))
