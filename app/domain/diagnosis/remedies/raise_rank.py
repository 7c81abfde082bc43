"""Give the adapter more capacity.

**How it is decided.** The root cause is hard; last in order, because data is the cheaper remedy.

**What to do.** Double the LoRA rank (and alpha with it), or add an epoch, only after worked solutions and a
curriculum were tried. Watch the retention set: more capacity forgets more.
"""

from app.domain.diagnosis.remedies.verdict import Cost, Verdict
from app.domain.records import RootCause

COST = Cost.HIGH
REASON = "more adapter capacity if the data steps do not suffice"


def applies(verdict: Verdict) -> bool:
    return verdict.cause is RootCause.HARD
