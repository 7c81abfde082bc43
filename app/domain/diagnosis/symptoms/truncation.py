"""The output stops before it is done.

**How it is decided.** It ends inside its reasoning; or the server said so (finish reason 'length'); or the output
is the beginning of the expected one; or a fence, bracket or quotation is open at its end and not in the expected
output; or it ends in a comma or a word that must go on.

**What to do.** Raise ``max_tokens``; see that no stop text occurs inside answers and that training did not cut
long rows (``max_length``), which teaches to stop early.
"""

from __future__ import annotations

import re

from app.domain.answers.labels import CLOSED_ANSWER_MAX_TOKENS
from app.domain.diagnosis.symptoms.profile import OutputProfile
from app.domain.diagnosis.symptoms.quoting import quoted
from app.domain.evidence import SymptomFinding
from app.domain.language import phrases, text
from app.domain.records import BadCase, Symptom

_PAIRS = {"{": "}", "[": "]", "(": ")", "（": "）", "【": "】", "「": "」", "《": "》", "“": "”"}
_OPENING = {closing: opening for opening, closing in _PAIRS.items()}
_ROUND = frozenset("[(")  # [0, 1) is an interval
_BRACKET = re.compile("[" + re.escape("".join((*_PAIRS, *_OPENING))) + "]")
_EMOTICON = re.compile(r"[:;=]-?[()\[\]{}]|[()\[\]{}]-?[:;=]")
_GOES_ON = re.compile(
    rf"(?:[,，、;；]|\b(?:{phrases.one_of('stop_words', 'goes_on', 'en')})"
    rf"|{phrases.one_of('stop_words', 'goes_on', 'zh')})$",
    re.IGNORECASE,
)


def detect(case: BadCase, trained: OutputProfile) -> SymptomFinding | None:
    detail = _in_reasoning(case) or _cut_by_server(case) or _beginning(case, trained) or _open_end(case)
    return SymptomFinding(symptom=Symptom.TRUNCATION, detail=detail) if detail else None


def _in_reasoning(case: BadCase) -> str | None:
    answer = case.model_answer
    if answer.reasoning_closed:
        return None
    return f"it ends inside its reasoning, after {_end_of(answer.reasoning or '')}"


def _cut_by_server(case: BadCase) -> str | None:
    request = case.request
    if request is None or request.finish_reason != "length":
        return None
    limit = f" of {request.max_tokens} tokens" if request.max_tokens else ""
    return f"the server cut it off at the limit{limit}, after {_end_of(case.said)}"


def _beginning(case: BadCase, trained: OutputProfile) -> str | None:
    expected = case.wanted
    if len(case.said) > 2 * len(expected):
        return None
    said, whole = text.normalised(case.said), text.normalised(expected)
    if not said or not whole.startswith(said) or len(said) >= len(whole):
        return None
    # 'refund' is another label than 'refund status', and '2' another number than '25'.
    if trained.whole.is_label(whole) and trained.whole.is_label(said):
        return None
    if said[-1].isdigit() and whole[len(said)].isdigit():
        return None
    return f"it is the beginning of the expected output, which goes on with {quoted(whole[len(said) :], 40)}"


def _open_end(case: BadCase) -> str | None:
    said, expected = case.said.rstrip(), case.wanted.rstrip()
    if said.count("```") % 2 and expected.count("```") % 2 == 0:
        return f"a code fence is open at the end, after {_end_of(said)}"
    bracket = open_bracket(said)
    if bracket is not None and open_bracket(expected) is None:
        return f"{said[bracket]!r} is open at the end: {quoted(said[bracket:], 50)}"
    going_on = _GOES_ON.search(said[-20:])
    long = len(text.tokens(said[-500:])) > CLOSED_ANSWER_MAX_TOKENS
    if going_on and long and not _GOES_ON.search(expected[-20:]):
        return f"it ends in the middle of a sentence: {_end_of(said)}"
    return None


def _end_of(said: str) -> str:
    tail = said.rstrip()[-40:]
    return quoted(tail if len(tail) < 40 else f"…{tail}")


def open_bracket(said: str) -> int | None:
    """Where the innermost bracket stands that is open at the end; None = all are closed.

    A closing bracket without an opening one ('1) first') says nothing.
    """
    marks = {i for found in _EMOTICON.finditer(said) for i in range(*found.span())}
    open_: list[int] = []
    for found in _BRACKET.finditer(said):
        at, sign = found.start(), found.group()
        if sign in _PAIRS:
            # ': (' of an emoticon is none, but '{"a":[' is JSON.
            if at not in marks or sign == "{" or said[:1] in "{[":
                open_.append(at)
        elif open_ and _closes(sign, said[open_[-1]]):
            open_.pop()
        elif any(_closes(sign, said[i]) for i in open_):
            while not _closes(sign, said[open_.pop()]):
                pass
    return open_[-1] if open_ else None


def _closes(closing: str, opening: str) -> bool:
    return _OPENING[closing] == opening or (_OPENING[closing] in _ROUND and opening in _ROUND)
