"""How a prompt is built, apart from what it is about: question word, request, choice, equation, code.

A few dozen names in all, so that a training set has rows for those it knows. English and Chinese; a prompt in
another language is told by its punctuation alone.
"""

from __future__ import annotations

import re
from typing import Final

_OPTIONS: Final = re.compile(r"^\s*[-*(（]?\s*[a-j][)）.．、:：]", re.MULTILINE | re.IGNORECASE)
_CODE: Final = re.compile(
    r"```|^\s*(?:def|class|import|from|function|const|let|var|public|select|#include)\b.*[(;:{]|=>|\);\s*$|</\w+>",
    re.MULTILINE | re.IGNORECASE,
)
_CODE_SIGNS: Final = ("`", ";", "{", "=>", "</")
_EQUATION: Final = re.compile(r"\$[^$\n]+\$|\\(?:frac|sqrt|times|text)\b|[\d)a-z]\s*=\s*[\d(a-z?？]")
_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*|[零一二两三四五六七八九十百千万]+(?=[个只本元米千公里天年小])")
_FIRST_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_QUESTION_WORDS: Final = frozenset(
    [
        "what",
        "how",
        "why",
        "when",
        "where",
        "who",
        "whose",
        "whom",
        "which",
        "what's",
        "how's",
        "where's",
        "who's",
    ]
)
_AUXILIARIES: Final = frozenset(
    "is are was were do does did can could will would shall should may might must have has had am "  # noqa: SIM905
    "isn't aren't don't doesn't didn't can't won't".split()
)
_SUBJECTS: Final = frozenset(
    "i i'm i've i'd we we're you he she they it it's my our the a an this that these those there".split()  # noqa: SIM905
)
_POLITE: Final = frozenset(
    ("please", "kindly", "hi", "hello", "hey", "ok", "so", "and", "but", "well", "now")
)
# The longer ones first: 为什么 holds 什么.
_CHINESE_QUESTIONS: Final = (
    ("why", ("为什么", "为何", "怎么会")),
    ("how", ("怎么", "怎样", "如何", "咋")),
    ("how many", ("多少", "几个", "几分之几", "几", "多大", "多长", "多久")),
    ("where", ("哪里", "哪儿", "何处")),
    ("which", ("哪个", "哪些", "哪一", "下列", "以下")),
    ("who", ("谁",)),
    ("when", ("什么时候", "何时")),
    ("what", ("什么", "啥", "是指", "?", "？")),
    ("yes or no", ("吗", "是否", "是不是", "能不能", "可不可以", "有没有")),
)
_CHINESE_REQUESTS: Final = ("请", "帮", "给我", "把", "我要", "我想", "麻烦", "来", "播放", "打开", "查")


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
    start = next((w for w in words if w not in _POLITE), "")
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
    for name, signs in _CHINESE_QUESTIONS:
        if any(sign in head for sign in signs):
            return f"question: {name}"
    return "request" if head.startswith(_CHINESE_REQUESTS) else "statement"
