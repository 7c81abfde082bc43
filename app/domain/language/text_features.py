"""Short texts read once: rare words, word pairs, names, numbers, negation, ends of axes of opposites.

Everything that comparing many pairs needs, as sparse rows and hashes. English and Chinese.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Float32, Int64
from numpy import ndarray
from scipy import sparse

from app.domain.language import antonyms, quantities, text

_DIFFERENCE_MAX_CHARACTERS: Final = 1000
"""What differs is named word by word: past a paragraph that is no evidence but an edit script."""

_NAME_MAX_SHARE: Final = 0.5
"""Where more than half of the words are capitalised, capitals mark a headline and no names."""


_NAME = re.compile(r"(?<![\w'])(?:[A-Z][\w&]*[a-z0-9]*)(?:[ -][A-Z][\w&]*)*")
_QUOTED = re.compile(r"[《「『“\"]([^》」』”\"]{1,40})[》」』”\"]")
_LATIN_IN_CHINESE = re.compile(r"[A-Za-z][A-Za-z0-9.+-]*")
_ROUTE = re.compile(
    r"\bfrom\s+([\w'-]+)\s+(?:in)?to\s+([\w'-]+)|从(.{1,6}?)(?:到|去|往|飞|至)(.{1,6}?)(?=的|[，。？?！!\s]|$)"
)
_FIRST_WORD = re.compile(r"^\W*[\w']+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """n texts, read once. Sparse rows: ``words`` and ``bigrams`` hold inverse document frequencies,
    ``names`` ones, ``ends`` +1 or -1 for the end of an axis of opposites. ``wholes``, ``numbers``, ``routes`` and
    ``bags`` are hashes (0 = none), ``negated`` an odd number of negations, ``lengths`` tokens.
    """

    words: sparse.csr_matrix
    bigrams: sparse.csr_matrix
    names: sparse.csr_matrix
    ends: sparse.csr_matrix
    wholes: Int64[ndarray, " n"]
    numbers: Int64[ndarray, " n"]
    routes: Int64[ndarray, "n 2"]
    bags: Int64[ndarray, "n 2"]
    negated: Bool[ndarray, " n"]
    lengths: Float32[ndarray, " n"]

    def __len__(self) -> int:
        return len(self.lengths)


def read(texts: Sequence[str]) -> Readings:
    """Rarity of words and word pairs is counted over ``texts`` themselves."""
    clipped = [text.clip(t, _DIFFERENCE_MAX_CHARACTERS) for t in texts]
    tokens = [text.tokens(t) for t in clipped]
    chinese = [text.is_chinese(t) for t in clipped]
    names = [names_in(t, zh) for t, zh in zip(clipped, chinese, strict=True)]
    known = frozenset(w for of in tokens for w in of)
    return Readings(
        words=_weighted(tokens),
        bigrams=_weighted([tuple(itertools.pairwise(t)) for t in tokens]),
        names=_indicator([sorted(n) for n in names]),
        ends=_ends(clipped, tokens, chinese, known),
        wholes=_hashes(text.normalised(t) for t in texts),
        numbers=_hashes(" ".join(sorted(text.numbers(quantities.in_digits(t)))) for t in clipped),
        routes=np.array([_route_hashes(t) for t in clipped], dtype=np.int64).reshape(-1, 2),
        bags=np.array(
            [(_hash(" ".join(t)), _hash(" ".join(sorted(t)))) for t in tokens], dtype=np.int64
        ).reshape(-1, 2),
        negated=np.array([text.negations(t) % 2 == 1 for t in clipped], dtype=bool),
        lengths=np.array([len(t) for t in tokens], dtype=np.float32),
    )


def names_in(of: str, chinese: bool) -> frozenset[str]:
    """Capitalised names (not the first word), what stands in quotes, Latin words in a Chinese text."""
    quoted = [m.strip().casefold() for m in _QUOTED.findall(of)]
    if chinese:
        return frozenset(quoted) | frozenset(w.casefold() for w in _LATIN_IN_CHINESE.findall(of))
    start = _FIRST_WORD.match(of)
    after = of[start.end() :] if start else of
    # Text in capitals throughout, or all title case, marks no names by them.
    letters = [w for w in after.split() if w[:1].isalpha()]
    if not letters or sum(w[:1].isupper() for w in letters) > _NAME_MAX_SHARE * len(letters):
        return frozenset(quoted)
    return frozenset(quoted) | frozenset(n.casefold() for n in _NAME.findall(after) if n != "I")


def route(of: str) -> tuple[str, str] | tuple[()]:
    found = _ROUTE.search(of.casefold())
    if not found:
        return ()
    start, end = (found.group(1), found.group(2)) if found.group(1) else (found.group(3), found.group(4))
    return (str(start).strip(), str(end).strip())


def _route_hashes(of: str) -> tuple[int, int]:
    ends = route(of)
    return (_hash(" > ".join(ends)), _hash(" > ".join(sorted(ends)))) if ends else (0, 0)


def stands(
    of: str, tokens: Sequence[str], chinese: bool, known: frozenset[str]
) -> dict[str, tuple[int, str]]:
    """Axis -> (+1 or -1, the word), of the axes where the text stands at one end only."""
    words = antonyms.chinese_words().findall(of) if chinese else tokens
    listed = antonyms.axes()
    seen: dict[str, tuple[int, str]] = {}

    def note(axis: str, end: int, word: str) -> None:
        before = seen.get(axis, (0, ""))[0]
        seen[axis] = (0 if before * end < 0 else end, word)

    for word in words:
        for axis, end in listed.get(word, ()):
            note(f"#{axis}", end, word)
        if not chinese:
            root = antonyms.stem(word)
            if root and root in known:
                note(root, -1, word)
            note(word, 1, word)
    return {axis: place for axis, place in seen.items() if place[0]}


def _ends(
    texts: Sequence[str], tokens: Sequence[tuple[str, ...]], chinese: Sequence[bool], known: frozenset[str]
) -> sparse.csr_matrix:
    # Only words that a prefixed word of this corpus negates are an axis of their own.
    roots = frozenset(antonyms.stem(w) for w in known) & known
    rows: list[dict[str, float]] = []
    for of, words, zh in zip(texts, tokens, chinese, strict=True):
        at = stands(of, words, zh, known)
        rows.append({axis: float(end) for axis, (end, _) in at.items() if axis[0] == "#" or axis in roots})
    return _matrix(rows)


def _indicator(sets: Sequence[Iterable[object]]) -> sparse.csr_matrix:
    return _matrix([dict.fromkeys(of, 1.0) for of in sets])


def _weighted(sets: Sequence[Iterable[object]]) -> sparse.csr_matrix:
    made = _indicator(sets)
    rows = np.bincount(made.indices, minlength=1)
    rarity = np.log((len(sets) + 1.0) / (rows + 0.5)).astype(np.float32)
    made.data = np.maximum(rarity[made.indices], np.float32(1e-3))
    return made


def _matrix(rows: Sequence[Mapping[Any, float]]) -> sparse.csr_matrix:
    where: dict[object, int] = {}
    columns = np.fromiter((where.setdefault(k, len(where)) for r in rows for k in r), dtype=np.int32)
    values = np.fromiter((v for r in rows for v in r.values()), dtype=np.float32)
    starts = np.concatenate([[0], np.cumsum([len(r) for r in rows])]).astype(np.int32)
    made = sparse.csr_matrix((values, columns, starts), shape=(len(rows), max(1, len(where))))
    made.sort_indices()
    return made


def _hash(of: str) -> int:
    return text.stable_hash(of) if of else 0


def _hashes(of: Iterable[str]) -> Int64[ndarray, " n"]:
    return np.array([_hash(t) for t in of], dtype=np.int64)
