"""Add training rows for the kind of prompt that nothing covers.

**How it is decided.** The root cause is ood.

**What to do.** Take real prompts of the kind with right answers, several dozen for a kind, in the wordings and
lengths that users send; the finding names the terms and patterns that are missing and the nearest rows there
are. Where there are few, augment them, and mix the new rows with replay so that nothing is forgotten.
"""

from app.domain.diagnosis.remedies.verdict import Cost, Verdict
from app.domain.records import RootCause

COST = Cost.MEDIUM
_NEAR = 0.9
"""Cosine from which a reader asks why the nearest row does not cover the prompt. A definition."""


def REASON(verdict: Verdict) -> str:
    if verdict.nearest is None:
        return "there is no training row that could cover this prompt"
    if verdict.nearest >= _NEAR:
        return (
            f"the nearest row (similarity {verdict.nearest:.2f}) asks something else: add rows that ask this"
        )
    return (
        f"no training row covers this kind of prompt: the nearest has a similarity of {verdict.nearest:.2f}"
    )


def applies(verdict: Verdict) -> bool:
    return verdict.cause is RootCause.OOD
