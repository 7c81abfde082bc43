"""Training rows that ask the very question of a case: evidence above any statistics.

Knows when two prompts ask the same for certain: equal but for letter case, spaces, politeness and articles, with the
same numbers, negation, names and direction, under the same task instruction and system prompt; or in other words,
where the row holds the model's wrong answer word for word. Does not guess at other paraphrases: what resembles is
the classifier's business.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray
from rapidfuzz.distance import OSA

from app.domain.answers import commitments
from app.domain.answers.commitments import SAME_FRAME, Commitment
from app.domain.answers.labels import CLOSED_ANSWER_MAX_TOKENS
from app.domain.language import pair_differences, phrases, text
from app.domain.language.pair_differences import DifferenceKind
from app.domain.records import BadCase, TrainingExample

# Definitions, not tuned: how sure a verdict is that rests on a row one can point at.
TAUGHT_WRONG = 0.95
"""P(conflict) where a row asks the same and gives the model's wrong answer."""
CONTRADICTED = 0.85
"""The same where a row gives a third answer that cannot be right beside the expected one."""
ONLY_SUPPORTED = 0.15
"""P(conflict) at most where every row that asks the same answers as expected, of prompts that are answered freely."""

_TELLING = frozenset(
    (DifferenceKind.NUMBER, DifferenceKind.NEGATION, DifferenceKind.ENTITY, DifferenceKind.DIRECTION)
)
OWN_ROWS = 2
"""Rows that hold an answer, up to which it is that of one question. A definition."""
_POINTING = frozenset(phrases.listed("prompt_frames", "pointing"))

# Signs that are no punctuation of sentences: 17 + 25 is not 17 - 25, and a hyphen joins words.
_CODE = re.compile(
    r"[\[\](){}]|[\\\\/_$#@-][A-Za-z]+|\b[A-Za-z][#+]+|\b[A-Za-z]\b|\d!|(?<![\w.])\.\w+|(?<=\s)[!?.,;:~^&|*](?=\s)"
)
_LONE_WORDS = frozenset(("a", "A", "i", "I", "s", "t"))
_SIGNS = re.compile(r"[^\w\s.,;:!?'\"`()\[\]{}…“”‘’。，；：！？、（）「」《》·~-]|(?<=[\s\d])-(?=[\s\d])")


@dataclass(frozen=True, slots=True)
class RowIndex:
    """Rows by a key. ``keys`` (n,) ascending, ``rows`` (n,) in that order; key 0 = nothing to go by."""

    keys: Int64[ndarray, " n"]
    rows: Int64[ndarray, " n"]

    @classmethod
    def build(cls, keys: Int64[ndarray, " n"]) -> RowIndex:
        order = np.argsort(keys, kind="stable")
        return cls(keys[order], order.astype(np.int64))

    def find(self, key: int) -> Int64[ndarray, " m"]:
        """The rows with that key, ascending."""
        first, last = np.searchsorted(self.keys, key, "left"), np.searchsorted(self.keys, key, "right")
        return np.sort(self.rows[first:last]) if key else np.zeros(0, dtype=np.int64)


def questions_of(asked: Sequence[str]) -> RowIndex:
    """Rows by what they ask. ``asked``: the part of each prompt that varies (``text.focus``)."""
    return RowIndex.build(np.fromiter((question_key(a) for a in asked), dtype=np.int64, count=len(asked)))


def question_key(asked: str) -> int:
    """Hash of the content words and signs of a prompt, in order; of the normalised text where it has none."""
    folded = text.normalised(text.clip(asked))
    words = _content_words(folded) + _SIGNS.findall(folded)
    return text.stable_hash(" ".join(words) if words else folded) if folded else 0


def _content_words(folded: str) -> list[str]:
    said = phrases.pattern("prompt_frames", "politeness").sub(" ", folded)
    return [t for t in text.tokens(said) if t not in _empty_words()]


@cache
def _empty_words() -> frozenset[str]:
    return frozenset(phrases.listed("prompt_frames", "empty"))


def _topic_words(asked: str) -> frozenset[str]:
    """The words that say what a prompt is about; of Chinese the characters."""
    folded = text.normalised(text.clip(asked))
    return frozenset(t for t in text.tokens(folded) if t not in _function_words())


@cache
def _function_words() -> frozenset[str]:
    tables = (phrases.listed("prompt_frames", table) for table in ("function", "frame", "asking"))
    return frozenset().union(*tables)


def equal_prompts(left: str, right: str) -> bool:
    """Whether two prompts are equal but for letter case, spaces and edge punctuation; of what looks like code every
    letter and bracket counts."""
    return text.normalised(left) == text.normalised(right) and _codes(left) == _codes(right)


def _codes(prompt: str) -> list[str]:
    """What of a prompt is no prose, as it is written: brackets, and words of a letter or behind a sign (-D, \\d)."""
    if prompt.isupper():
        prompt = prompt.lower()
    return [code for code in _CODE.findall(prompt) if code not in _LONE_WORDS]


def same_question(left: str, right: str) -> bool:
    """Whether two prompts with one ``question_key`` ask the same."""
    if text.normalised(left) == text.normalised(right):
        return _codes(left) == _codes(right)
    if _codes(left) != _codes(right):
        return False
    return not any(d.kind in _TELLING for d in pair_differences.between(text.clip(left), text.clip(right)))


SIDES = ("supporting", "teaching", "contradicting", "others")


@dataclass(frozen=True, slots=True, kw_only=True)
class SameQuestion:
    """Rows that ask what the case asks, by what they answer; row numbers.

    ``supporting`` answer as expected, ``teaching`` as the model wrongly did, ``contradicting`` in a third way that
    excludes the expected one, ``others`` in a way of which that cannot be said. ``uninstructed``: rows with the
    case's very input under a task instruction that the case lacks.
    """

    supporting: tuple[int, ...] = ()
    teaching: tuple[int, ...] = ()
    contradicting: tuple[int, ...] = ()
    others: tuple[int, ...] = ()
    uninstructed: tuple[int, ...] = ()

    @property
    def rows(self) -> tuple[int, ...]:
        """All that ask the same; what speaks against the expected answer first."""
        return (*self.teaching, *self.contradicting, *self.supporting, *self.others)


def candidates(
    case: BadCase,
    examples: Sequence[TrainingExample],
    index: RowIndex,
    instructions: frozenset[str],
    most: int,
) -> tuple[list[int], list[int]]:
    """Rows that ask what the case asks, and those that do so under an instruction that it lacks; ``most`` of each."""
    asked, instruction = text.focus(case.prompt, instructions), text.instruction_of(case.prompt, instructions)
    system = case.request.system if case.request and case.request.system is not None else case.system
    same: list[int] = []
    without: list[int] = []
    for row in index.find(question_key(asked)).tolist():
        example = examples[row]
        if system and example.system and text.normalised(system) != text.normalised(example.system):
            continue
        if not same_question(asked, text.focus(example.prompt, instructions)):
            continue
        of_row = text.instruction_of(example.prompt, instructions)
        if text.normalised(of_row) == text.normalised(instruction):
            same.append(row)
        elif of_row and not instruction:
            without.append(row)
        if len(same) >= most:
            break
    return same, without[:most]


def taught_by(
    case: BadCase,
    rows: Sequence[int],
    examples: Sequence[TrainingExample],
    instructions: frozenset[str],
) -> list[int]:
    """Of rows that give the model's wrong answer word for word, those that ask what the case asks in other words.

    The expected answer is that answer with another value in it, so both answer one question; and the prompts share
    what they are about and nothing that tells two questions apart (numbers, names, negation, opposites, signs).
    """
    said, wanted = case.said, case.wanted
    if not wanted or len(text.tokens(said)) <= CLOSED_ANSWER_MAX_TOKENS or _shared(said, wanted) < SAME_FRAME:
        return []
    asked = text.focus(case.prompt, instructions)
    mine, reading = set(text.tokens(asked)), commitments.read(asked)
    subject = _topic_words(asked)
    only_said, only_wanted = (
        set(text.tokens(a)) - set(text.tokens(b)) for a, b in ((said, wanted), (wanted, said))
    )
    if len(text.numbers(asked)) > 1 and any(map(text.has_digit, only_said | only_wanted)):
        return []  # computed: the same numbers are given to more than one question
    found: list[int] = []
    for row in rows:
        other = text.focus(examples[row].prompt, instructions)
        theirs = set(text.tokens(other))
        topic = _topic_words(other)
        about = subject & topic
        if mine & _POINTING != theirs & _POINTING:
            continue
        # What the wrong answer says stands in the row's own question, or what the right one says in the case's alone:
        # then each answers its own question rightly.
        own = (only_said & theirs) - mine or (only_wanted & mine) - theirs
        if len(about) < (2 if text.is_chinese(asked) else 1) or own:
            continue
        if _turned(asked, other, only_said | only_wanted) or _misspelt(subject - topic, topic - subject):
            continue
        if commitments.difference(reading, commitments.read(other)) in (None, Commitment.CODE):
            found.append(row)
    # An answer that also belongs to another question was perhaps learnt there, and rightly.
    return found if len(found) == len(rows) else []


def _misspelt(left: AbstractSet[str], right: AbstractSet[str]) -> bool:
    """Whether each has a word that looks like one of the other's and is none of its forms: jon and john."""
    return any(
        OSA.distance(a, b, score_cutoff=2) <= 2 and not (a.startswith(b) or b.startswith(a))
        for a in left
        for b in right
        if min(len(a), len(b)) > 2
    )


def _turned(left: str, right: str, values: AbstractSet[str]) -> bool:
    """Whether the ``values`` that both texts hold stand in another order: who is taller than whom."""
    both = values & set(text.tokens(left)) & set(text.tokens(right))
    orders = [list(dict.fromkeys(t for t in text.tokens(of) if t in both)) for of in (left, right)]
    return orders[0] != orders[1]


def _shared(left: str, right: str) -> float:
    """F1 of two bags of tokens, 0..1."""
    a, b = Counter(text.tokens(left)), Counter(text.tokens(right))
    return 2 * (a & b).total() / max(1, a.total() + b.total())


def with_evidence(
    chances: Float64[ndarray, " 3"], found: SameQuestion, *, has_expected: bool, labelled: bool
) -> Float64[ndarray, " 3"]:
    """Probabilities of (ood, conflict, hard) given the rows that ask the same: what a row asks is covered.

    ``labelled``: the answers are labels, where a region of wrong rows contradicts although one row is right.
    """
    if not found.rows:
        return chances
    covered = float(chances[1] + chances[2])
    conflict = float(chances[1]) / covered if covered > 0 else 0.5
    if has_expected:
        if found.teaching:
            conflict = max(conflict, TAUGHT_WRONG)
        elif found.contradicting:
            conflict = max(conflict, CONTRADICTED)
        elif found.supporting and not found.others and not labelled:
            conflict = min(conflict, ONLY_SUPPORTED)
    return np.array([0.0, conflict, 1.0 - conflict])
