"""Relabel or drop the training rows that contradict the expected output.

**How it is decided.** The root cause is conflict.

**What to do.** The finding shows the contradicting rows beside those that agree. Decide which side is right
(the expected output is only as right as who wrote it), let a repair propose the relabels and drops, and look
at whole groups: where two labels mean one thing, unify them everywhere, not only near the case.
"""

from app.domain.diagnosis.remedies.verdict import Cost, Verdict
from app.domain.records import RootCause

COST = Cost.MEDIUM
REASON = "near training rows contradict the expected output: relabel or drop"


def applies(verdict: Verdict) -> bool:
    return verdict.cause is RootCause.CONFLICT
