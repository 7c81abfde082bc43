"""Close the case: what the model said agrees with what it should have said.

**How it is decided.** The model output and the expected output say the same, in other words perhaps.

**What to do.** Close it, or correct the expected output where it was the wrong one.
"""

from app.domain.diagnosis.remedies.verdict import Cost, Verdict
from app.domain.records import RootCause

COST = Cost.LOW
REASON = "the model output agrees with the expected output"


def applies(verdict: Verdict) -> bool:
    return verdict.cause is RootCause.UNDETERMINED and verdict.already_right
