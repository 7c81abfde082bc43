"""Whether two rows are certainly one row written twice, so that one of them may go without a person.

Knows two rows and reads all that they hold. Does not find them, and to guess: a text that differs in anything but
letter case, spaces, punctuation or a plain misspelling may ask, or say, another thing.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from app.domain.language import phrases, text, word_frequencies
from app.domain.language.code import is_code
from app.domain.records import Message, Role, TrainingExample, canonical_json

# What prose may be written with or without; signs of calculations, amounts and paths are words, and so is a point
# or a comma before a digit.
_PUNCTUATION = re.compile(r"(?:[\s;!?\"'`´‘’“”«»。，；：！？、…·]|[.,:](?!\d))+")


def is_certain(one: TrainingExample, other: TrainingExample) -> bool:
    """Whether both ask the same and answer the same, whoever reads them."""
    return (
        context_of(one) == context_of(other)
        and beside_the_answer(one) == beside_the_answer(other)
        and same_question(last_question(one), last_question(other))
        and same_text(one.output, other.output)
    )


def context_of(example: TrainingExample) -> str:
    """What a question is asked in: system prompt, tools and the turns before it. Equal contexts give equal texts."""
    turns = list(example.prompt_messages)
    if turns and turns[-1].role is Role.USER:
        turns.pop()
    return canonical_json([example.tools, [_compared(turn) for turn in turns]])


def beside_the_answer(example: TrainingExample) -> str:
    """What a row teaches besides what its answer says: the reasoning, what is rejected, whether it is desired."""
    answer = example.answer
    reasoning = None if answer.reasoning is None else answer.reasoning.split()
    rejected = [[turn.role.value, turn.answer.reasoning, turn.compared] for turn in example.rejected]
    behind = [_compared(turn) for turn in example.messages[example.answer_at + 1 :]]
    return canonical_json([reasoning or None, answer.reasoning_closed, rejected, behind, example.teaches])


def last_question(example: TrainingExample) -> str:
    """What the answer answers: the last turn before it, '' where there is none."""
    turns = example.prompt_messages
    return turns[-1].compared if turns and turns[-1].role is Role.USER else ""


def same_text(one: str, other: str) -> bool:
    """Whether both differ in letter case, spaces and punctuation alone. Those count in code, and in a text that
    speaks of them: there only blanks at the end do not."""
    if one.rstrip() == other.rstrip():
        return True
    return _as_read(one) == _as_read(other) and not (_is_literal(one) or _is_literal(other))


def same_question(one: str, other: str) -> bool:
    """The same, and a word of letters that is nothing but a misspelling of the other text's word does not count."""
    if same_text(one, other):
        return True
    if _is_literal(one) or _is_literal(other):
        return False
    ours, theirs = _words(one), _words(other)
    return len(ours) == len(theirs) and all(
        one == other or _is_misspelt(one, other) for one, other in zip(ours, theirs, strict=True)
    )


def _is_misspelt(one: str, other: str) -> bool:
    """Whether one is no word and the other a common one that it stands for; names are neither."""
    if one.isalpha() and one.casefold() == other.casefold():
        return True
    if not all(w.isascii() and w.isalpha() and w.islower() for w in (one, other)):
        return False
    return any(
        word_frequencies.is_misspelling(a, of=b)
        and word_frequencies.is_english_word(b)
        and not word_frequencies.is_listed(a)
        for a, b in ((one, other), (other, one))
    )


# A row of a group is compared with several others.
@lru_cache(maxsize=1 << 12)
def _is_literal(of: str) -> bool:
    return is_code(of) or phrases.pattern("characters").search(of) is not None


def _as_read(of: str) -> list[str]:
    # The case of what holds digits or signs counts: 5 M, a path, an identifier.
    return [word.casefold() if word.isalpha() else word for word in _words(of)]


def _words(of: str) -> list[str]:
    return _PUNCTUATION.sub(" ", unicodedata.normalize("NFKC", of)).split()


def _compared(turn: Message) -> list[str]:
    return [turn.role.value, text.normalised(turn.compared) or turn.compared]
