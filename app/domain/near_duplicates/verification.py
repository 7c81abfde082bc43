"""Are two texts one text written twice? What differs is read word by word.

Texts that differ in numbers, negation, opposites or contrast words are two texts, and so are those with one known
word in the place of another. A word that the set has nowhere else, spelt nearly as a known one, is a misspelling.
Words of spaced scripts, single characters of Chinese and Japanese.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from rapidfuzz.distance import Levenshtein

from app.domain.language import contrast_words, pair_differences, text, word_frequencies

# Share of a word's letters up to which it is the same one misspelt: of "of" and "xf" .5, of "Rome" and "Oslo" .75.
_MISSPELT_SHARE: Final = 0.5

# A word is rare that stands once in the set, or so much seldomer than the one in its place: misspellings repeat.
_RARE: Final = 1
_RARITY: Final = 0.05

# Occurrences from which a word is known: the text itself and its copy are two.
_KNOWN: Final = 3

# Share of the longer text that what stands on one side only may make up ("please", "thanks").
ADDED_SHARE: Final = 0.05

# Letters in which a word differs at most that is another one by chance, and CJK characters side by side.
_FEW_LETTERS: Final = 2

# Known words in each other's place for each misspelling: of a text with five a sixth is another word by chance.
_CHANCE_SHARE: Final = 0.2

# Two rows of one answer are copies, and no two of a template, where at most this share of their letters differs, or
# where a letter or so differs in more places than a template is filled in.
_FEW_OF_TEXT: Final = 1 / 8
_TEMPLATE_PLACES: Final = 2

_TOKEN = re.compile(
    f"{text.CJK_CHARACTER}|{text.WORD_CHARACTER}+(?:['’]{text.WORD_CHARACTER}+)*"
    r"|(?<!\w)-|-(?!\w)|[^\w\s.,;:!?\"'`´‘’“”。，、；：！？…·—–\-（）()]"
)
_CJK = re.compile(text.CJK_CHARACTER)
_OPTIONAL = frozenset(
    (  # noqa: SIM905
        "a an the please pls kindly thanks thank you hi hello hey so just then that is are to of in on at i me my "
        "do does can could would 请 问 的 了 吗 呢 啊 吧 呀 您 你 好 我 想 要"
    ).split()
)
"""Words whose coming and going leaves a question what it is."""

_ALIKE = (frozenset(("a", "an", "the")), frozenset("吗呢啊呀吧"))
_ENDINGS = ("s", "es", "d", "ed", "ing", "'s", "’s")


class Verdict(NamedTuple):
    """``one_text``: nothing that differs makes another question. ``added``: characters that stand on one side only.
    ``one_of_answer``: where the answers are equal, they are one: they differ as no two of one template do."""

    one_text: bool
    added: int
    one_of_answer: bool


class _Difference(NamedTuple):
    """Tokens that differ, none on a side without a counterpart, and those before and behind on either side (a space
    for the edge of a text); ``size``: edits between the two sides; ``cjk``: whether a CJK character is among them."""

    left: tuple[str, ...]
    right: tuple[str, ...]
    around_left: tuple[str, str]
    around_right: tuple[str, str]
    size: int
    longest: int
    cjk: bool

    @property
    def one_sided(self) -> bool:
        return not self.left or not self.right


def compared(left: str, right: str, words: Mapping[str, int], *, lenient: bool = False) -> Verdict | None:
    """Whether two normalised texts are one; None where they are not, whatever is answered.

    ``words``: occurrences in the set, as ``signatures.words`` names them. ``lenient``: a changed letter or two, or a
    CJK character, need no other sign of a misspelling.
    """
    differences = list[_Difference]()
    for of in _differences(_tokens(left), _tokens(right)):
        if _is_optional(of):
            continue
        if _tells_apart(of):
            return None
        differences.append(of)
    misspelt, other_words, unclear, added = set[tuple[str, ...]](), list[int](), list[_Difference](), 0
    total = sum(of.size for of in differences)
    for of in differences:
        small = of.size <= _FEW_LETTERS
        match _read(of, words, alone=len(differences) == 1):
            case _Reading.MISSPELT:
                misspelt.add((*of.left, " ", *of.right))
            case _Reading.UNCLEAR if of.one_sided and not of.cjk and not small:
                added += of.size
            case _Reading.UNCLEAR if small or of.one_sided or 2 * of.size <= total:
                unclear.append(of)
            case _Reading.OTHER_WORD if small:
                other_words.append(of.size)
            case _:
                return None
    # A misspelt word may read as another number or direction; the words themselves were looked at above.
    if not misspelt and pair_differences.contrasts(left, right):
        return None
    longest = max(len(left), len(right))
    doubtful = [*other_words, *(of.size for of in unclear)]
    few = sum(doubtful) <= _FEW_OF_TEXT * longest or len(doubtful) > _TEMPLATE_PLACES
    few = few and added <= ADDED_SHARE * longest
    certain = len(other_words) <= _CHANCE_SHARE * len(misspelt)
    changed = [of for of in unclear if not (lenient and (of.cjk or of.size <= _FEW_LETTERS))]
    if len(changed) > len(misspelt):
        added += sum(of.size for of in changed)
        one_side = all(not of.left for of in changed) or all(not of.right for of in changed)
        certain = certain and one_side and added <= ADDED_SHARE * longest
    return Verdict(one_text=certain, added=added, one_of_answer=few)


class _Reading(Enum):
    MISSPELT, OTHER_WORD, UNCLEAR = range(3)


def _read(of: _Difference, words: Mapping[str, int], *, alone: bool) -> _Reading:
    """What a difference is. Misspelt: one side is rare in the set and looks like the other one, which is known; of
    several differences it need not be, as rare words are misspelt too. Another word: both sides are known, or do not
    look alike."""
    rare, known = sorted(
        min((words.get(word, 0) for word in _pieces(side, around, of.cjk)), default=0)
        for side, around in ((of.left, of.around_left), (of.right, of.around_right))
    )
    is_rare = rare <= max(_RARE, _RARITY * known)
    if of.cjk:
        shorter = min(len(of.left), len(of.right))
        alike = shorter <= 1 or (shorter <= _FEW_LETTERS and not alone and known > _RARE)
        unclear = is_rare or of.one_sided or of.longest == 1
    else:
        alike = not of.one_sided and of.size <= _MISSPELT_SHARE * of.longest
        unclear = of.one_sided or is_rare
    if not is_rare or not alike:
        return _Reading.UNCLEAR if unclear else _Reading.OTHER_WORD
    if alone and (known < _KNOWN or (_is_general(of.left) and _is_general(of.right))):
        return _Reading.UNCLEAR
    return _Reading.MISSPELT


def _is_general(side: Sequence[str]) -> bool:
    """Whether general writing has all of these words."""
    return all(word_frequencies.is_english_word(token) for token in side)


def _tells_apart(of: _Difference) -> bool:
    """Whether it makes another question, however the words are spelt."""
    if contrast_words.negates(of.left, of.right):
        return True
    if not of.one_sided:
        return contrast_words.tells(of.left, of.right)
    tokens, around = (of.left, of.around_left) if of.left else (of.right, of.around_right)
    return len(tokens) == 1 and contrast_words.counts(tokens[0], around)


def _is_optional(of: _Difference) -> bool:
    """Endings, words whose coming and going leaves a question what it is, and those that stand for each other."""
    tokens = frozenset((*of.left, *of.right))
    if of.one_sided:
        return tokens <= _OPTIONAL
    short, long = sorted(("".join(of.left), "".join(of.right)), key=len)
    inflected = len(short) >= 3 and long.startswith(short) and long[len(short) :] in _ENDINGS
    return inflected or any(tokens <= alike for alike in _ALIKE)


def _pieces(side: Sequence[str], around: tuple[str, str], cjk: bool) -> list[str]:
    if not cjk:
        return [token for token in side if token[0].isalnum()]
    row = [token if _CJK.match(token) else " " for token in (around[0], *side, around[1])]
    return [a + b for a, b in pairwise(row) if a != " " or b != " "]


def _differences(left: Sequence[str], right: Sequence[str]) -> Iterator[_Difference]:
    """Edits beside each other as one; what is written in other pieces ("data base") is none."""
    merged: list[tuple[int, int, int, int]] = []
    for op in Levenshtein.opcodes(left, right):
        if op.tag == "equal":
            continue
        if merged and (merged[-1][1], merged[-1][3]) == (op.src_start, op.dest_start):
            merged[-1] = (merged[-1][0], op.src_end, merged[-1][2], op.dest_end)
        else:
            merged.append((op.src_start, op.src_end, op.dest_start, op.dest_end))
    for i, j, k, m in merged:
        one, other = "".join(left[i:j]), "".join(right[k:m])
        if one != other:
            yield _Difference(
                left=tuple(left[i:j]),
                right=tuple(right[k:m]),
                around_left=_around(left, i, j),
                around_right=_around(right, k, m),
                size=Levenshtein.distance(one, other),
                longest=max(len(one), len(other)),
                cjk=not (one.isascii() and other.isascii()) and _CJK.search(f"{one} {other}") is not None,
            )


def _around(tokens: Sequence[str], start: int, end: int) -> tuple[str, str]:
    return (tokens[start - 1] if start else " ", tokens[end] if end < len(tokens) else " ")


# A text is compared with several others in a row.
@lru_cache(maxsize=1 << 12)
def _tokens(of: str) -> list[str]:
    return _TOKEN.findall(of)
