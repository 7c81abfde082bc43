"""Let the model write more tokens.

**How it is decided.** The symptom truncation was seen, and the request is not known to differ from training.

**What to do.** Raise max_tokens above the longest training answers and see that no stop text occurs inside
answers; reasoning counts, too. If the output ends early by itself, look for training rows that were cut at the
length limit.
"""

from app.domain.diagnosis.remedies.verdict import Cost, Verdict
from app.domain.records import RootCause, Symptom

COST = Cost.LOW
REASON = "the output stops before it is done"


def applies(verdict: Verdict) -> bool:
    return Symptom.TRUNCATION in verdict.symptoms and verdict.cause is not RootCause.SERVING_MISMATCH
