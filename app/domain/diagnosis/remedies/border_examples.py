"""Add training rows on both sides of the border between answers that are taken for each other.

**How it is decided.** The root cause is hard, and the answer is a label: there are no steps to teach.

**What to do.** Take the answers of the nearest rows; the finding names the two nearest where they lie close.
Write or collect prompts of each that look like the other's, a dozen or two a side, with one sentence of
guidance for labellers on what tells them apart. If people cannot tell them apart, the labels need merging.
"""

from app.domain.diagnosis.remedies.verdict import Cost, Verdict
from app.domain.records import RootCause

COST = Cost.MEDIUM
REASON = "covered and consistent, yet taken for another label: show both sides of the border"


def applies(verdict: Verdict) -> bool:
    return verdict.cause is RootCause.HARD and (verdict.labelled or verdict.answer_is_label)
