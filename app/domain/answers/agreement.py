"""Which texts are near each other, and which outputs say the same.

Arrays in, arrays out. Knows MinHash and what an output commits to (a label, a final answer, numbers, a
negation). Does not know root causes.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt32
from numpy import ndarray
from rensa.rensa import RMinHash

from app.domain.answers import canonical, certainty
from app.domain.answers import commitments as commit
from app.domain.answers.certainty import certainly_equal
from app.domain.answers.labels import CLOSED_ANSWER_MAX_TOKENS
from app.domain.language import quantities, text
from app.domain.vectors import half_precision
from app.domain.vectors.half_precision import UnitVectors
from app.domain.vectors.search import Neighbors, nearest, nearest_others

_MINHASH_PERMUTATIONS: Final = 128
"""Standard error of a Jaccard estimate: sqrt(J(1-J)/128), .044 at worst."""

SIGNATURE_CHUNK: Final = 2000
CHARACTER_NGRAM_LATIN: Final = 5
CHARACTER_NGRAM_CJK: Final = 2
"""A Chinese word is about two characters: five of them would be a clause."""

_NEAR_DUPLICATE_JACCARD: Final = 0.7
"""Character n-gram Jaccard from which two texts count as the same text with small edits (Lee et al. 2022)."""


FINAL_ANSWER_MAX_TOKENS: Final = 8
"""A last line longer than this is a sentence of the text, not its final answer."""

_UNRELATED_QUANTILE: Final = 0.99
"""Random pairs of outputs are taken as unrelated; above this quantile of their cosines few are."""

_SAME_MEANING_COSINE_WITHOUT_DATA: Final = 0.8
"""Only where there are no two outputs to learn the cut from."""


def signatures(texts: Sequence[str]) -> UInt32[ndarray, "n p"]:
    """MinHash signatures of the texts' character n-grams (bigrams for Chinese); an empty text's are all 0.

    Broder 1997. The share of equal entries of two signatures estimates the Jaccard of the n-gram sets.
    """
    permutations = _MINHASH_PERMUTATIONS
    made = np.zeros((len(texts), permutations), dtype=np.uint32)
    # In parts: the n-grams of a hundred thousand rows at once would be gigabytes of small strings.
    for start in range(0, len(texts), SIGNATURE_CHUNK):
        grams = [list(_grams(t)) for t in texts[start : start + SIGNATURE_CHUNK]]
        filled = np.array([i for i, g in enumerate(grams) if g], dtype=np.int64)
        if filled.size:
            sets = [grams[i] for i in filled]
            digests = RMinHash.digests_from_token_sets(sets, num_perm=permutations, seed=1)
            made[start + filled] = np.asarray(digests, dtype=np.uint32)
    return made


def _grams(of: str) -> frozenset[str]:
    clipped = text.clip(of)
    n = CHARACTER_NGRAM_CJK if text.is_chinese(clipped) else CHARACTER_NGRAM_LATIN
    return text.character_ngrams(clipped, n)


def jaccard(left: UInt32[ndarray, "*s p"], right: UInt32[ndarray, "*s p"]) -> Float32[ndarray, "*s"]:
    """Estimated Jaccard 0..1 of signature pairs, elementwise; 0 where one text was empty."""
    equal = (left == right).mean(axis=-1, dtype=np.float32)
    return np.where(left.any(axis=-1) & right.any(axis=-1), equal, np.float32(0.0))


__all__ = [
    "Commitments",
    "NearDuplicates",
    "Neighbors",
    "commitments",
    "final_answer",
    "jaccard",
    "labels_of",
    "meaning_cut",
    "near_duplicates",
    "nearest",
    "nearest_others",
    "nothing_said",
    "outputs_agree",
    "outputs_equal",
    "signatures",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDuplicates:
    """``pairs`` (m, 2) row numbers, first < second, ascending; ``jaccards`` (m,) their estimated Jaccard."""

    pairs: Int64[ndarray, "m 2"]
    jaccards: Float32[ndarray, " m"]


def near_duplicates(texts: Sequence[str], threshold: float = _NEAR_DUPLICATE_JACCARD) -> NearDuplicates:
    """Pairs of texts whose character n-gram Jaccard is at least ``threshold``, by banded MinHash.

    Band width: the widest that still lets 95 of 100 pairs at the threshold meet in a band.
    """
    made = signatures(texts)
    candidates: set[tuple[int, int]] = set()
    width = _band_width(threshold)
    for start in range(0, made.shape[1] - width + 1, width):
        candidates.update(_same_band(made[:, start : start + width]))
    pairs = np.array(sorted(candidates), dtype=np.int64).reshape(-1, 2)
    similar = jaccard(made[pairs[:, 0]], made[pairs[:, 1]])
    keep = similar >= threshold
    return NearDuplicates(pairs=pairs[keep], jaccards=similar[keep])


def _band_width(threshold: float) -> int:
    permutations = _MINHASH_PERMUTATIONS
    fitting = [r for r in range(1, 33) if 1 - (1 - threshold**r) ** (permutations // r) >= 0.95]
    return max(fitting, default=1)


def _same_band(band: UInt32[ndarray, "n r"]) -> list[tuple[int, int]]:
    """Pairs of rows with equal bands; a group of equals is chained by neighbours and to its first row."""
    rows = np.flatnonzero(band.any(axis=1))
    if rows.size < 2:
        return []
    _, group = np.unique(band[rows], axis=0, return_inverse=True)
    order = np.argsort(group, kind="stable")
    members = np.split(rows[order], np.flatnonzero(np.diff(group[order])) + 1)
    pairs: list[tuple[int, int]] = []
    for m in members:
        # A thousand copies of one text would be half a million pairs: first-to-each and chain suffice
        # for union-find and cost 2n.
        pairs.extend((int(m[0]), int(other)) for other in m[1:])
        pairs.extend((int(a), int(b)) for a, b in itertools.pairwise(m[1:]))
    return pairs


_IN_WORDS = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitments:
    """What n outputs commit to, as arrays, so that a million pairs are compared at once.

    ``texts``: the outputs. ``exact``: hash of the text, ``whole`` of its spelling in lower case
    (``answers.canonical``), 0 = empty. ``final``: hash of the final answer of a text that ends with one ("Final
    answer: 42"), 0 = none. ``numbers``: hash of the sorted numbers, 0 = none, ``_IN_WORDS`` = some may be words.
    ``negated``: odd number of negations. ``closed``: a label or a short answer: agrees only when equal.
    """

    texts: tuple[str, ...]
    exact: Int64[ndarray, " n"]
    whole: Int64[ndarray, " n"]
    final: Int64[ndarray, " n"]
    numbers: Int64[ndarray, " n"]
    negated: Bool[ndarray, " n"]
    closed: Bool[ndarray, " n"]
    vectors: UnitVectors

    def __len__(self) -> int:
        return len(self.whole)

    def take(self, rows: Int64[ndarray, " m"]) -> Commitments:
        return Commitments(
            texts=tuple(self.texts[row] for row in rows.tolist()),
            exact=self.exact[rows],
            whole=self.whole[rows],
            final=self.final[rows],
            numbers=self.numbers[rows],
            negated=self.negated[rows],
            closed=self.closed[rows],
            vectors=self.vectors[rows],
        )


def nothing_said(rows: int, dimensions: int) -> Commitments:
    """The commitments of empty outputs: they agree with nothing."""
    return commitments([""] * rows, np.zeros((rows, dimensions), dtype=np.float32))


def commitments(
    outputs: Sequence[str], vectors: UnitVectors, labels: frozenset[int] = frozenset()
) -> Commitments:
    """Read the outputs once. ``labels``: whole-hashes of the outputs that repeat in the training set."""
    seen: dict[str, tuple[int, int, int, bool, bool, int]] = {}
    for output in outputs:
        if output not in seen:
            seen[output] = _commitment(output, labels)
    columns = [seen[o] for o in outputs]
    return Commitments(
        texts=tuple(outputs),
        exact=np.array([c[5] for c in columns], dtype=np.int64),
        whole=np.array([c[0] for c in columns], dtype=np.int64),
        final=np.array([c[1] for c in columns], dtype=np.int64),
        numbers=np.array([c[2] for c in columns], dtype=np.int64),
        negated=np.array([c[3] for c in columns], dtype=bool),
        closed=np.array([c[4] for c in columns], dtype=bool),
        vectors=vectors,
    )


def labels_of(outputs: Sequence[str]) -> frozenset[int]:
    """Whole-hashes of the outputs that repeat in a training set: there an output is a label."""
    counts = Counter(outputs)
    merged: Counter[int] = Counter()
    for output, rows in counts.items():
        merged[_whole(output)] += rows
    return frozenset(h for h, rows in merged.items() if rows > 1 and h)


def _whole(output: str) -> int:
    # Punctuation alone ("?") is an answer too. Always even: odd numbers are names for what no text says.
    return text.stable_hash(canonical.loose(output)) & ~1 or 2 if output.strip() else 0


def _commitment(output: str, labels: frozenset[int]) -> tuple[int, int, int, bool, bool, int]:
    whole = _whole(output)
    clipped = text.clip(output)
    tokens = text.tokens(clipped)
    final = final_answer(clipped)
    found = sorted(text.numbers(clipped))
    in_words = not quantities.VOCABULARY.isdisjoint(tokens)
    return (
        whole,
        text.stable_hash(final) if final else 0,
        _IN_WORDS if in_words else text.stable_hash(" ".join(found)) if found else 0,
        text.negations(clipped) % 2 == 1,
        whole in labels or len(tokens) <= CLOSED_ANSWER_MAX_TOKENS,
        text.stable_hash(output.strip()),
    )


def final_answer(output: str) -> str:
    """What the last line of a longer text names as its answer ("Final answer: 42" -> "42"), in its spelling and in
    lower case; '' where it names none, or no short one."""
    final = certainty.final_answer(output)
    short = 0 < len(text.tokens(final)) <= FINAL_ANSWER_MAX_TOKENS
    return canonical.loose(final) if short else ""


def meaning_cut(vectors: UnitVectors, rng: np.random.Generator) -> float:
    """Cosine from which two free texts of *this* training set mean the same.

    Halfway between what unrelated outputs reach (the .99 quantile of random pairs) and identity.
    """
    filled = half_precision.filled(vectors)
    if filled.size < 2:
        return _SAME_MEANING_COSINE_WITHOUT_DATA
    left, right = rng.choice(filled, 4000), rng.choice(filled, 4000)
    cosines = np.einsum("ij,ij->i", vectors[left], vectors[right])[left != right]
    if not cosines.size:
        return _SAME_MEANING_COSINE_WITHOUT_DATA
    unrelated = np.quantile(cosines, _UNRELATED_QUANTILE)
    return float((1.0 + max(0.0, min(1.0, unrelated))) / 2)


def outputs_equal(
    left: Commitments, left_rows: Int64[ndarray, "*s"], right: Commitments, right_rows: Int64[ndarray, "*s"]
) -> Bool[ndarray, "*s"]:
    """Whether two outputs are certainly the same, elementwise (``answers.certainty``); an empty one equals none."""
    a, b = left_rows, right_rows
    equal = (left.whole[a] == right.whole[b]) & (left.whole[a] != 0)
    # Equal spellings in lower case are mostly equal texts; of the others the case may matter.
    return _kept(
        equal & (left.exact[a] != right.exact[b]),
        equal,
        left,
        a,
        right,
        b,
        lambda x, y: bool(certainly_equal(x, y)),
    )


def outputs_agree(
    left: Commitments,
    left_rows: Int64[ndarray, "*s"],
    right: Commitments,
    right_rows: Int64[ndarray, "*s"],
    *,
    same_meaning_cosine: float,
) -> Bool[ndarray, "*s"]:
    """Whether two outputs say the same, elementwise.

    Certainly the same; else, both being free text: the same final answer where both end with one, otherwise similar
    meaning with nothing that commits being different (``answers.commitments``). Labels agree only when equal. An
    empty output agrees with nothing.
    """
    a, b = left_rows, right_rows
    same_text = outputs_equal(left, a, right, b)
    free = ~left.closed[a] & ~right.closed[b]
    both_final = (left.final[a] != 0) & (right.final[b] != 0)
    same_final = both_final & (left.final[a] == right.final[b])
    candidates = free & ~both_final & ~same_text
    numbers, others = left.numbers[a], right.numbers[b]
    candidates &= (numbers == others) | (numbers == _IN_WORDS) | (others == _IN_WORDS)
    candidates &= left.negated[a] == right.negated[b]
    same_meaning = np.zeros(candidates.shape, dtype=bool)
    where = np.nonzero(candidates)
    if where[0].size:
        cosines = _cosines(left.vectors, a[where], right.vectors, b[where])
        same_meaning[where] = cosines >= same_meaning_cosine
    # What differs in detail is read only where the rest agrees.
    read = cache(commit.read)
    same_meaning = _kept(
        same_meaning,
        same_meaning,
        left,
        a,
        right,
        b,
        lambda x, y: commit.difference(read(x), read(y)) is None,
    )
    return same_text | (free & same_final) | same_meaning


def _kept(
    asked: Bool[ndarray, "*s"],
    among: Bool[ndarray, "*s"],
    left: Commitments,
    left_rows: Int64[ndarray, "*s"],
    right: Commitments,
    right_rows: Int64[ndarray, "*s"],
    holds: Callable[[str, str], bool],
) -> Bool[ndarray, "*s"]:
    """``among`` without the pairs that are ``asked`` about and of which ``holds`` does not hold."""
    where = np.nonzero(asked)
    if not where[0].size:
        return among
    kept = among.copy()
    seen: dict[tuple[str, str], bool] = {}
    answers = np.empty(where[0].size, dtype=bool)
    for at, (row, other) in enumerate(
        zip(left_rows[where].tolist(), right_rows[where].tolist(), strict=True)
    ):
        pair = (left.texts[row], right.texts[other])
        if pair not in seen:
            seen[pair] = holds(*pair)
        answers[at] = seen[pair]
    kept[where] &= answers
    return kept


def _cosines(
    left: UnitVectors, left_rows: Int64[ndarray, " p"], right: UnitVectors, right_rows: Int64[ndarray, " p"]
) -> Float32[ndarray, " p"]:
    """Of pairs of rows, a part at a time: wide rows of a hundred thousand pairs would be half a gigabyte."""
    made = np.empty(len(left_rows), dtype=np.float32)
    for start in range(0, len(made), half_precision.BLOCK_ROWS):
        part = slice(start, start + half_precision.BLOCK_ROWS)
        np.einsum("ij,ij->i", left[left_rows[part]], right[right_rows[part]], out=made[part])
    return made
