"""Put solved examples of the kind into the prompt until the model is retrained.

**How it is decided.** The root cause is ood.

**What to do.** Two to five solved examples in front of the question, the nearest ones first. It costs tokens
with every request and helps at once; drop them when the new adapter is verified.
"""

from app.domain.diagnosis.remedies.verdict import Cost, Verdict
from app.domain.records import RootCause

COST = Cost.LOW
REASON = "until retrained, put solved examples into the prompt"


def applies(verdict: Verdict) -> bool:
    return verdict.cause is RootCause.OOD
