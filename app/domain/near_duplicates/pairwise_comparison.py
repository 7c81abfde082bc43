"""Which of n texts are one text written twice: sketches, then candidates, then every candidate read in full.

Memory grows with the rows (some 5 kB each at the peak), never with the pairs: a row is compared with a few others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64
from numpy import ndarray
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from app.domain.answers.agreement import CHARACTER_NGRAM_CJK, CHARACTER_NGRAM_LATIN
from app.domain.language import text
from app.domain.language.text import TEXT_MAX_CHARACTERS
from app.domain.near_duplicates import candidates, minhash, typos, vocabulary
from app.domain.near_duplicates.minhash import Sketches
from app.domain.near_duplicates.minhash import read as read_texts
from app.domain.near_duplicates.vocabulary import OtherWords

# Share of a Jaccard threshold that the estimate has to reach: it errs by a few hundredths, and in shingles of three
# texts look more alike than in those of five.
_ESTIMATE_MARGIN: Final = 0.9

# Share of the characters in which two writings of one text may differ when every difference is a slip.
EDIT_SHARE: Final = 0.25

# Share of the longer text that words without a counterpart may make up ("please", "thanks").
_ADDED_SHARE: Final = 0.05

# Rows of one answer that a noisy row may stand for: itself, and a copy of that.
_GARBLED_PARTNERS: Final = 2


Read = Callable[[Sequence[str]], Sketches]

_PAIRS_AT_ONCE = 1 << 14
_WORDS_AT_ONCE = 1 << 10
"""Pairs whose words stay in a core's cache."""

_READ_AT_ONCE = 1 << 7
_ENDING = 3
"""Characters of the longest ending that leaves a word the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """n texts ready to be compared.

    ``apart`` (n,): only rows of equal numbers are compared (frame and numbers of the text). Two texts are one
    where nothing that differs makes another question (``typos``) and either at most ``edit_share`` of the
    characters differ, or the Jaccard of their character n-grams reaches ``threshold``. ``lenient``: words that
    changed as spread slips would change them count as slips without another sign. So they do between rows of equal
    ``answers`` (n,), 0 = none known, where little differs or in many places.
    """

    texts: Sequence[str]
    sketches: Sketches
    apart: Int64[ndarray, " n"]
    threshold: float
    edit_share: float
    lenient: bool = False
    answers: Int64[ndarray, " n"] | None = None

    @classmethod
    def of(
        cls,
        texts: Sequence[str],
        frames: Sequence[str],
        threshold: float,
        *,
        edit_share: float = EDIT_SHARE,
        lenient: bool = False,
        answers: Sequence[str] | None = None,
        read: Read = read_texts,
    ) -> Comparison:
        """``answers``: what the rows answer, "" = nothing. ValueError where there is not one of all for each text."""
        for name, given in (("frames", frames), ("answers", answers)):
            if given is not None and len(given) != len(texts):
                raise ValueError(f"{len(given)} {name} for {len(texts)} texts; give one for each")
        made = read(texts)
        hashes = {frame: text.stable_hash(frame) for frame in dict.fromkeys(frames)}
        framed = np.array([hashes[frame] for frame in frames], dtype=np.int64)
        return cls(
            texts=texts,
            sketches=made,
            apart=(framed * np.int64(0x5851F42D4C957F2D)) ^ made.numbers,
            threshold=threshold,
            edit_share=edit_share,
            lenient=lenient,
            answers=None if answers is None else _numbered(answers),
        )

    def strict(self) -> Comparison:
        """The same texts, whatever is answered to them."""
        return replace(self, answers=None)

    def found(self) -> dict[tuple[int, int], float]:
        """Pairs (first < second) that are one text, and how alike they are, 0..1: rows that are equal when
        normalised with the first of them (1.0), near ones with the larger of edit similarity and Jaccard."""
        alone, by_answers = self.found_apart()
        return alone | by_answers

    def found_apart(self) -> tuple[dict[tuple[int, int], float], dict[tuple[int, int], float]]:
        """Those that are one text whatever is answered, and those for which only the answers match."""
        first_of = self._first_of_equals()
        filled = self.sketches.wholes != 0
        again = np.flatnonzero((first_of != np.arange(len(first_of))) & filled)
        equal = dict.fromkeys(zip(first_of[again].tolist(), again.tolist(), strict=True), 1.0)
        if self.threshold >= 1:
            return equal, {}
        rows = np.flatnonzero((first_of == np.arange(len(first_of))) & filled)
        near, estimates = candidates.pairs(self.sketches.signatures[rows], self.apart[rows])
        alike = np.zeros(len(near), dtype=np.float32)
        order = candidates.by_family(near, len(rows))
        near = rows[near]
        for part, made in self._measured(near[order], estimates[order]):
            alike[order[part]] = made
        near, alike = near[alike > 0], alike[alike > 0]
        strictly = alike.copy()
        agreed = np.flatnonzero(self._agreed(near))
        strictly[agreed] = self.strict().alike(near[agreed])
        told = self._without_rivals(near[strictly > 0], strictly[strictly > 0])
        answered = agreed[strictly[agreed] == 0]
        either = self._without_rivals(near, alike) if answered.size else {}
        few = _without_crowds([(a, b) for a, b in near[answered].tolist()])
        return equal | told, {pair: either[pair] for pair in few if pair in either}

    def _without_rivals(
        self, pairs: Int64[ndarray, "m 2"], alike: Float32[ndarray, " m"]
    ) -> dict[tuple[int, int], float]:
        """A noisy row that could be either of two goes with the one it is nearer to, unless these are one."""
        rows, where = np.unique(pairs, return_inverse=True)
        known = self.known_words(rows)[where.reshape(-1, 2)]
        told = {(a, b): value for (a, b), value in zip(pairs.tolist(), alike.tolist(), strict=True)}
        nearest: dict[int, tuple[float, int]] = {}
        for (a, b), value in told.items():
            for row, other in ((a, b), (b, a)):
                if value > nearest.get(row, (0.0, 0))[0]:
                    nearest[row] = (value, other)
        kept: dict[tuple[int, int], float] = {}
        for ((a, b), value), (known_a, known_b) in zip(told.items(), known.tolist(), strict=True):
            noisy, other = (a, b) if known_a < known_b else (b, a)
            best, twin = nearest[noisy]
            rival = (min(twin, other), max(twin, other))
            if twin == other or value == best or rival in told:
                kept[(a, b)] = value
        return kept

    def alike(self, pairs: Int64[ndarray, "m 2"]) -> Float32[ndarray, " m"]:
        """How alike the texts of each pair are, 0..1; 0 where they are not one text."""
        first_of = self._first_of_equals()
        made = np.zeros(len(pairs), dtype=np.float32)
        equal = (first_of[pairs[:, 0]] == first_of[pairs[:, 1]]) & (self.sketches.wholes[pairs[:, 0]] != 0)
        made[equal] = 1.0
        open_ = np.flatnonzero(~equal & (self.apart[pairs[:, 0]] == self.apart[pairs[:, 1]]))
        signatures = self.sketches.signatures
        for start in range(0, len(open_), _PAIRS_AT_ONCE):
            some = open_[start : start + _PAIRS_AT_ONCE]
            estimates = minhash.jaccard(signatures[pairs[some, 0]], signatures[pairs[some, 1]])
            for part, alike in self._measured(pairs[some], estimates):
                made[some[part]] = alike
        return made

    def known_words(self, rows: Int64[ndarray, " m"]) -> Float32[ndarray, " m"]:
        """Share 0..1 of the words of each row that stand in the set more than once."""
        made = np.ones(len(rows), dtype=np.float32)
        for start in range(0, len(rows), _PAIRS_AT_ONCE):
            part = slice(start, start + _PAIRS_AT_ONCE)
            made[part] = vocabulary.known_share(self.sketches, rows[part])
        return made

    def _first_of_equals(self) -> Int64[ndarray, " n"]:
        """For each row the first one with the same text and frame."""
        keys = self.sketches.wholes * np.int64(0x2545F4914F6CDD1D) ^ self.apart
        _, first, group = np.unique(keys, return_index=True, return_inverse=True)
        return first[group]

    def _measured(
        self, pairs: Int64[ndarray, "m 2"], estimates: Float32[ndarray, " m"]
    ) -> Iterator[tuple[slice, Float32[ndarray, " p"]]]:
        for start in range(0, len(pairs), _PAIRS_AT_ONCE):
            part = slice(start, start + _PAIRS_AT_ONCE)
            yield part, self._compared(pairs[part], estimates[part])

    def _compared(
        self, pairs: Int64[ndarray, "m 2"], estimates: Float32[ndarray, " m"]
    ) -> Float32[ndarray, " m"]:
        """How alike the texts of each pair are: what decides most at the least cost is asked first."""
        made = np.zeros(len(pairs), dtype=np.float32)
        characters = self.sketches.characters[pairs]
        longest = characters.max(axis=1)
        # As many characters as the longer one has more are edits.
        near = longest - characters.min(axis=1) <= self.edit_share * longest
        near |= self._worth(estimates) | (longest > TEXT_MAX_CHARACTERS)
        asked = np.flatnonzero(near)
        made[asked] = self._read(pairs[asked], estimates[asked])
        return made

    def _worth(self, estimates: Float32[ndarray, " m"]) -> Bool[ndarray, " m"]:
        return estimates >= _ESTIMATE_MARGIN * self.threshold

    def _read(
        self, pairs: Int64[ndarray, "m 2"], estimates: Float32[ndarray, " m"]
    ) -> Float32[ndarray, " m"]:
        rows, where = np.unique(pairs, return_inverse=True)
        where = where.reshape(-1, 2)
        read: list[int] = rows.tolist()
        raw = [self.texts[row] for row in read]
        plain = [text.normalised(text.clip(of)) for of in raw]
        sides: list[list[int]] = where.T.tolist()
        left, right = ([plain[i] for i in side] for side in sides)
        distances = process.cpdist(left, right, scorer=Levenshtein.distance, dtype=np.int32)
        longest = np.maximum(np.array([*map(len, plain)], dtype=np.int32)[where].max(axis=1), 1)
        edits = (1.0 - distances / longest).astype(np.float32)
        edits[edits < 1.0 - self.edit_share] = 0
        # Of long texts the head and the tail are read: what lies between is known from the signatures alone.
        clipped = np.array([len(of) > TEXT_MAX_CHARACTERS for of in raw], dtype=bool)
        long = clipped[where[:, 0]] | clipped[where[:, 1]]
        edits[long & (estimates < self.threshold)] = 0
        asked = np.flatnonzero((edits > 0) | self._worth(estimates))
        agreed = self._agreed(pairs)
        told = np.zeros(len(pairs), dtype=bool)
        if not self.lenient:
            spaced = vocabulary.spaced_words(self.sketches, rows)[where[asked]]
            told[asked] = self._told(pairs[asked], spaced, distances[asked])
            asked = asked[~told[asked] | agreed[asked]]
        made = np.zeros(len(pairs), dtype=np.float32)
        chosen: list[int] = asked.tolist()
        for i, differs in zip(chosen, self._differences(asked, left, right, agreed), strict=True):
            if differs is None or (told[i] and not differs.noisy):
                continue
            if edits[i] == 0 or differs.added > _ADDED_SHARE * longest[i]:
                near = float(estimates[i]) if long[i] else exact_jaccard(raw[sides[0][i]], raw[sides[1][i]])
                made[i] = near if near >= self.threshold else 0.0
            else:
                made[i] = edits[i]
        # 1.0 is for equals.
        return np.minimum(made, np.float32(0.999))

    def _agreed(self, pairs: Int64[ndarray, "m 2"]) -> Bool[ndarray, " m"]:
        """Whether both rows are known to have the same answer."""
        if self.answers is None:
            return np.zeros(len(pairs), dtype=bool)
        left, right = self.answers[pairs].T
        return (left == right) & (left != 0)

    def _told(
        self,
        pairs: Int64[ndarray, "m 2"],
        spaced: Int64[ndarray, "m 2"],
        distances: Int32[ndarray, " m"],
    ) -> Bool[ndarray, " m"]:
        """Whether words that the set knows tell the texts of a pair apart, however few letters differ."""
        made = np.zeros(len(pairs), dtype=bool)
        for start in range(0, len(pairs), _WORDS_AT_ONCE):
            part = np.arange(start, min(start + _WORDS_AT_ONCE, len(pairs)))
            placed = vocabulary.replaced_words(self.sketches, pairs[part], spaced[part])
            made[part] = _beyond_endings(placed, distances[part])
            part = part[~made[part]]
            other = vocabulary.other_words(self.sketches, pairs[part])
            made[part] = _beyond_endings(other, distances[part])
        return made

    def _differences(
        self,
        asked: Int64[ndarray, " k"],
        left: Sequence[str],
        right: Sequence[str],
        agreed: Bool[ndarray, " m"],
    ) -> Iterator[typos.Differences | None]:
        # In small parts: what stands in memory at once the garbage collector walks through again and again.
        for start in range(0, len(asked), _READ_AT_ONCE):
            part: list[int] = asked[start : start + _READ_AT_ONCE].tolist()
            pairs = [(left[i], right[i]) for i in part]
            same: list[bool] = agreed[part].tolist()
            yield from typos.differences(pairs, self._occurrences, agreed=same, lenient=self.lenient)

    def _occurrences(self, words: Sequence[str]) -> list[int]:
        return minhash.occurrences(self.sketches.counts, words)


def _without_crowds(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """A noisy row has a partner or two; whoever has more is a version of a template among others."""
    partners = Counter(row for pair in pairs for row in pair)
    return [pair for pair in pairs if max(partners[row] for row in pair) <= _GARBLED_PARTNERS]


def _numbered(answers: Sequence[str]) -> Int64[ndarray, " n"]:
    """Equal numbers for equal answers, 0 for empty ones."""
    numbers = {"": 0}
    return np.array([numbers.setdefault(of, len(numbers)) for of in answers], dtype=np.int64)


def _beyond_endings(of: OtherWords, distances: Int32[ndarray, " m"]) -> Bool[ndarray, " m"]:
    # Of one or two words an ending may be all that differs.
    return of.told & ((of.words == 0) | (of.words > 2) | (distances > _ENDING * of.words))


def exact_jaccard(left: str, right: str) -> float:
    """Jaccard of the two texts' character n-gram sets, 0..1 (bigrams where CJK carries one of them)."""
    (n_left, a), (n_right, b) = _grams(left), _grams(right)
    if n_left != n_right:
        a, b = (text.character_ngrams(t, min(n_left, n_right)) for t in (left, right))
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared) if shared else 0.0


# Pairs come sorted, so that a text is compared with several others in a row.
@lru_cache(maxsize=256)
def _grams(of: str) -> tuple[int, frozenset[str]]:
    n = CHARACTER_NGRAM_CJK if text.is_chinese(of) else CHARACTER_NGRAM_LATIN
    return n, text.character_ngrams(of, n)
