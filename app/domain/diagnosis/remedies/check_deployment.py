"""See that adapter, base model, tokenizer and number format belong together.

**How it is decided.** The symptom gibberish was seen.

**What to do.** Compare the base model and its revision on the adapter card with what is served, ask once at
temperature 0, and try the adapter unmerged and unquantised. If the evaluation after training gave gibberish
too, the training diverged: lower the learning rate.
"""

from app.domain.diagnosis.remedies.verdict import Cost, Verdict
from app.domain.records import Symptom

COST = Cost.LOW
REASON = "the output is no text: see that adapter, base model and tokenizer belong together"


def applies(verdict: Verdict) -> bool:
    return Symptom.GIBBERISH in verdict.symptoms
