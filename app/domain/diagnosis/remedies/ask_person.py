"""Let a person decide by the evidence.

**How it is decided.** The verdict is undetermined although the case has an expected output: no cause is
probable enough, or the model output looks like the expected one (a part of it moved, a word that says nothing) and it
is not certain that both say the same (`evidence.hard.looks_alike`).

**What to do.** Look at the neighbours, say what the cause is (an override), and the next diagnosis learns from
it.
"""

from app.domain.diagnosis.remedies.verdict import Cost, Verdict
from app.domain.records import RootCause

COST = Cost.LOW
REASON = "the evidence does not decide; look at the neighbours"


def applies(verdict: Verdict) -> bool:
    return verdict.cause is RootCause.UNDETERMINED and not verdict.already_right and verdict.has_expected
