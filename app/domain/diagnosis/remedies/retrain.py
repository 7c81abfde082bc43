"""Train a new adapter on the cleaned rows.

**How it is decided.** The root cause is conflict: what contradicts itself in the data is in the weights too.

**What to do.** After the contradiction is cleaned, never before: training on contradicting rows learns the
contradiction better. Mix the changed rows with replay and verify on held-back cases and the retention set.
"""

from app.domain.diagnosis.remedies.verdict import Cost, Verdict
from app.domain.records import RootCause

COST = Cost.HIGH
REASON = "only after cleaning: the contradiction is in the weights"


def applies(verdict: Verdict) -> bool:
    return verdict.cause is RootCause.CONFLICT
