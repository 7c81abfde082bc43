"""How a prompt is built, apart from what it is about: question word, request, choice, equation, code.

A few dozen names in all, so that a training set has rows for those it knows. English and Chinese; a prompt in
another language is told by its punctuation alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from app.domain.language import phrases

_OPTIONS: Final = re.compile(r"^\s*[-*(（]?\s*[a-j][)）.．、:：]", re.MULTILINE | re.IGNORECASE)
_CODE: Final = re.compile(
    r"```|^\s*(?:def|class|import|from|function|const|let|var|public|select|#include)\b.*[(;:{]|=>|\);\s*$|</\w+>",
    re.MULTILINE | re.IGNORECASE,
)
_CODE_SIGNS: Final = ("`", ";", "{", "=>", "</")
_EQUATION: Final = re.compile(r"\$[^$\n]+\$|\\(?:frac|sqrt|times|text)\b|[\d)a-z]\s*=\s*[\d(a-z?？]")
_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*|[零一二两三四五六七八九十百千万]+(?=[个只本元米千公里天年小])")
_FIRST_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_QUESTION_WORDS: Final = frozenset(phrases.listed("sentence_patterns", "question_words"))
_AUXILIARIES: Final = frozenset(phrases.listed("sentence_patterns", "auxiliaries"))
_SUBJECTS: Final = frozenset(phrases.listed("sentence_patterns", "subjects"))
_LEAD: Final = frozenset(phrases.listed("sentence_patterns", "lead"))
_CHINESE_QUESTIONS: Final[Mapping[str, Sequence[str]]] = phrases.document("sentence_patterns")["questions"]
_CHINESE_REQUESTS: Final = phrases.listed("sentence_patterns", "requests")


def pattern_of(prompt: str) -> str:
    """The name of a prompt's pattern, such as 'question: how', 'choice', 'request with numbers'."""
    asked = prompt.strip()
    if not asked:
        return "empty"
    if "\n" in asked and len(_OPTIONS.findall(asked)) > 1:
        kind = "choice"
    elif any(sign in asked for sign in _CODE_SIGNS) and _CODE.search(asked):
        kind = "code"
    elif any(sign in asked for sign in "=$\\") and _EQUATION.search(asked):
        kind = "equation"
    else:
        kind = _sentence(asked)
    return f"{kind} with numbers" if len(_NUMBER.findall(asked)) > 1 and kind != "code" else kind


def _sentence(asked: str) -> str:
    if not asked.isascii():
        chinese = _chinese(asked)
        if chinese:
            return chinese
    words = _FIRST_WORD.findall(asked[:200].casefold())
    start = next((w for w in words if w not in _LEAD), "")
    # A story that ends in a question asks what its last sentence asks.
    if asked.rstrip().endswith(("?", "？")) and start not in _QUESTION_WORDS | _AUXILIARIES:
        last = re.split(r"[.!?。！？]\s*", asked.rstrip("?？ ")[-400:])[-1]
        inner = [w for w in _FIRST_WORD.findall(last.casefold()) if w in _QUESTION_WORDS]
        return f"text and question: {inner[0]}" if inner else "text and question"
    if start in _QUESTION_WORDS:
        follow = words[words.index(start) + 1] if words.index(start) + 1 < len(words) else ""
        return (
            f"question: {start} {follow}"
            if start == "how" and follow in {"many", "much"}
            else f"question: {start}"
        )
    if start in _AUXILIARIES:
        return "question: yes or no"
    if not words:
        return "no words"
    if start in _SUBJECTS:
        return "statement"
    return "request" if len(words) > 2 else "phrase"


def _chinese(asked: str) -> str:
    head = asked[:400] + asked[-400:] if len(asked) > 800 else asked
    if not any("\u4e00" <= c <= "\u9fff" for c in head):
        return ""
    for name, signs in _CHINESE_QUESTIONS.items():
        if any(sign in head for sign in signs):
            return f"question: {name}"
    return "request" if head.startswith(_CHINESE_REQUESTS) else "statement"
