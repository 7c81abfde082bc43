"""Teach the steps that lead to the answer, not only the answer.

**How it is decided.** The root cause is hard, and the answer is more than a label.

**What to do.** Add worked solutions for rows that ask for as many steps as the case does; the finding says
what makes it hard. Answers that close with the final answer on a line of its own stay easy to check. Allow
more output tokens when serving.
"""

from app.domain.diagnosis.remedies.verdict import Cost, Verdict
from app.domain.records import RootCause

COST = Cost.MEDIUM
REASON = "covered and consistent, yet wrong: teach the steps, not only the answer"


def applies(verdict: Verdict) -> bool:
    return verdict.cause is RootCause.HARD and not (verdict.labelled or verdict.answer_is_label)
