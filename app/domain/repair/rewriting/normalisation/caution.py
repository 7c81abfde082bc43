"""Whether a rewriting may be approved without a person.

It may where no reader of the row could miss what is gone: it stands around a text of prose, and nothing in the
row speaks of characters. A row that teaches how texts are written, code, tool calls and a change inside a text ask.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from app.domain.language import phrases
from app.domain.language.code import is_code
from app.domain.records import Message, TrainingExample
from app.domain.repair.rewriting.normalisation.cleaned import Normalisation
from app.domain.repair.rewriting.normalisation.special_tokens import TOKENS

_LINE_END = re.compile("\r\n|[\r\u0085\u2028\u2029]")
_BLANKS = re.compile("[ \t\u3000]+")
_LINE_BLANKS = re.compile(" ?\n ?")
# Templates of the Llama 2 kind write the spaces beside their tokens themselves.
_SPACED_TOKENS = re.compile(r"</?s>|\[/?INST\]|<</?SYS>>")
_ENDED = re.compile(r"[.!?。！？…:：)）\]】」』\"”'’`*]\s*\Z")


def why_asked(before: TrainingExample, after: TrainingExample, whole: Normalisation) -> str | None:
    """The reason why a person has to confirm that ``before`` becomes ``after``; None = it is safe.

    ``whole``: the row clean by every rule; all three have the same turns.
    """
    about = phrases.pattern("characters")
    spoken = next((found for text in _texts(before) if (found := about.search(text))), None)
    if spoken is not None:
        return f"the row speaks of how texts are written ('{spoken.group()}')"
    for turn, other, clean in _changed(before, after, whole):
        if (
            turn.answer.tool_calls != other.answer.tool_calls
            or turn.answer.reasoning != other.answer.reasoning
        ):
            return "a tool call or reasoning changes"
        if _is_code(turn, clean):
            return "the text is code"
        if not stands_around(turn.content, other.content):
            return "the change stands inside the text"
    return None


def lays_out_code(before: TrainingExample, after: TrainingExample, whole: Normalisation) -> bool:
    """Whether only the layout of code changes, which is not proposed at all: it is what the code means."""
    changed = list(_changed(before, after, whole))
    return bool(changed) and all(
        _is_code(turn, clean) and turn.content.split() == other.content.split()
        for turn, other, clean in changed
    )


def stands_around(before: str, after: str) -> bool:
    """Whether ``after`` is ``before`` without what stands around it: to a reader, its edges alone differ.

    Line ends, runs of blanks and composed accents count as equal. What a sentence leads up to ('… ends with <|eot|>')
    is part of it, no edge.
    """
    whole, left = _as_read(before), _as_read(after)
    at = whole.find(left)
    if at < 0 or not left:
        return False
    front, back = _SPACED_TOKENS.sub("", whole[:at]), _SPACED_TOKENS.sub("", whole[at + len(left) :])
    leads_up = bool(back.strip()) and back[0] == " " and not _ENDED.search(left)
    goes_on = bool(front.strip()) and front[-1] == " "
    return not leads_up and not goes_on


def _as_read(text: str) -> str:
    folded = unicodedata.normalize("NFC", _BLANKS.sub(" ", _LINE_END.sub("\n", text)))
    return _LINE_BLANKS.sub("\n", folded).strip()


def _changed(
    before: TrainingExample, after: TrainingExample, whole: Normalisation
) -> Iterator[tuple[Message, Message, Message]]:
    """The turns that differ, each before, after and clean."""
    turns = zip(_turns(before), _turns(after), (*whole.messages, *whole.rejected), strict=True)
    return (each for each in turns if each[0] != each[1])


def _is_code(turn: Message, clean: Message) -> bool:
    # Blanks in front of the first line are the indentation of a piece of code. The clean text is read, as a token at
    # the edge (</s>) looks like a tag, and what nobody sees may hide a sign.
    return turn.content[:1] == "\t" or turn.content[:2] == "  " or is_code(clean.answer.text)


def _turns(example: TrainingExample) -> Sequence[Message]:
    return (*example.messages, *example.rejected)


def _texts(example: TrainingExample) -> Iterator[str]:
    # A token that was left in is no word about tokens.
    return (TOKENS.sub(" ", turn.content) for turn in _turns(example))
