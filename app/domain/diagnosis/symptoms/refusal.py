"""The model declines where an answer was expected.

**How it is decided.** The output says that it cannot, may not or will not answer, in English or Chinese, near
its beginning, and no accepted answer does. An apology that is followed by an answer is none.

**What to do.** Look for refusals among the training rows (they are learnt fast) and at the system prompt of
the request; add rows that answer this kind of prompt.
"""

from __future__ import annotations

import re

from app.domain.diagnosis.symptoms.profile import OutputProfile
from app.domain.diagnosis.symptoms.quoting import quoted
from app.domain.evidence import SymptomFinding
from app.domain.language import phrases
from app.domain.records import BadCase, Symptom

_LOOKED_AT = 300


def _one_of(table: str) -> str:
    return phrases.one_of("refusals", table)


_REFUSAL = re.compile(
    r"\b(?:i|we)(?:\s+am|['’]m|\s+are|['’]re)?\s+(?:(?:really|very|so|just|truly)\s+)?"
    r"(?:can(?:['’]t|not|\s+not)|(?:not\s+able|unable)\s+to|won['’]t\s+be\s+able|will\s+not|won['’]t|must\s+decline|"
    r"have\s+to\s+decline|decline\s+to|refuse\s+to|do(?:n['’]t|\s+not)\s+feel\s+comfortable|"
    r"not\s+(?:allowed|permitted|comfortable|in\s+a\s+position))\b[^.!?\n]{0,80}"
    r"|^\W*(?:(?:i['’]m\s+)?sorry|unfortunately)?\W*(?:but\s+)?i\s+do(?:n['’]t|\s+not)\s+(?:have|know)\b[^.!?\n]{0,80}"
    rf"|\bas\s+an?\s+(?:{_one_of('model')})\b[^.!?\n]{{0,80}}"
    r"|\b(?:against|violates?)\s+(?:my|our)\s+(?:guidelines|policy|policies|programming)\b"
    rf"|(?:{_one_of('speaker')})[^。！？\n]{{0,8}}(?:{_one_of('unable')})[^。！？\n]{{0,6}}(?:{_one_of('task')})[^。！？\n]{{0,20}}"
    rf"|(?:{_one_of('apology')})[，,\s]*(?:我)?(?:{_one_of('ignorance')})"
    rf"|作为(?:一个|一名|一款)?(?:{_one_of('model')})[^。！？\n]{{0,30}}"
    r"|超出了?我的(?:能力|知识|权限)范围?",
    re.IGNORECASE,
)
_APOLOGY = re.compile(
    r"^\W*(?:(?:i['’]?m|i\s+am)?\s*(?:very |so |really )?(?:sorry|afraid)\b"
    rf"|(?:非常|很|十分)?(?:{_one_of('apology')}))"
    r"[\s.!,，。！～~]*$",
    re.IGNORECASE,
)


def detect(case: BadCase, trained: OutputProfile) -> SymptomFinding | None:  # noqa: ARG001
    said = declined(case.model_output)
    if said is None or any(declined(right) is not None for right in case.acceptable_outputs):
        return None
    return SymptomFinding(symptom=Symptom.REFUSAL, detail=f"the output declines: {quoted(said, 90)}")


def declined(output: str) -> str | None:
    """The words that decline, near the beginning; an output that only says sorry declines too."""
    head = output[:_LOOKED_AT]
    found = _REFUSAL.search(head) or _APOLOGY.search(head.strip())
    return found.group().strip() if found else None
