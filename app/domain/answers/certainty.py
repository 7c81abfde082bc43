"""Whether two answers are certainly the same, and by what. What merely looks alike is not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.domain.answers import canonical, choices
from app.domain.answers.answer import Answer, read_text
from app.domain.language import phrases, quantities, text


class Certainty(StrEnum):
    """By what two answers are the same."""

    TEXT = "text"
    """Equal but for letter case, spaces, quotes and full width, and a stop at the end."""

    QUANTITY = "quantity"
    """The same numbers, amounts, dates or times in another notation, and otherwise equal."""

    JSON = "json"
    """The same JSON value."""

    TOOL_CALL = "tool_call"
    """The same calls with the same arguments."""

    FINAL_ANSWER = "final_answer"
    """Both name the same final answer, or one does and the other is it."""

    ALTERNATIVE = "alternative"
    """The same, in one of these ways, as a listed alternative."""


SAYS = {
    Certainty.TEXT: "equal but for letter case, spaces, quotes or full width",
    Certainty.QUANTITY: "the same numbers, amounts or dates in another notation",
    Certainty.JSON: "the same JSON value",
    Certainty.TOOL_CALL: "the same tool calls with the same arguments",
    Certainty.FINAL_ANSWER: "the same final answer",
    Certainty.ALTERNATIVE: "a listed alternative",
}


def certainly_equal(
    said: str | Answer, wanted: str | Answer, alternatives: Sequence[str] = (), *, prompt: str = ""
) -> Certainty | None:
    """By what ``said`` is certainly ``wanted`` or a listed alternative; None where it is not certain.

    ``prompt``: a question about a way of writing (in capitals, in words, in minutes) is answered by the way of
    writing as well.
    """
    given = _read(said)
    how = _equal(given, _read(wanted), prompt)
    if how is None and any(_equal(given, _read(other), prompt) for other in alternatives):
        return Certainty.ALTERNATIVE
    return how


def _read(answer: str | Answer) -> Answer:
    return read_text(answer) if isinstance(answer, str) else answer


def _equal(said: Answer, wanted: Answer, prompt: str) -> Certainty | None:
    if said.is_empty or wanted.is_empty:
        return None
    if said.tool_calls or wanted.tool_calls:
        return Certainty.TOOL_CALL if _same_calls(said, wanted) else None
    return _equal_texts(said.text, wanted.text, prompt)


def _same_calls(said: Answer, wanted: Answer) -> bool:
    calls = [
        [(call.name, call.well_formed, _arguments(call.as_text())) for call in answer.tool_calls]
        for answer in (said, wanted)
    ]
    return calls[0] == calls[1] and canonical.prose(said.text) == canonical.prose(wanted.text)


def _arguments(call: str) -> str:
    return canonical.as_json(call) or call


def _equal_texts(said: str, wanted: str, prompt: str) -> Certainty | None:
    if canonical.code(said) == canonical.code(wanted):
        return Certainty.TEXT
    asked_for = _writing_asked_for(prompt)
    if asked_for.writing:
        same = said.strip() == wanted.strip() and not canonical.looks_like_code(said)
        return Certainty.TEXT if same else None
    values = [
        canonical.as_json(t.strip()) if t.strip()[:1] in ("{", "[", "`") else None for t in (said, wanted)
    ]
    if all(values):
        return Certainty.JSON if values[0] == values[1] else None
    finals = final_answer(said), final_answer(wanted)
    if any(finals) and _same_final(finals, (said, wanted), prompt):
        return Certainty.FINAL_ANSWER
    if canonical.looks_like_code(said) or canonical.looks_like_code(wanted):
        return None
    if _plain(said) == _plain(wanted):
        option = choices.chosen(prompt, said)
        same = _same_case(said, wanted) or (option and option == choices.chosen(prompt, wanted))
        return Certainty.TEXT if same else None
    if asked_for.number:
        return None
    if canonical.prose(said) != canonical.prose(wanted):
        return None
    return None if _echoes(said, wanted, prompt) else Certainty.QUANTITY


def _same_final(finals: tuple[str, str], texts: tuple[str, str], prompt: str) -> bool:
    """Two final answers, or one that is marked as such and a text that is no more than it."""
    if all(finals):
        return _equal_texts(*finals, prompt) is not None
    named, worked, other = (finals[0], *texts) if finals[0] else (finals[1], *reversed(texts))
    if named == _last_line(worked) or len(text.tokens(other)) > _SHORT:
        return False
    return _equal_texts(named, other, prompt) is not None


def _last_line(of: str) -> str:
    return of.strip().splitlines()[-1].strip()


_SHORT = 12


def _same_case(said: str, wanted: str) -> bool:
    """Whether letter case says nothing: it begins a sentence or a name of a class, or shouts. In an answer of one
    short word, a flag, an abbreviation or a name of a file it may be all that is wrong (-d and -D, US and us)."""
    if ("__" in said) != ("__" in wanted):
        return False  # a name in Python, and no emphasis
    a, b = canonical.bare(said).split(), canonical.bare(wanted).split()
    if len(a) > 1 or len(b) > 1 or a == b:
        return True
    alone = a[0] if a else ""
    return alone.isalpha() and (len(alone) > _SHORT_WORD or alone.casefold() in _SHORT_WORDS)


_SHORT_WORD = 2
_SHORT_WORDS = frozenset(("yes", "no", "ok", "on", "off"))


def _plain(of: str) -> str:
    return canonical.folded(canonical.bare(of))


@dataclass(frozen=True, slots=True, kw_only=True)
class _AskedFor:
    """Which ways of writing a prompt asks for."""

    writing: bool
    number: bool


def _writing_asked_for(prompt: str) -> _AskedFor:
    if not prompt:
        return _AskedFor(writing=False, number=False)
    clipped = text.clip(prompt)
    return _AskedFor(
        writing=phrases.pattern("notation", "writing").search(clipped) is not None
        or phrases.pattern("characters").search(clipped) is not None,
        number=phrases.pattern("notation", "number").search(clipped) is not None,
    )


def _echoes(said: str, wanted: str, prompt: str) -> bool:
    """Whether another unit was asked for: the prompt holds the amount itself, in the one notation or the other."""
    if sorted(text.numbers(said)) == sorted(text.numbers(wanted)):
        return False
    asked = quantities.found(prompt)
    return any(amount in asked for amount in quantities.found(said))


_MARKED = re.compile(
    rf"^\W*(?:(?:{phrases.one_of('answer_marks')})\s*(?:is|是|为)?\s*[:：]|####|"
    r"(?:so |therefore,? )?the (?:final )?answer is\b:?|答案[是为])\s*(?P<said>.+)$",
    re.IGNORECASE,
)
_BARE_FINAL = re.compile(r"\W*(?:[-+]?[\d][\d,./%\s]*|[A-J])\W*")


def final_answer(output: str) -> str:
    """What the last of several lines names as the answer, as it stands there; '' where it names none.

    Named by a mark ("Final answer: 42", "#### 42", "答案：7"), or by being nothing but a number or a letter.
    """
    lines = [line for line in output.strip().splitlines() if line.strip()]
    if len(lines) < 2:
        return ""
    last = lines[-1].strip()
    marked = _MARKED.match(last)
    if marked:
        return marked["said"].strip()
    return last if _BARE_FINAL.fullmatch(last) else ""
