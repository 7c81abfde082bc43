"""What differs between two short texts: numbers, negation, names, direction, word order, the other words.

Closeness does not tell a paraphrase from its opposite ("freeze my card", "unfreeze my card"); what differs
does. Texts are read once into sparse rows (``read``), any number of pairs is then compared as arrays
(``compare``); ``between`` spells the differences of one pair out for the evidence. English and Chinese.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Int64
from numpy import ndarray
from scipy import sparse

from app.domain.language import quantities, text, text_diff
from app.domain.language.stop_words import STOP_WORDS
from app.domain.language.text_features import Readings, names_in, read, route, stands

PAIR_CHUNK: Final = 20_000

__all__ = ["COLUMNS", "Difference", "DifferenceKind", "Readings", "between", "compare", "contrasts", "read"]


_BEGINS_AFTER = ".?!:;()[]"
_QUOTES = '"“‘'


class DifferenceKind(StrEnum):
    NUMBER = "number"
    NEGATION = "negation"
    ENTITY = "entity"
    DIRECTION = "direction"
    WORDS = "words"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not the same; '' where a side lacks it."""

    kind: DifferenceKind
    left: str
    right: str


COLUMNS = (
    "words_shared",
    "shorter_contained",
    "longer_contained",
    "rarest_difference",
    "rarest_on_both_sides",
    "difference_mass",
    "order_shared",
    "length_gap",
    "shorter_length",
    "number_differs",
    "negation_differs",
    "direction_differs",
    "name_differs",
    "only_order_differs",
)
"""Shares 0..1; rarities and masses in nats of inverse document frequency; lengths in log tokens; the last
five 0 or 1."""


def compare(
    readings: Readings, left: Int64[ndarray, " p"], right: Int64[ndarray, " p"]
) -> Float32[ndarray, "p c"]:
    """Shape (p, len(COLUMNS)): what differs between text ``left[i]`` and text ``right[i]``. Symmetric."""
    made = np.empty((len(left), len(COLUMNS)), dtype=np.float32)
    step = PAIR_CHUNK
    for start in range(0, len(left), step):
        part = slice(start, start + step)
        made[part] = _compare(readings, left[part], right[part])
    return made


def _compare(
    readings: Readings, left: Int64[ndarray, " p"], right: Int64[ndarray, " p"]
) -> Float32[ndarray, "p c"]:
    words_left, words_right = readings.words[left], readings.words[right]
    apart = (words_left - words_right).tocsr()
    rarest_left = np.maximum(apart.max(axis=1).toarray().ravel(), 0.0)
    rarest_right = np.maximum(-apart.min(axis=1).toarray().ravel(), 0.0)
    mass_left, mass_right = _sums(words_left), _sums(words_right)
    apart_mass = _sums(abs(apart))
    shared = np.maximum((mass_left + mass_right - apart_mass) / 2, 0.0)
    order_left, order_right = readings.bigrams[left], readings.bigrams[right]
    order_mass, order_apart = _sums(order_left) + _sums(order_right), _sums(abs(order_left - order_right))
    shorter = np.minimum(readings.lengths[left], readings.lengths[right])
    longer = np.maximum(readings.lengths[left], readings.lengths[right])
    opposed = _sums(readings.ends[left].multiply(readings.ends[right]).minimum(0))
    turned = _crossed(readings.routes, left, right)
    names_left, names_right = readings.names[left], readings.names[right]
    other_names = (
        (_sums(names_left) > 0) & (_sums(names_right) > 0) & (_sums(abs(names_left - names_right)) > 0)
    )
    return np.column_stack(
        [
            shared / np.maximum(shared + apart_mass, 1e-6),
            shared / np.maximum(np.minimum(mass_left, mass_right), 1e-6),
            shared / np.maximum(np.maximum(mass_left, mass_right), 1e-6),
            np.maximum(rarest_left, rarest_right),
            np.minimum(rarest_left, rarest_right),
            apart_mass,
            (order_mass - order_apart) / np.maximum(order_mass + order_apart, 1e-6),
            (longer - shorter) / np.maximum(longer, 1.0),
            np.log1p(shorter),
            readings.numbers[left] != readings.numbers[right],
            readings.negated[left] != readings.negated[right],
            (opposed < 0) | turned,
            other_names,
            _crossed(readings.bags, left, right),
        ]
    ).astype(np.float32)


def _crossed(
    hashes: Int64[ndarray, "n 2"], left: Int64[ndarray, " p"], right: Int64[ndarray, " p"]
) -> Bool[ndarray, " p"]:
    """The same things (second hash) in another order (first hash)."""
    same_things = (hashes[left, 1] == hashes[right, 1]) & (hashes[left, 1] != 0)
    return same_things & (hashes[left, 0] != hashes[right, 0])


def between(left: str, right: str) -> tuple[Difference, ...]:
    """The differences of one pair, the telling kinds first; () for texts that read the same."""
    found = list(contrasts(left, right))
    tokens = text.tokens(left), text.tokens(right)
    chinese = text.is_chinese(left), text.is_chinese(right)
    names = _names(left, chinese[0]), _names(right, chinese[1])
    if names[0] and names[1] and names[0] != names[1]:
        found.append(_difference(DifferenceKind.ENTITY, *_only(sorted(names[0]), sorted(names[1]))))
    reported = frozenset(t for d in found for t in text.tokens(f"{d.left} {d.right}"))
    for change in text_diff.changes(*tokens):
        a, b = tokens[0][change.start : change.end], tokens[1][change.new_start : change.new_end]
        if not (set(a) | set(b)) <= reported:
            found.append(_difference(DifferenceKind.WORDS, a, b, joint="" if any(chinese) else " "))
    return tuple(found)


def contrasts(left: str, right: str) -> tuple[Difference, ...]:
    """Those in numbers, negation and direction alone, which no spelling explains."""
    found: list[Difference] = []
    numbers = text.numbers(quantities.in_digits(left)), text.numbers(quantities.in_digits(right))
    if sorted(numbers[0]) != sorted(numbers[1]):
        found.append(_difference(DifferenceKind.NUMBER, *_only(*numbers)))
    if text.negations(left) % 2 != text.negations(right) % 2:
        found.append(
            _difference(DifferenceKind.NEGATION, text.negating_words(left), text.negating_words(right))
        )
    tokens = text.tokens(left), text.tokens(right)
    found.extend(_directions((left, right), tokens, (text.is_chinese(left), text.is_chinese(right))))
    return tuple(found)


def _names(of: str, chinese: bool) -> frozenset[str]:
    """Without what has its capital from the beginning of a sentence or an item, and without single letters."""
    return frozenset(
        name for name in names_in(of, chinese) if len(name) > 1 and (chinese or _inside(name, of))
    )


def _inside(name: str, of: str) -> bool:
    if name in STOP_WORDS:
        return False
    said = ((m[0], of[: m.start()].rstrip()) for m in re.finditer(re.escape(name), of, re.IGNORECASE))
    return any(
        lead[-1] in _QUOTES or (written != name and lead[-1] not in _BEGINS_AFTER)
        for written, lead in said
        if lead
    )


def _difference(
    kind: DifferenceKind, left: Iterable[str], right: Iterable[str], joint: str = " "
) -> Difference:
    return Difference(kind=kind, left=joint.join(left), right=joint.join(right))


def _only(left: Sequence[str], right: Sequence[str]) -> tuple[list[str], list[str]]:
    """What one side has more of than the other, in order."""
    surplus = Counter(left) - Counter(right), Counter(right) - Counter(left)
    return list(surplus[0].elements()), list(surplus[1].elements())


def _directions(
    texts: tuple[str, str], tokens: tuple[tuple[str, ...], ...], chinese: tuple[bool, bool]
) -> list[Difference]:
    known = frozenset(tokens[0]) | frozenset(tokens[1])
    sides = [stands(t, of, zh, known) for t, of, zh in zip(texts, tokens, chinese, strict=True)]
    found = [
        Difference(kind=DifferenceKind.DIRECTION, left=sides[0][axis][1], right=sides[1][axis][1])
        for axis in sides[0]
        if axis in sides[1] and sides[0][axis][0] * sides[1][axis][0] < 0
    ]
    routes = route(texts[0]), route(texts[1])
    if all(routes) and routes[0] != routes[1] and sorted(routes[0]) == sorted(routes[1]):
        found.append(
            Difference(kind=DifferenceKind.DIRECTION, left=" → ".join(routes[0]), right=" → ".join(routes[1]))
        )
    return found


def _sums(of: sparse.csr_matrix) -> Float32[ndarray, " n"]:
    return np.asarray(of.sum(axis=1), dtype=np.float32).ravel()
