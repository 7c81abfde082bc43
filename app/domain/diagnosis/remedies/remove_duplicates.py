"""Thin out rows that the model has learnt by heart.

**How it is decided.** The symptom copied_training_output was seen; it names the row.

**What to do.** Drop the near-duplicates of the named row, add rows between it and the case, and train fewer
epochs. Where the named row is a contradicting neighbour of the case, cleaning the conflict comes first.
"""

from app.domain.diagnosis.remedies.verdict import Cost, Verdict
from app.domain.records import Symptom

COST = Cost.MEDIUM
REASON = "the model recites a training row: thin out its copies, train fewer epochs"


def applies(verdict: Verdict) -> bool:
    return Symptom.COPIED_TRAINING_OUTPUT in verdict.symptoms
