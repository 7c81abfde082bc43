"""Say what the model should have answered.

**How it is decided.** The verdict is undetermined and the case has no expected output.

**What to do.** Give the right answer and diagnose again: whether near rows agree with it or contradict it is
what tells hard from conflict.
"""

from app.domain.diagnosis.remedies.verdict import Cost, Verdict
from app.domain.records import RootCause

COST = Cost.LOW
REASON = "without the right answer, conflict and hard look alike"


def applies(verdict: Verdict) -> bool:
    return verdict.cause is RootCause.UNDETERMINED and not verdict.already_right and not verdict.has_expected
