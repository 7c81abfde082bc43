"""Add training rows for the kind of prompt that nothing covers.

**How it is decided.** The root cause is ood.

**What to do.** Take real prompts of the kind with right answers, several dozen for a kind, in the wordings and
lengths that users send; the finding names the terms and patterns that are missing and the nearest rows there
are. Where there are few, augment them, and mix the new rows with replay so that nothing is forgotten.
"""

from app.domain.diagnosis.remedies.verdict import Cost, Verdict
from app.domain.records import RootCause

COST = Cost.MEDIUM
REASON = "no training row covers this kind of prompt"


def applies(verdict: Verdict) -> bool:
    return verdict.cause is RootCause.OOD
