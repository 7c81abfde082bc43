"""Which of n texts are one text written twice: signatures, then candidate pairs, then every candidate verified.

Memory grows with the rows, never with the pairs: a row is compared with a few others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from app.domain.answers.agreement import CHARACTER_NGRAM_CJK, CHARACTER_NGRAM_LATIN
from app.domain.language import text
from app.domain.language.text import TEXT_MAX_CHARACTERS
from app.domain.near_duplicates import lsh, signatures, verification
from app.domain.near_duplicates.signatures import Signatures
from app.domain.near_duplicates.signatures import read as read_texts

# Share of a Jaccard threshold that the estimate has to reach: it errs by a few hundredths, and in shingles of three
# texts look more alike than in those of five.
_ESTIMATE_MARGIN: Final = 0.9

# Share of the characters in which two writings of one text may differ.
EDIT_SHARE: Final = 0.25

# Rows of one answer that a noisy row may stand for: itself, and a copy of that. Whoever has more is a version of a
# template.
_ROWS_BY_ANSWER: Final = 2

Read = Callable[[Sequence[str]], Signatures]

_PAIRS_AT_ONCE = 1 << 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """n texts ready to be compared.

    ``apart`` (n,): only rows of equal numbers are compared (frame and numbers of the text). Two texts are one
    where nothing that differs makes another question (``verification``) and either at most ``edit_share`` of the
    characters differ, or the Jaccard of their character n-grams reaches ``threshold``. ``lenient``: a changed letter
    or two need no other sign of a misspelling; nor do they between rows of equal ``answers`` (n,), 0 = none known,
    where little differs or in many places.
    """

    texts: Sequence[str]
    signatures: Signatures
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
            signatures=made,
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
        first_of, rows = self._first_of_equals(), np.arange(len(self.texts))
        filled = self.signatures.texts != 0
        again = np.flatnonzero((first_of != rows) & filled)
        equal = dict.fromkeys(zip(first_of[again].tolist(), again.tolist(), strict=True), 1.0)
        if self.threshold >= 1:
            return equal, {}
        # Versions of one text stand together, so that they meet in large buckets too.
        distinct: list[int] = np.flatnonzero((first_of == rows) & filled).tolist()
        distinct.sort(key=self.texts.__getitem__)
        order = np.array(distinct, dtype=np.int64)
        near, estimates = lsh.candidate_pairs(self.signatures.values[order], self.apart[order])
        near = np.sort(order[near], axis=1)
        alike, by_answer = self._verified(near, estimates)
        alone = (alike > 0) & ~by_answer
        certain = self._nearest_of_noisy(_pairs(near[alone], alike[alone]))
        answered = _pairs(near[by_answer], alike[by_answer])
        partners = Counter(row for pair in answered for row in pair)
        few = {p: v for p, v in answered.items() if max(partners[row] for row in p) <= _ROWS_BY_ANSWER}
        either = self._nearest_of_noisy(certain | few)
        return equal | certain, {pair: value for pair, value in few.items() if pair in either}

    def _nearest_of_noisy(self, pairs: dict[tuple[int, int], float]) -> dict[tuple[int, int], float]:
        """A noisy row that could be either of two goes with the one it is nearer to, unless these are one."""
        rows = sorted({row for pair in pairs for row in pair})
        known = dict(zip(rows, self.known_words(np.array(rows, dtype=np.int64)).tolist(), strict=True))
        nearest: dict[int, tuple[float, int]] = {}
        for (a, b), value in pairs.items():
            nearest[a] = max(nearest.get(a, (0.0, -1)), (value, b))
            nearest[b] = max(nearest.get(b, (0.0, -1)), (value, a))
        kept: dict[tuple[int, int], float] = {}
        for (a, b), value in pairs.items():
            noisy, other = (a, b) if known[a] < known[b] else (b, a)
            best, twin = nearest[noisy]
            if value == best or (min(twin, other), max(twin, other)) in pairs:
                kept[(a, b)] = value
        return kept

    def alike(self, pairs: Int64[ndarray, "m 2"]) -> Float32[ndarray, " m"]:
        """How alike the texts of each pair are, 0..1; 0 where they are not one text."""
        first_of = self._first_of_equals()
        made = np.zeros(len(pairs), dtype=np.float32)
        equal = (first_of[pairs[:, 0]] == first_of[pairs[:, 1]]) & (self.signatures.texts[pairs[:, 0]] != 0)
        made[equal] = 1.0
        asked = np.flatnonzero(~equal & (self.apart[pairs[:, 0]] == self.apart[pairs[:, 1]]))
        made[asked] = self._verified(pairs[asked], lsh.estimated(self.signatures.values, pairs[asked]))[0]
        return made

    def known_words(self, rows: Int64[ndarray, " m"]) -> Float32[ndarray, " m"]:
        """Share 0..1 of the words of each row that stand in the set more than once."""
        counts = self.signatures.words
        given: list[int] = rows.tolist()
        found = (signatures.words(text.normalised(text.clip(self.texts[row]))) for row in given)
        shares = [sum(counts[w] > 1 for w in of) / len(of) if of else 1.0 for of in found]
        return np.array(shares, dtype=np.float32)

    def _first_of_equals(self) -> Int64[ndarray, " n"]:
        """For each row the first one with the same text and frame."""
        keys = self.signatures.texts * np.int64(0x2545F4914F6CDD1D) ^ self.apart
        _, first, group = np.unique(keys, return_index=True, return_inverse=True)
        return first[group]

    def _verified(
        self, pairs: Int64[ndarray, "m 2"], estimates: Float32[ndarray, " m"]
    ) -> tuple[Float32[ndarray, " m"], ndarray]:
        """How alike, 0 = not one text; and whether only the answers say that they are one."""
        alike, by_answer = np.zeros(len(pairs), dtype=np.float32), np.zeros(len(pairs), dtype=bool)
        agreed = self._agreed(pairs)
        for start in range(0, len(pairs), _PAIRS_AT_ONCE):
            part = slice(start, start + _PAIRS_AT_ONCE)
            rows: list[list[int]] = pairs[part].T.tolist()
            left, right = ([self.texts[row] for row in side] for side in rows)
            found = self._read(left, right, estimates[part].tolist(), agreed[part].tolist())
            for i, (value, answered) in found.items():
                alike[start + i], by_answer[start + i] = value, answered
        return alike, by_answer

    def _read(
        self, left: Sequence[str], right: Sequence[str], estimates: Sequence[float], agreed: Sequence[bool]
    ) -> dict[int, tuple[float, bool]]:
        plain = [[text.normalised(text.clip(of)) for of in side] for side in (left, right)]
        edits = process.cpdist(
            *plain,
            scorer=Levenshtein.normalized_similarity,
            score_cutoff=1 - self.edit_share,
            dtype=np.float32,
        )
        found: dict[int, tuple[float, bool]] = {}
        for i, (edit, estimate) in enumerate(zip(edits.tolist(), estimates, strict=True)):
            # Of long texts the head and the tail are read: what lies between is known from the signatures alone.
            long = max(len(left[i]), len(right[i])) > TEXT_MAX_CHARACTERS
            near = estimate >= _ESTIMATE_MARGIN * self.threshold
            if (long and estimate < self.threshold) or not (edit or near):
                continue
            one, other = plain[0][i], plain[1][i]
            same = verification.compared(one, other, self.signatures.words, lenient=self.lenient)
            if same is None:
                continue
            value = edit if same.added <= verification.ADDED_SHARE * max(len(one), len(other)) else 0.0
            if same.one_text and not value:
                value = estimate if long else exact_jaccard(left[i], right[i])
                value = value if value >= self.threshold else 0.0
            if same.one_text and value:
                found[i] = value, False
            elif same.one_of_answer and edit and agreed[i]:
                found[i] = edit, True
        # 1.0 is for equals.
        return {i: (min(value, 0.999), by_answer) for i, (value, by_answer) in found.items()}

    def _agreed(self, pairs: Int64[ndarray, "m 2"]) -> ndarray:
        """Whether both rows are known to have the same answer."""
        if self.answers is None:
            return np.zeros(len(pairs), dtype=bool)
        left, right = self.answers[pairs].T
        return (left == right) & (left != 0)


def _pairs(rows: Int64[ndarray, "m 2"], values: Float32[ndarray, " m"]) -> dict[tuple[int, int], float]:
    return {(a, b): value for (a, b), value in zip(rows.tolist(), values.tolist(), strict=True)}


def _numbered(answers: Sequence[str]) -> Int64[ndarray, " n"]:
    """Equal numbers for equal answers, 0 for empty ones."""
    numbers = {"": 0}
    return np.array([numbers.setdefault(of, len(numbers)) for of in answers], dtype=np.int64)


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
