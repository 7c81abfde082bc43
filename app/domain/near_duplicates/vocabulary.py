"""Which words of two rows tell them apart, and how well the set knows them: for many pairs at once.

Knows the words of rows as numbers (``buckets``). Does not read texts: what these numbers leave open is read
letter by letter elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt32
from numpy import ndarray

from app.domain.near_duplicates.buckets import BUCKET, FUNCTION, LONG, PAIR
from app.domain.near_duplicates.minhash import Sketches
from app.domain.near_duplicates.typos import SLIP_RARITY


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherWords:
    """m pairs. ``told``: each row has words of its own that the set knows, so that neither is a slip of the other.
    ``words``: the larger number of such words of a row; 0 where pairs of characters tell it."""

    told: Bool[ndarray, " m"]
    words: Int64[ndarray, " m"]


def other_words(sketches: Sketches, pairs: Int64[ndarray, "m 2"]) -> OtherWords:
    """What the words of each pair tell; texts too long to be kept in words tell nothing."""
    which, side, entries = _own(sketches, pairs)
    counts = sketches.counts[entries & BUCKET].astype(np.int64)
    hard = (entries & FUNCTION) == 0
    word = hard & ((entries & LONG) != 0)
    character = hard & ((entries & PAIR) != 0)
    places, size = 2 * which + side, 2 * len(pairs)
    many, known, best = _summed(places[word], counts[word], size)
    # A noisy row has words that nobody knows; one or two may be known by chance.
    by_words = (3 * known > 2 * many) & (best > 1)
    told = by_words.all(axis=1) & _comparable(best)
    many_pairs, known_pairs, best_pairs = _summed(places[character], counts[character], size)
    least = np.full(size, np.iinfo(np.int64).max)
    np.minimum.at(least, places[character], counts[character])
    # One character for another makes two pairs on either side, one that is put in makes one on one of them.
    others = ((many_pairs > 1) & (known_pairs == many_pairs)).all(axis=1)
    others &= least.reshape(-1, 2).min(axis=1) > SLIP_RARITY * best_pairs.max(axis=1)
    return OtherWords(told=told | others, words=np.where(others, 0, many.max(axis=1)))


def spaced_words(sketches: Sketches, rows: Int64[ndarray, " m"]) -> Int64[ndarray, " m"]:
    """How many words of spaced scripts each of these rows has."""
    places, entries = _listed(sketches, rows)
    return np.bincount(places[(entries & PAIR) == 0], minlength=len(rows))


def replaced_words(
    sketches: Sketches, pairs: Int64[ndarray, "m 2"], spaced: Int64[ndarray, "m 2"]
) -> OtherWords:
    """What words in each other's place tell, whatever else the rows hold: two versions of a long text may have the
    same words in another order. ``spaced``: words of either row, as ``spaced_words`` says.

    Counted from both ends for as long as the words before and behind are the same, so that none of them stands
    there because something was put in. One alone may be an edit; rows mostly of CJK characters tell nothing.
    """
    (ahead, stopped), (behind, stopped_behind) = (
        _replaced(sketches, pairs, spaced, from_end=from_end) for from_end in (False, True)
    )
    # Where nothing stops either count, both have counted the same words.
    words = np.where(stopped & stopped_behind, ahead + behind, np.maximum(ahead, behind))
    characters = sketches.begins[pairs + 1] - sketches.begins[pairs] - spaced
    told = words > np.maximum(1, np.abs(spaced[:, 0] - spaced[:, 1]))
    return OtherWords(told=told & (characters.max(axis=1) <= spaced.max(axis=1)), words=words)


def known_share(sketches: Sketches, rows: Int64[ndarray, " m"]) -> Float32[ndarray, " m"]:
    """Share 0..1 of the words of each row that stand in the set more than once; 1 for a row without words."""
    places, entries = _listed(sketches, rows)
    known = sketches.counts[entries & BUCKET] > 1
    many = np.bincount(places, minlength=len(rows))
    seen = np.bincount(places, weights=known, minlength=len(rows))
    return np.where(many > 0, seen / np.maximum(many, 1), 1.0).astype(np.float32)


def _replaced(
    sketches: Sketches, pairs: Int64[ndarray, "m 2"], spaced: Int64[ndarray, "m 2"], *, from_end: bool
) -> tuple[Int64[ndarray, " m"], Bool[ndarray, " m"]]:
    """Single words with another one in their place, both known, up to where two stand side by side (or one text
    ends); and whether there was such a place."""
    many = spaced.min(axis=1)
    owners = np.repeat(np.arange(len(pairs)), many)
    step = np.arange(len(owners)) - np.repeat(np.cumsum(many) - many, many)
    begins = sketches.begins[pairs]
    if from_end:
        begins, step = begins + spaced - 1, -step
    left, right = (sketches.words.take(np.repeat(begins[:, side], many) + step) for side in (0, 1))
    at = np.flatnonzero(left != right)
    of, step = owners[at], np.abs(step[at])
    beside = (np.diff(at) == 1) & (of[1:] == of[:-1])
    ends = (step == many[of] - 1) & (spaced[of, 0] != spaced[of, 1])
    ends[1:] |= beside
    ends[:-1] |= beside
    stop = np.full(len(pairs), np.iinfo(np.int64).max)
    np.minimum.at(stop, of[ends], step[ends])
    kept = step < stop[of]
    words = np.stack([side[at[kept]] for side in (left, right)], axis=1)
    counts = sketches.counts.take(words & BUCKET).astype(np.int64)
    known = _comparable(counts) & ((words & FUNCTION) == 0).all(axis=1) & ((words & LONG) != 0).all(axis=1)
    return np.bincount(of[kept][known], minlength=len(pairs)), stop < np.iinfo(np.int64).max


def _summed(
    places: Int64[ndarray, " w"], counts: Int64[ndarray, " w"], size: int
) -> tuple[Int64[ndarray, "m 2"], Int64[ndarray, "m 2"], Int64[ndarray, "m 2"]]:
    """How many words, how many of them the set knows, and the occurrences of the best known; by row of a pair."""
    many = np.bincount(places, minlength=size)
    known = np.bincount(places[counts > 1], minlength=size)
    best = np.zeros(size, dtype=np.int64)
    np.maximum.at(best, places, counts)
    return many.reshape(-1, 2), known.reshape(-1, 2), best.reshape(-1, 2)


def _comparable(best: Int64[ndarray, "m 2"]) -> Bool[ndarray, " m"]:
    """Not so that one may be a slip of the other that was made more than once."""
    return best.min(axis=1) > np.maximum(1, SLIP_RARITY * best.max(axis=1))


def _own(
    sketches: Sketches, pairs: Int64[ndarray, "m 2"]
) -> tuple[Int64[ndarray, " w"], Int64[ndarray, " w"], UInt32[ndarray, " w"]]:
    """The words that one row of a pair has and the other has not: pair, side 0 or 1, word."""
    left, entries_left = _listed(sketches, pairs[:, 0])
    right, entries_right = _listed(sketches, pairs[:, 1])
    which = np.concatenate([left, right]).astype(np.uint64)
    entries = np.concatenate([entries_left, entries_right])
    # In the order pair, bucket, flags, side; the flags go with the bucket.
    packed = (which << np.uint64(33)) | (entries.astype(np.uint64) << np.uint64(1))
    packed[len(left) :] |= np.uint64(1)
    packed.sort()
    of = packed >> np.uint64(1)
    differs = np.flatnonzero(of[1:] != of[:-1])
    outer = np.arange(min(1, len(packed)))
    begins, ends = np.concatenate([outer, differs + 1]), np.concatenate([differs, outer + len(packed) - 1])
    single = (packed[begins] ^ packed[ends]) & np.uint64(1) == 0
    kept = packed[begins[single]]
    return (
        (kept >> np.uint64(33)).astype(np.int64),
        (kept & np.uint64(1)).astype(np.int64),
        ((kept >> np.uint64(1)) & np.uint64(0xFFFFFFFF)).astype(np.uint32),
    )


def _listed(
    sketches: Sketches, rows: Int64[ndarray, " m"]
) -> tuple[Int64[ndarray, " w"], UInt32[ndarray, " w"]]:
    """The words of these rows one after the other, and the place of the row that each stands in."""
    begins = sketches.begins[rows]
    lengths = sketches.begins[rows + 1] - begins
    places = np.repeat(np.arange(len(rows)), lengths)
    offsets = np.arange(len(places)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return places, sketches.words[np.repeat(begins, lengths) + offsets]
