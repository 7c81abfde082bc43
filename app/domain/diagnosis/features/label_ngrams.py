"""Which label a prompt's wording speaks for, and how much of that wording its likeliest label ever had.

Vectors tell topics; one word tells an intent from its neighbour. So the n-grams of every label are counted:
naive Bayes against the n-grams of all labels (McCallum and Nigam 1998), each label's estimate pulled towards
these, and the share of a prompt's n-grams, weighted by rarity, that its nearest label has seen. A training row
is taken out of the counts it is measured by. Does not know vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy import ndarray
from scipy import sparse

from app.domain.language.ngram_frequencies import Grams

_LABEL_WORD_BUCKETS: Final = 2**20
"""Hash table of the n-grams of labelled prompts; these are few thousand kinds of short texts."""

_LABEL_WORD_PRIOR: Final = 20.0
"""Rows of the whole set that are added to each label's own before its n-grams are read as likelihoods."""


MEASURES = ("label_words", "label_short_grams", "label_long_grams")
_BUCKETS = _LABEL_WORD_BUCKETS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    """Of one order of n-grams: ``keys`` (e,) ascending, label * buckets + gram; ``rows`` (e,) rows of the label
    that hold it. ``all`` (buckets,): rows of any label that do."""

    keys: Int64[ndarray, " e"]
    rows: Int64[ndarray, " e"]
    all: Int64[ndarray, " b"]

    def of(self, label: Int64[ndarray, " g"], gram: Int64[ndarray, " g"]) -> Int64[ndarray, " g"]:
        """In how many rows of the label each gram stands; none for label -1."""
        if not len(self.keys):
            return np.zeros(len(gram), dtype=np.int64)
        key = label * _BUCKETS + gram
        place = np.minimum(np.searchsorted(self.keys, key), len(self.keys) - 1)
        return np.where((label >= 0) & (self.keys[place] == key), self.rows[place], 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelWords:
    """``members`` (K,): rows of each label; ``orders``: counts of the n-grams of each order, shortest first."""

    members: Int64[ndarray, " K"]
    orders: tuple[_Counts, ...]

    def measures(
        self,
        texts: Sequence[Grams],
        nearest: Int64[ndarray, " q"],
        own: Int64[ndarray, " q"] | None = None,
    ) -> Float64[ndarray, "q 3"]:
        """Columns of ``MEASURES``, large = the wording is a label's: log odds of the likeliest label against
        all of them (nats), and shares 0..1 of what the ``nearest`` label (-1 = none) has seen. ``own``: the
        texts are rows of these labels, -1 = of none."""
        count = len(nearest)
        if not len(self.members) or not count:
            return np.zeros((count, len(MEASURES)))
        mine = np.full(count, -1, dtype=np.int64) if own is None else own
        shares = [
            self._share(counts, found, nearest, mine)
            for counts, found in zip(self.orders, texts, strict=True)
        ]
        likeliest = self._odds(self.orders[0], texts[0], mine).max(axis=1)
        return np.column_stack([likeliest, *shares])

    def _odds(self, counts: _Counts, found: Grams, own: Int64[ndarray, " q"]) -> Float64[ndarray, "q K"]:
        strength, total, classes = _LABEL_WORD_PRIOR, int(self.members.sum()), len(self.members)
        gram = _bucket(found)
        # What a label has never seen costs the same in all prompts; only what it has seen is summed up.
        unseen = np.log(strength / (self.members + strength))
        label, of = np.divmod(counts.keys, _BUCKETS)
        common = (counts.all[of] + 0.5) / (total + 1.0)
        seen = np.log(counts.rows / (strength * common) + 1.0).astype(np.float32)
        table = sparse.csr_array((seen, (of, label)), shape=(_BUCKETS, classes))
        held = sparse.csr_array(
            (np.ones(len(gram), dtype=np.float32), gram, found.starts), shape=(len(found), _BUCKETS)
        )
        lengths = np.diff(found.starts)
        product = cast("sparse.csr_array", held @ table)
        made = product.toarray().astype(np.float64) + lengths[:, None] * unseen
        rows = np.flatnonzero(own >= 0)
        if rows.size:
            owner, entry = _entries(found, own >= 0)
            label, of = own[owner], gram[entry]
            without = np.maximum(counts.all[of] - 0.5, 0.5) / total
            others = np.maximum(counts.of(label, of) - 1, 0)
            gain = np.log(others / (strength * without) + 1.0)
            sums = np.bincount(owner, weights=gain, minlength=len(found))[rows]
            left = self.members[own[rows]] - 1.0
            made[rows, own[rows]] = sums + lengths[rows] * np.log(strength / (left + strength))
        return made

    def _share(
        self, counts: _Counts, found: Grams, nearest: Int64[ndarray, " q"], own: Int64[ndarray, " q"]
    ) -> Float64[ndarray, " q"]:
        owners, gram = found.owners, _bucket(found)
        inside = own[owners] >= 0
        others = np.maximum(counts.all[gram] - inside, 0)
        rarity = np.log((self.members.sum() + 1.0) / (others + 0.5))
        there = counts.of(nearest[owners], gram) - (inside & (own[owners] == nearest[owners]))
        seen = np.bincount(owners, weights=rarity * (there > 0), minlength=len(found))
        return seen / np.maximum(np.bincount(owners, weights=rarity, minlength=len(found)), 1e-9)


def label_words(texts: Sequence[Grams], labels: Int64[ndarray, " n"], classes: int) -> LabelWords:
    """``texts``: grams of n training prompts by order; ``labels``: 0..classes-1, -1 = of none."""
    known = labels >= 0
    return LabelWords(
        members=np.bincount(labels[known], minlength=classes).astype(np.int64),
        orders=tuple(_counts(found, labels, known) for found in texts),
    )


def _counts(found: Grams, labels: Int64[ndarray, " n"], known: Bool[ndarray, " n"]) -> _Counts:
    owner, entry = _entries(found, known)
    gram = _bucket(found)[entry]
    keys, rows = np.unique(labels[owner] * _BUCKETS + gram, return_counts=True)
    return _Counts(keys=keys, rows=rows.astype(np.int64), all=np.bincount(gram, minlength=_BUCKETS))


def _entries(found: Grams, chosen: Bool[ndarray, " n"]) -> tuple[Int64[ndarray, " g"], Int64[ndarray, " g"]]:
    """The texts and the places of the grams that chosen texts hold."""
    owners = found.owners
    entry = np.flatnonzero(chosen[owners])
    return owners[entry], entry


def _bucket(found: Grams) -> Int64[ndarray, " g"]:
    return (found.hashes & np.uint32(_BUCKETS - 1)).astype(np.int64)
