"""What a text commits to, and whether two texts that sound alike commit to different things.

Two wordings of one answer may differ in any word but these: numbers and amounts (also in words), negation, opposites,
names, addresses, codes and expressions, JSON values, code, who does what to whom, and a word put in another's place.
English and Chinese.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from app.domain.answers import canonical, choices
from app.domain.answers.labels import CLOSED_ANSWER_MAX_TOKENS
from app.domain.language import phrases, quantities, text
from app.domain.language.text_features import names_in, route, stands

_ADDRESS = re.compile(
    r"\b(?:https?|ftp)://[^\s，。；、）)]+|\bwww\.[^\s，。；、）)]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
)
_CODE_WORD = re.compile(
    r"`[^`\n]+`|(?<![A-Za-z0-9])(?=[\w.-]*\d)(?=[\w.-]*[A-Za-z])[A-Za-z][\w-]*\w|\b\w+_\w+\b|\b[a-z]+[A-Z]\w*"
)
_EXPRESSION = re.compile(
    r"[\w)\]]\s*([+*×÷^=<>≤≥≠]{1,2}|<=|>=|!=)\s*(?=[\w(\[$])|(?:(?<![A-Za-z])[A-Za-z]|[\d)\]])\s*([-/])\s*(?=[\d(\[$]|[A-Za-z](?![A-Za-z]))"
)
_LISTED = re.compile(r"[、→>]|,.*,|，.*，", re.DOTALL)

_NOTED = re.compile(rf"{quantities.OPEN}[^{quantities.CLOSE}]*{quantities.CLOSE}")

SHORT_DIFFERENCE: Final = 2
"""Words in which each of two texts stands alone, up to which one is read as put in the other's place."""

SAME_FRAME: Final = 0.5
"""Share of the words that two texts must have in common for that, as F1."""

LATIN_STEM: Final = 4


class Commitment(StrEnum):
    """What two texts differ in."""

    NUMBER = "number"
    NEGATION = "negation"
    OPPOSITE = "opposite"
    NAME = "name"
    CODE = "code"
    ORDER = "order"
    WORD = "word"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A text read once; compare with ``difference``. ``machine``: code, JSON or calls, of which every sign counts.
    ``numbers`` in order, in the notation of ``language.quantities``; ``ends`` of axes of opposites, +1 or -1."""

    spelling: str
    machine: bool
    numbers: tuple[str, ...]
    negated: bool
    ends: Mapping[str, int]
    route: tuple[str, ...]
    names: frozenset[str]
    codes: tuple[str, ...]
    tokens: tuple[str, ...]
    content: Counter[str]
    listed: bool


def read(of: str) -> Reading:
    """``of``: an answer as comparisons read it, without its reasoning."""
    clipped = text.clip(of)
    value = canonical.as_json(of.strip()) if of.strip()[:1] in ("{", "[", "`") else None
    machine = value is not None or canonical.looks_like_code(clipped)
    tokens = text.tokens(clipped)
    chinese = text.is_chinese(clipped)
    noted = canonical.noted(clipped)
    signs = [m[1] or m[2] for m in _EXPRESSION.finditer(clipped)]
    axes = stands(clipped, tokens, chinese, frozenset())
    return Reading(
        spelling=value or (canonical.code(of) if machine else canonical.folded(noted)),
        machine=machine,
        numbers=tuple(_NOTED.findall(noted)),
        negated=text.negations(clipped) % 2 == 1,
        ends={axis: end for axis, (end, _) in axes.items() if axis[0] == "#"},
        route=route(clipped),
        names=_names(clipped, chinese),
        codes=tuple(sorted([*_ADDRESS.findall(clipped), *_CODE_WORD.findall(clipped), *signs])),
        tokens=tokens,
        content=_content(_NOTED.sub(" ", noted)),
        listed=_LISTED.search(clipped) is not None,
    )


def difference(left: Reading, right: Reading) -> Commitment | None:
    """The first thing that both commit to and that is not the same; None where the wording alone differs."""
    if left.spelling == right.spelling:
        return None
    if left.machine or right.machine:
        return Commitment.CODE
    if sorted(left.numbers) != sorted(right.numbers):
        return Commitment.NUMBER
    if left.negated != right.negated:
        return Commitment.NEGATION
    if _opposed(left, right):
        return Commitment.OPPOSITE
    if left.names and right.names and not (left.names <= right.names or right.names <= left.names):
        return Commitment.NAME
    if left.codes != right.codes:
        return Commitment.CODE
    if left.tokens != right.tokens and sorted(left.tokens) == sorted(right.tokens):
        return None if _moved(left, right) else Commitment.ORDER
    return Commitment.WORD if _replaced(left, right) else None


def _opposed(left: Reading, right: Reading) -> bool:
    shared = left.ends.keys() & right.ends.keys()
    if any(left.ends[axis] != right.ends[axis] for axis in shared):
        return True
    return bool(left.route and right.route) and left.route != right.route


def _names(of: str, chinese: bool) -> frozenset[str]:
    # what is said in quotes counts as a name: how its sentence ends does not
    named = (name.strip(" .。．,，!！?？;；") for name in names_in(of, chinese))
    return frozenset(name for name in named if len(name) > 1)


def _moved(left: Reading, right: Reading) -> bool:
    """Whether one part of the sentence was moved past another: "at ten we open" for "we open at ten".

    Not where two parts changed places around what stays ("A pays B"), nor in a list or an expression."""
    if left.listed or right.listed or left.codes:
        return False
    a, b = list(left.tokens), list(right.tokens)
    while a and a[0] == b[0]:
        a, b = a[1:], b[1:]
    while a and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    return any(a[cut:] + a[:cut] == b for cut in range(1, len(a)))


def _replaced(left: Reading, right: Reading) -> bool:
    """Whether each has a word or two that the other lacks, in a frame that they share."""
    only_left, only_right = left.content - right.content, right.content - left.content
    if not only_left or not only_right:
        return False
    if max(only_left.total(), only_right.total()) > SHORT_DIFFERENCE:
        return False
    shared = (Counter(left.tokens) & Counter(right.tokens)).total()
    return 2 * shared >= SAME_FRAME * (len(left.tokens) + len(right.tokens))


def _content(of: str) -> Counter[str]:
    """Words without fillers, one for each group of words for one thing, without endings."""
    said = of.casefold()
    if (phrases_of := _groups(said.isascii())) is not None:
        said = phrases_of.sub(lambda m: f" {_representatives()[m[0]]} ", said)
    same, fillers = _representatives(), _fillers()
    return Counter(_stem(same.get(token, token)) for token in text.tokens(said) if token not in fillers)


def _stem(token: str) -> str:
    """Without the endings of plural and tense: pays, paying and payment are not told apart."""
    if not token.isascii() or len(token) <= LATIN_STEM:
        return token
    for ending in ("ments", "ment", "ings", "ing", "ies", "ed", "es", "s", "e", "y"):
        if token.endswith(ending) and len(token) - len(ending) >= LATIN_STEM - 1:
            return token[: -len(ending)]
    return token


@cache
def _fillers() -> frozenset[str]:
    return frozenset(phrases.listed("wording", "filler"))


@cache
def _representatives() -> Mapping[str, str]:
    return {
        word: group.split("|")[0].replace(" ", "")
        for group in phrases.listed("wording", "same")
        for word in group.split("|")
    }


@cache
def _groups(ascii_only: bool) -> re.Pattern[str] | None:
    """The words of more than one token among them; of one token they are looked up."""
    words = sorted((w for w in _representatives() if len(text.tokens(w)) > 1), key=lambda w: (-len(w), w))
    kept = [re.escape(word) for word in words if word.isascii() or not ascii_only]
    return re.compile("|".join(kept)) if kept else None


def differ(left: str, right: str) -> Commitment | None:
    """``difference`` of two texts."""
    return difference(read(left), read(right))


def hardly_differ(left: str, right: str) -> bool:
    """Whether two texts that are not certainly the same look so alike that a person has to say: a part moved, or a
    word more on one side, and nothing that commits. Of a few words each counts."""
    a, b = read(left), read(right)
    if min(len(a.tokens), len(b.tokens)) <= CLOSED_ANSWER_MAX_TOKENS or difference(a, b) is not None:
        return False
    more = sorted(((a.content - b.content).total(), (b.content - a.content).total()))
    return more[0] == 0 and more[1] <= SHORT_DIFFERENCE


def same_question_guard(prompt_a: str, prompt_b: str) -> bool:
    """Whether nothing says that two prompts ask different things: other numbers, operators, names, codes, negation,
    opposites, or other options or options in another order. How near they are is not looked at."""
    a, b = options_of(prompt_a), options_of(prompt_b)
    if (a or b) and a != b:
        return False
    found = differ(prompt_a, prompt_b)
    return found is None or (found is Commitment.WORD)


def options_of(prompt: str) -> tuple[str, ...]:
    """The options of a multiple-choice question in their order, normalised; () where it has fewer than two."""
    found = tuple(text.normalised(m[2]) for m in choices.OPTION.finditer(prompt))
    return found if len(found) > 1 else ()
