"""Build the request as the training rows are, and ask again.

**How it is decided.** The root cause is serving_mismatch.

**What to do.** The finding lists each difference with what was sent and what the training rows have: system
prompt, chat template, instruction, special tokens, stop texts, token limit, sampling. Change the request, not
the data, and send the case again; if it still fails, diagnose it anew with the mended request.
"""

from app.domain.diagnosis.remedies.verdict import Cost, Verdict
from app.domain.records import RootCause

COST = Cost.LOW
REASON = "the request was not built as the training rows are; no data is wrong"


def applies(verdict: Verdict) -> bool:
    return verdict.cause is RootCause.SERVING_MISMATCH
