"""Which texts are near each other, and which outputs say the same.

Arrays in, arrays out. Knows MinHash and what an output commits to (a label, a final answer, numbers, a
negation). Refuses to know root causes.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt32
from numpy import ndarray
from rensa.rensa import RMinHash

from app.domain import text, thresholds, unit_rows
from app.domain.search import Neighbors, nearest, nearest_others
from app.domain.unit_rows import UnitVectors


def signatures(texts: Sequence[str]) -> UInt32[ndarray, "n p"]:
    """MinHash signatures of the texts' character n-grams (bigrams for Chinese); an empty text's are all 0.

    Broder 1997. The share of equal entries of two signatures estimates the Jaccard of the n-gram sets.
    """
    permutations = thresholds.MINHASH_PERMUTATIONS
    made = np.zeros((len(texts), permutations), dtype=np.uint32)
    # In parts: the n-grams of a hundred thousand rows at once would be gigabytes of small strings.
    for start in range(0, len(texts), thresholds.SIGNATURE_CHUNK):
        grams = [list(_grams(t)) for t in texts[start : start + thresholds.SIGNATURE_CHUNK]]
        filled = np.array([i for i, g in enumerate(grams) if g], dtype=np.int64)
        if filled.size:
            sets = [grams[i] for i in filled]
            digests = RMinHash.digests_from_token_sets(sets, num_perm=permutations, seed=1)
            made[start + filled] = np.asarray(digests, dtype=np.uint32)
    return made


def _grams(of: str) -> frozenset[str]:
    clipped = text.clip(of)
    n = thresholds.CHARACTER_NGRAM_CJK if text.is_chinese(clipped) else thresholds.CHARACTER_NGRAM_LATIN
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
    "signatures",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDuplicates:
    """``pairs`` (m, 2) row numbers, first < second, ascending; ``jaccards`` (m,) their estimated Jaccard."""

    pairs: Int64[ndarray, "m 2"]
    jaccards: Float32[ndarray, " m"]


def near_duplicates(
    texts: Sequence[str], threshold: float = thresholds.NEAR_DUPLICATE_JACCARD
) -> NearDuplicates:
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
    permutations = thresholds.MINHASH_PERMUTATIONS
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitments:
    """What n outputs commit to, as arrays, so that a million pairs are compared at once.

    ``whole``: hash of the normalised text, 0 = empty. ``final``: hash of the final answer of a text that
    ends with one ("Final answer: 42"), 0 = none. ``numbers``: hash of the sorted numbers, 0 = none.
    ``negated``: odd number of negations. ``closed``: a label or a short answer: agrees only when equal.
    """

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
    seen: dict[str, tuple[int, int, int, bool, bool]] = {}
    for output in outputs:
        if output not in seen:
            seen[output] = _commitment(output, labels)
    columns = [seen[o] for o in outputs]
    return Commitments(
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
    plain = text.normalised(output)
    # Punctuation alone ("?") is an answer too. Always even: odd numbers are names for what no text says.
    return text.stable_hash(plain or output.strip()) & ~1 or 2 if output.strip() else 0


def _commitment(output: str, labels: frozenset[int]) -> tuple[int, int, int, bool, bool]:
    whole = _whole(output)
    clipped = text.clip(output)
    found = sorted(text.numbers(clipped))
    final = final_answer(clipped)
    closed = whole in labels or len(text.tokens(clipped)) <= thresholds.CLOSED_ANSWER_MAX_TOKENS
    return (
        whole,
        text.stable_hash(final) if final else 0,
        text.stable_hash(" ".join(found)) if found else 0,
        text.negations(clipped) % 2 == 1,
        closed,
    )


def final_answer(output: str) -> str:
    """The short last line of a longer text ('Final answer: 42' -> '42', normalised); '' where it has none."""
    lines = [line for line in output.strip().splitlines() if line.strip()]
    if len(lines) < 2:
        return ""
    last = lines[-1].replace("：", ":").rpartition(":")[2]
    return text.normalised(last) if 0 < len(text.tokens(last)) <= thresholds.FINAL_ANSWER_MAX_TOKENS else ""


def meaning_cut(vectors: UnitVectors, rng: np.random.Generator) -> float:
    """Cosine from which two free texts of *this* training set mean the same.

    Halfway between what unrelated outputs reach (the .99 quantile of random pairs) and identity.
    """
    filled = unit_rows.filled(vectors)
    if filled.size < 2:
        return thresholds.SAME_MEANING_COSINE_WITHOUT_DATA
    left, right = rng.choice(filled, 4000), rng.choice(filled, 4000)
    cosines = np.einsum("ij,ij->i", vectors[left], vectors[right])[left != right]
    if not cosines.size:
        return thresholds.SAME_MEANING_COSINE_WITHOUT_DATA
    unrelated = np.quantile(cosines, thresholds.UNRELATED_QUANTILE)
    return float((1.0 + max(0.0, min(1.0, unrelated))) / 2)


def outputs_agree(
    left: Commitments,
    left_rows: Int64[ndarray, "*s"],
    right: Commitments,
    right_rows: Int64[ndarray, "*s"],
    *,
    same_meaning_cosine: float,
) -> Bool[ndarray, "*s"]:
    """Whether two outputs say the same, elementwise.

    Equal when normalised; else, both being free text: the same final answer where both end with one,
    otherwise similar meaning with the same numbers and the same negation. Labels agree only when equal.
    An empty output agrees with nothing.
    """
    a, b = left_rows, right_rows
    same_text = (left.whole[a] == right.whole[b]) & (left.whole[a] != 0)
    free = ~left.closed[a] & ~right.closed[b]
    both_final = (left.final[a] != 0) & (right.final[b] != 0)
    same_final = both_final & (left.final[a] == right.final[b])
    candidates = free & ~both_final & ~same_text
    candidates &= (left.numbers[a] == right.numbers[b]) & (left.negated[a] == right.negated[b])
    same_meaning = np.zeros(candidates.shape, dtype=bool)
    where = np.nonzero(candidates)
    if where[0].size:
        cosines = _cosines(left.vectors, a[where], right.vectors, b[where])
        same_meaning[where] = cosines >= same_meaning_cosine
    return same_text | (free & same_final) | same_meaning


def _cosines(
    left: UnitVectors, left_rows: Int64[ndarray, " p"], right: UnitVectors, right_rows: Int64[ndarray, " p"]
) -> Float32[ndarray, " p"]:
    """Of pairs of rows, a part at a time: wide rows of a hundred thousand pairs would be half a gigabyte."""
    made = np.empty(len(left_rows), dtype=np.float32)
    for start in range(0, len(made), unit_rows.BLOCK_ROWS):
        part = slice(start, start + unit_rows.BLOCK_ROWS)
        np.einsum("ij,ij->i", left[left_rows[part]], right[right_rows[part]], out=made[part])
    return made
