"""Put the documents that hold the missing facts into the prompt (RAG).

**How it is decided.** The root cause is ood and the symptom missing_knowledge was seen: the expected output
says names, figures or terms that stand in no training row.

**What to do.** Index the documents that say what the symptom names, retrieve them for prompts like this one,
and train on rows that carry such passages, so that the model learns to read them. Facts that seldom change and
are asked often can be trained in instead, with many rows that say them in different words.
"""

from app.domain.diagnosis.remedies.verdict import Cost, Verdict
from app.domain.records import RootCause, Symptom

COST = Cost.MEDIUM
REASON = (
    "the answer holds words that the training set never says: knowledge that changes belongs in retrieval, "
    "not in LoRA weights"
)


def applies(verdict: Verdict) -> bool:
    return verdict.cause is RootCause.OOD and Symptom.MISSING_KNOWLEDGE in verdict.symptoms
