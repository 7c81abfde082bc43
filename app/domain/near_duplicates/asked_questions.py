"""What a prompt asks, whatever stands around it: instruction lines, templates, politeness, turns of a conversation.

Reads words, signs and lines. Does not know meaning: other words for the same question are another question here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache

from app.domain.language import phrases, text
from app.domain.records import Role

# Punctuation and quotes ask nothing; the signs of calculations and code do.
_KEY_TOKEN = re.compile(
    rf"{text.CJK_CHARACTER}|\d+(?:[.,]\d+)*|{text.WORD_CHARACTER}+(?:['’]{text.WORD_CHARACTER}+)*"
    r"|[^\w\s.,;:!?\"'`´‘’“”«»「」『』《》。，；：！？、…·]"
)
_MARKS = frozenset("*#>_~|<-=•·—–/")
_BRACKETS = frozenset("[](){}【】（）")
_SENTENCE = re.compile(
    r"(?<=[.!?;])\s+|(?<=[。！？；])|(?<=[:：])\s+|(?<=：)|\s*[|/]{1,3}\s+|</?\w+>|`{3}|\"{3}|(?<=[\]】])\s*"
)
_TURN = re.compile(rf"({'|'.join(role.value for role in Role)}): ")
_LABEL = re.compile(r"\s*([^\n:：]{1,30})[:：]\s*")
_DIGIT = re.compile(r"\d")

_MIN_CORE = 2
"""Tokens that are left of a prompt at least when what frames it is cut off."""

_INTRODUCTION_TOKENS = 40
"""An instruction is shorter: more is a text that the question is about."""

_EMBEDDED_TOKENS = 5
"""A question of fewer tokens behind other words of its sentence may be part of another one."""

Key = tuple[str, ...]
"""Tokens of a question, casefolded, without punctuation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One sentence of a prompt, or what stands before a colon. ``core``: without politeness and labels at its ends.
    ``introduces``: a label or a lead-in. ``asks``: it ends in a question mark or begins as questions do.
    ``turn``: of a conversation, counted; ``by_user``: whether the user speaks there.
    """

    key: Key
    core: Key
    line: int
    introduces: bool
    asks: bool
    turn: int
    by_user: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a prompt asks. ``core``: the prompt without its frame. ``cores``: keys that it asks without doubt.

    ``ends``: what it asks if the lines before or behind are an instruction that nobody else has; ``tails``: the same
    of sentences, ``ends`` included. ``segments``: in which other questions may stand.
    """

    core: Key
    cores: frozenset[Key]
    ends: frozenset[Key]
    tails: frozenset[Key]
    segments: tuple[Segment, ...]


def key_of(of: str) -> Key:
    """The tokens that make the question; equal for texts that differ in case, width, spaces and punctuation."""
    folded = of.lower() if of.isascii() else unicodedata.normalize("NFKC", of).casefold()
    return tuple(_KEY_TOKEN.findall(folded)) or ((folded.strip(),) if folded.strip() else ())


def text_of(key: Key) -> str:
    """The tokens as a text: what near-duplicates are compared by."""
    return re.sub(rf"(?<={text.CJK_CHARACTER}) (?={text.CJK_CHARACTER})", "", " ".join(key))


def core_of(key: Key) -> Key:
    """A key without politeness, labels and marks at both ends; the key itself where hardly anything would be left."""
    frame, phrases_zh = _frame()
    start, end = 0, len(key)
    while start < end and (step := _frame_at(key, start, frame, phrases_zh)):
        start += step
    while end > start and (step := _frame_before(key, start, end, frame, phrases_zh)):
        end -= step
    return key[start:end] if end - start >= _MIN_CORE else key


def says_nothing(key: Key) -> bool:
    """Whether a key is politeness and labels throughout."""
    frame, phrases_zh = _frame()
    start = 0
    while start < len(key):
        step = _frame_at(key, start, frame, phrases_zh) or int(key[start] in _BRACKETS)
        if not step:
            return False
        start += step
    return True


def without_label(prompt: str) -> str:
    """The prompt without a label in front that asks nothing: "Question: ...", "选择题：..."."""
    label = _LABEL.match(prompt)
    return prompt[label.end() :] if label is not None and says_nothing(key_of(label[1])) else prompt


def is_specific(key: Key) -> bool:
    """Whether a key says what it is about: a number, two words or three characters that carry meaning."""
    words, characters = _content(key)
    return any(map(_DIGIT.search, key)) or words >= 2 or characters >= 3 or (words == 1 and characters >= 1)


def holds_content(key: Key) -> bool:
    """Whether any token carries meaning by itself."""
    return any(_content(key))


def _content(key: Key) -> tuple[int, int]:
    """Words and CJK characters of a key that are no function words."""
    words, phrases_zh = _phrases("function")
    joined = "".join(token for token in key if _is_cjk(token))
    for phrase in phrases_zh:
        joined = joined.replace(phrase, "")
    return sum(len(t) > 1 and t not in words and t[0].isalpha() and not _is_cjk(t) for t in key), len(joined)


def read_question(prompt: str, instructions: AbstractSet[Key], focus: str) -> Question:
    """``instructions``: keys of known ones. ``focus``: the part of the prompt that varies (``text.focus``)."""
    segments = tuple(_segments(prompt))
    whole = key_of(prompt)
    cores = {whole, core_of(whole)}
    if len(focus) < len(prompt):
        cores |= {key_of(focus), core_of(key_of(focus))}
    framed = [s.introduces or says_nothing(s.key) for s in segments]
    for run in _instructing(segments, instructions):
        framed[run] = [True] * len(framed[run])
    if all(
        framed
    ):  # "Name the intent.\nhi": without its greeting it would be the instruction, which every row has
        return Question(
            core=whole,
            cores=frozenset(k for k in (whole, key_of(focus)) if k),
            ends=frozenset(),
            tails=frozenset(),
            segments=segments,
        )
    first = next((i for i, frame in enumerate(framed) if not frame), 0)
    last = next((i for i in range(len(segments) - 1, -1, -1) if not framed[i]), len(segments) - 1)
    asked = segments[first : last + 1]
    core = _joined(asked)
    cores.add(core)
    ends = frozenset(key for key in _ends(asked, by_line=True) if is_specific(key))
    tails = frozenset(key for key in _ends(asked, by_line=False) if is_specific(key))
    return Question(
        core=core, cores=frozenset(k for k in cores if k), ends=ends, tails=tails | ends, segments=segments
    )


class AskedQuestions:
    """Questions that are looked for: ``find`` tells which of them a prompt asks. Targets are counted as given."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self._cores: dict[Key, int] = {}
        self._ends: dict[Key, int] = {}
        self._tails: dict[Key, int] = {}
        for number, question in enumerate(questions):
            for known, keys in (
                (self._cores, question.cores),
                (self._ends, question.ends),
                (self._tails, question.tails),
            ):
                for key in keys:
                    known.setdefault(key, number)
        inside = {key: number for key, number in (self._ends | self._cores).items() if is_specific(key)}
        self._inside = inside
        self._lengths = tuple(sorted({len(key) for key in inside}))
        self._begins = frozenset(key[0] for key in inside)

    def anchors(self, spread: Mapping[str, int]) -> frozenset[str]:
        """Tokens of which a prompt holds one at least where it asks a target. ``spread``: prompts of each token."""
        keys = self._cores.keys() | self._ends.keys() | self._tails.keys()
        return frozenset(min(key, key=lambda token: spread.get(token, 0)) for key in keys)

    def find(self, question: Question) -> int | None:
        """The target that a prompt asks in another frame, or in the same."""
        for key in question.cores:
            for known in (self._cores, self._ends, self._tails):
                if (number := known.get(key)) is not None:
                    return number
        for key in question.ends:
            for known in (self._cores, self._ends):
                if (number := known.get(key)) is not None:
                    return number
        return self._contained(question.segments)

    def _contained(self, segments: Sequence[Segment]) -> int | None:
        """A target that stands in the prompt as whole sentences, or at the end of one behind words that ask nothing
        else."""
        if not self._inside:
            return None
        tokens: list[str] = []
        ends: set[int] = set()
        starts: dict[int, Key] = {}
        for segment in segments:
            for key, begin in ((segment.key, len(tokens)), (segment.core, -1)):
                at = begin if begin >= 0 else len(tokens) + _offset(segment)
                starts.setdefault(at, ())
                ends.add(at + len(key))
            for lead in range(1, min(len(segment.key), 13)):
                starts.setdefault(len(tokens) + lead, segment.key[:lead])
            tokens += segment.key
        for start, lead in starts.items():
            if start >= len(tokens) or tokens[start] not in self._begins:
                continue
            for length in self._lengths:
                if start + length not in ends:
                    continue
                found = self._inside.get(tuple(tokens[start : start + length]))
                if found is not None and (
                    not lead or _is_clause(tuple(tokens[start : start + length]), lead)
                ):
                    return found
        return None


def _is_clause(question: Key, lead: Key) -> bool:
    """Whether a question stands unchanged behind other words of its sentence: "my friend asks what ..."."""
    return _asks(question) and len(question) >= _EMBEDDED_TOKENS and _leads_in(lead)


def _asks(key: Key) -> bool:
    words, characters = _phrases("asking")
    return key[0] in words or any(phrase in "".join(key) for phrase in characters)


def _instructs(segment: Segment) -> bool:
    """Whether a sentence says how to answer, and asks nothing itself."""
    words, characters = _phrases("instructing")
    if segment.asks or len(segment.key) > _INTRODUCTION_TOKENS:
        return False
    return segment.key[0] in words or any(phrase in "".join(segment.key) for phrase in characters)


def _offset(segment: Segment) -> int:
    """Where the core begins in the key."""
    size = len(segment.core)
    return next(
        (i for i in range(len(segment.key) - size + 1) if segment.key[i : i + size] == segment.core), 0
    )


def _leads_in(lead: Key) -> bool:
    """Whether words in front of a question leave it the same: no number, no negation."""
    said = " ".join(lead)
    return not _DIGIT.search(said) and not text.negating_words(said)


def _instructing(segments: Sequence[Segment], instructions: AbstractSet[Key]) -> Iterator[slice]:
    """The longest known instructions at the beginning and at the end, where something is left between them."""
    if not instructions:
        return
    for cut in range(len(segments) - 1, 0, -1):
        if tuple(token for s in segments[:cut] for token in s.key) in instructions:
            yield slice(0, cut)
            break
    for cut in range(1, len(segments)):
        if tuple(token for s in segments[cut:] for token in s.key) in instructions:
            yield slice(cut, len(segments))
            break


def _segments(prompt: str) -> Iterator[Segment]:
    role, turn = "", 0
    for number, line in enumerate(prompt.splitlines()):
        if (label := _TURN.match(line)) is not None:
            role, turn = label[1], turn + 1
        if not line.strip():
            continue
        for part in _SENTENCE.split(line):
            key = key_of(part) if part.strip() else ()
            key = _without_marks(key)
            if key:
                introduces = part.rstrip()[-1:] in (":", "：") and (
                    says_nothing(tuple(t for t in key if not t.isdecimal()))
                    or (len(key) <= _INTRODUCTION_TOKENS and _leads_in(key))
                )
                asks = part.rstrip("\"'”’*) ")[-1:] in ("?", "？") or _asks(key)
                yield Segment(
                    key=key,
                    core=core_of(key),
                    line=number,
                    introduces=introduces,
                    asks=asks,
                    turn=turn,
                    by_user=role == Role.USER,
                )


def _without_marks(key: Key) -> Key:
    """A key without list marks, emphasis and rules at its ends; a minus before a number stays."""
    start, end = 0, len(key)
    while start < end and _is_mark(key, start):
        start += 1
    while end > start and key[end - 1] in _MARKS:
        end -= 1
    return key[start:end]


def _is_mark(key: Key, at: int) -> bool:
    return key[at] in _MARKS and not (key[at] == "-" and at + 1 < len(key) and key[at + 1][0].isdecimal())


def _joined(segments: Sequence[Segment]) -> Key:
    return core_of(tuple(token for segment in segments for token in segment.key))


def _ends(segments: Sequence[Segment], *, by_line: bool) -> Iterator[Key]:
    """What is left without the first segments or the last ones, where these may be an instruction."""
    for cut in range(1, len(segments)):
        if by_line and segments[cut].line == segments[cut - 1].line:
            continue
        if any(s.by_user and s.turn < segments[cut].turn and not says_nothing(s.key) for s in segments[:cut]):
            return  # a conversation: what is asked last depends on what was asked before
        before, behind = segments[:cut], segments[cut:]
        if all(map(_instructs, behind)):
            yield _joined(before)
        elif _may_instruct(before, by_line=by_line):
            yield _joined(behind)


def _may_instruct(segments: Sequence[Segment], *, by_line: bool) -> bool:
    """Figures belong to a question. A line of its own may forbid something ("do not explain")."""
    if sum(len(s.key) for s in segments) > _INTRODUCTION_TOKENS:
        return False
    return (
        not any(_DIGIT.search(t) for s in segments for t in s.key)
        if by_line
        else all(_leads_in(s.key) for s in segments)
    )


def _is_cjk(token: str) -> bool:
    return len(token) == 1 and "\u3040" <= token <= "\ufaff"


@cache
def _frame() -> tuple[frozenset[str], dict[str, tuple[Key, ...]]]:
    """Words, and phrases of several tokens by their first one, the longest first."""
    listed = [key_of(phrase) for phrase in phrases.listed("prompt_frames", "frame")]
    longer: dict[str, tuple[Key, ...]] = {}
    for key in sorted((k for k in listed if len(k) > 1), key=len, reverse=True):
        longer[key[0]] = (*longer.get(key[0], ()), key)
    return frozenset(key[0] for key in listed if len(key) == 1), longer


@cache
def _phrases(table: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """The English words and the Chinese phrases of a list."""
    listed = phrases.listed("prompt_frames", table)
    return frozenset(w for w in listed if w.isascii()), tuple(w for w in listed if not w.isascii())


def _frame_at(key: Key, at: int, words: AbstractSet[str], longer: dict[str, tuple[Key, ...]]) -> int:
    """Tokens of the frame that begin here; 0 where none does."""
    for phrase in longer.get(key[at], ()):
        if key[at : at + len(phrase)] == phrase:
            return len(phrase)
    return int(key[at] in words or _is_mark(key, at))


def _frame_before(
    key: Key, start: int, end: int, words: AbstractSet[str], longer: dict[str, tuple[Key, ...]]
) -> int:
    for size in range(min(8, end - start), 1, -1):
        if key[end - size : end] in longer.get(key[end - size], ()):
            return size
    return int(key[end - 1] in words or key[end - 1] in _MARKS)
