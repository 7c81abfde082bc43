"""Close the case: what the model said is what it should have said.

**How it is decided.** The model output certainly equals the expected output or a listed alternative: but for letter
case, spaces, quotes, full width or a stop at the end, as a JSON value, as the same tool calls, as the same numbers,
amounts or dates in another notation (5 %, five percent, 百分之五), or by the same final answer; the finding says by
which. Or it looks like it and the configured language model says that it says the same, with a quote. Nothing else
closes a case: one other word may be another answer.

**What to do.** Close it, or correct the expected output where it was the wrong one.
"""

from app.domain.diagnosis.remedies.verdict import Cost, Verdict
from app.domain.records import RootCause

COST = Cost.LOW
REASON = "the model output is the expected output"


def applies(verdict: Verdict) -> bool:
    return verdict.cause is RootCause.UNDETERMINED and verdict.already_right
