"""Train easy rows before hard ones, and give this kind more weight.

**How it is decided.** The root cause is hard.

**What to do.** Order the mixture by difficulty and upsample rows that are like the case: above all those that
ask the same and were not learnt. See that the share of other rows stays large enough for the retention set.
"""

from app.domain.diagnosis.remedies.verdict import Cost, Verdict
from app.domain.records import RootCause

COST = Cost.MEDIUM
REASON = "train easy before hard and weight this kind more"


def applies(verdict: Verdict) -> bool:
    return verdict.cause is RootCause.HARD
