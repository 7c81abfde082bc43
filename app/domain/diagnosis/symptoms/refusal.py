"""The model declines where an answer was expected.

**How it is decided.** The output says that it cannot, may not or will not answer, in English or Chinese, near
its beginning, and no accepted answer does. An apology that is followed by an answer is none.

**What to do.** Look for refusals among the training rows (they are learnt fast) and at the system prompt of
the request; add rows that answer this kind of prompt.
"""

from __future__ import annotations

import re

from app.domain.diagnosis.symptoms.finding import SymptomFinding, quoted
from app.domain.diagnosis.symptoms.profile import OutputProfile
from app.domain.records import BadCase, Symptom

_LOOKED_AT = 300
_REFUSAL = re.compile(
    r"\b(?:i|we)(?:\s+am|['’]m|\s+are|['’]re)?\s+(?:(?:really|very|so|just|truly)\s+)?"
    r"(?:can(?:['’]t|not|\s+not)|(?:not\s+able|unable)\s+to|won['’]t\s+be\s+able|will\s+not|won['’]t|must\s+decline|"
    r"have\s+to\s+decline|decline\s+to|refuse\s+to|do(?:n['’]t|\s+not)\s+feel\s+comfortable|"
    r"not\s+(?:allowed|permitted|comfortable|in\s+a\s+position))\b[^.!?\n]{0,80}"
    r"|^\W*(?:(?:i['’]m\s+)?sorry|unfortunately)?\W*(?:but\s+)?i\s+do(?:n['’]t|\s+not)\s+(?:have|know)\b[^.!?\n]{0,80}"
    r"|\bas\s+an?\s+(?:ai|artificial\s+intelligence|(?:large\s+)?language\s+model)\b[^.!?\n]{0,80}"
    r"|\b(?:against|violates?)\s+(?:my|our)\s+(?:guidelines|policy|policies|programming)\b"
    r"|(?:我|本助手|本人|系统|小助手|暂时|目前|抱歉|对不起)[^。！？\n]{0,8}"
    r"(?:无法|不能|没办法|没有办法|不便|不会|不可以|无权|拒绝)[^。！？\n]{0,6}"
    r"(?:回答|提供|协助|帮助|帮到|帮您|帮你|完成|满足|处理|讨论|回应|透露|生成|执行|查询|解答|告诉)[^。！？\n]{0,20}"
    r"|(?:抱歉|对不起|对不住)[，,\s]*(?:我)?(?:不知道|不清楚|不了解|不太清楚)"
    r"|作为(?:一个|一名|一款)?(?:人工智能|AI|语言模型|大模型)[^。！？\n]{0,30}"
    r"|超出了?我的(?:能力|知识|权限)范围?",
    re.IGNORECASE,
)
_APOLOGY = re.compile(
    r"^\W*(?:(?:i['’]?m|i\s+am)?\s*(?:very |so |really )?(?:sorry|afraid)\b|(?:非常|很|十分)?(?:抱歉|对不起|对不住))"
    r"[\s.!,，。！～~]*$",
    re.IGNORECASE,
)


def detect(case: BadCase, trained: OutputProfile) -> SymptomFinding | None:  # noqa: ARG001
    declined = _declined(case.model_output)
    if declined is None or any(_declined(right) is not None for right in case.acceptable_outputs):
        return None
    return SymptomFinding(symptom=Symptom.REFUSAL, detail=f"the output declines: {quoted(declined, 90)}")


def _declined(output: str) -> str | None:
    """The words that decline, near the beginning; an output that only says sorry declines too."""
    head = output[:_LOOKED_AT]
    found = _REFUSAL.search(head) or _APOLOGY.search(head.strip())
    return found.group().strip() if found else None
