"""Refusal: the model declines where an answer was expected."""

import re

from app.domain.diagnosis.symptoms.profile import OutputProfile
from app.domain.records import BadCase

_REFUSAL = re.compile(
    r"^\W*(?:(?:i'?m |i am )?(?:very |so |really )?(?:sorry|afraid)\b"
    r"|i (?:can(?:'|’)?t|cannot|am (?:not able|unable)"
    r"|won(?:'|’)t|must decline)|unfortunately,? i|as an ai\b|i do(?:n(?:'|’)t| not) (?:have|know))"
    r"|^\W*(?:非常|很)?(?:抱歉|对不起|对不住)"
    r"|^\W*(?:我|本助手)?(?:无法|不能|没办法|没有办法)(?:回答|提供|协助|帮助|完成|满足)"
    r"|作为(?:一个|一名)?(?:人工智能|AI|语言模型)",
    re.IGNORECASE,
)


def detect(case: BadCase, trained: OutputProfile) -> bool:  # noqa: ARG001
    return bool(_REFUSAL.search(case.model_output[:300])) and not any(
        _REFUSAL.search(right[:300]) for right in case.acceptable_outputs
    )
