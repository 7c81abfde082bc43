"""Let the server enforce the shape of the output.

**How it is decided.** The symptom format_violation was seen.

**What to do.** Constrain decoding by a JSON schema, a grammar or the list of labels. Where training rows of the
task differ in shape, normalise them: then the model keeps to it by itself.
"""

from app.domain.diagnosis.remedies.verdict import Cost, Verdict
from app.domain.records import Symptom

COST = Cost.LOW
REASON = "the shape is wrong: constrained decoding enforces it at once"


def applies(verdict: Verdict) -> bool:
    return Symptom.FORMAT_VIOLATION in verdict.symptoms
