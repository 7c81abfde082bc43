"""Mix general data into the training set, so that what the base model could do is not forgotten.

**How it is decided.** The symptom forgetting was seen.

**What to do.** Add 5 to 20 % of general instruction data, or of the base model's own answers to general prompts, to
the mixture; train fewer epochs at a lower rate. Keep a retention set of such prompts: the gate then sees the loss
before the users do.
"""

from app.domain.diagnosis.remedies.verdict import Cost, Verdict
from app.domain.records import Symptom

COST = Cost.MEDIUM
REASON = "a general question is answered in the style of the training set: mix general data in"


def applies(verdict: Verdict) -> bool:
    return Symptom.FORGETTING in verdict.symptoms
