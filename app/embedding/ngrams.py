"""The forward pass of Universal Sentence Encoder multilingual v3 (the convolutional one), over n-grams.

The network reads a text through windows: two convolutions of width 2, 3 and 5 over the tokens, then a mean
over the text. What it computes at a token depends on the eight tokens around it at most, and those recur:
within some thousand texts of one data set half of all trigrams are repeats. So each layer is computed once
for each distinct n-gram that it sees, in products that share work, and the mean over a text becomes a
sparse product. Same sums, other order: the vectors agree with the layer-by-layer pass to float32 rounding.

Knows arrays of piece numbers and weights. Does not know texts, threads and storage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray
from scipy.sparse import csr_array

CHUNKS = 17
"""The embedding table comes in 17 blocks, each with its own scale; piece p is row p // 17 of block p % 17."""

WIDTH = 256
"""Channels of a convolution."""

ORDERS = ((2, 0), (3, 1), (5, 2))
"""(tokens of a window, those left of its centre) of the three branches."""

Spread = Callable[[Callable[[int], None], Iterable[int]], Any]
"""Runs a function on every number; a thread pool's ``map``, or a loop."""

PADS = 4
"""Two convolutions of width 5 reach four tokens to either side: so far apart stand the texts."""

SLAB_ROWS = 2048
"""Rows of n-grams handled at a time, so that what is summed stays in the cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """The convolutions of one width n: ``first`` a matrix for each place of the window, ``second`` whole."""

    first: Float32[ndarray, "n 256 256"]
    first_bias: Float32[ndarray, " 256"]
    second: Float32[ndarray, "m 256"]
    second_bias: Float32[ndarray, " 256"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """The encoder's weights, dequantised except for the embedding ``table`` (pieces, 512) uint8."""

    table: ndarray
    scale: Float32[ndarray, " 17"]
    low: Float32[ndarray, " 17"]
    projection: Float32[ndarray, "512 768"]
    projection_bias: Float32[ndarray, " 768"]
    projection_gain: Float32[ndarray, " 768"]
    projection_shift: Float32[ndarray, " 768"]
    branches: tuple[Branch, Branch, Branch]
    gain: Float32[ndarray, " 1280"]
    shift: Float32[ndarray, " 1280"]
    pooled: Float32[ndarray, "1280 p"]
    pooled_bias: Float32[ndarray, " p"]
    dense: tuple[ndarray, ndarray, ndarray, ndarray]
    shortcuts: tuple[ndarray, ndarray]
    epsilon: float


def load_weights(path: Path) -> Weights:
    with np.load(path, allow_pickle=False) as file:
        blocks = [file[f"q{i + 1}"] for i in range(CHUNKS)]
        table = np.empty((CHUNKS * len(blocks[0]), blocks[0].shape[1]), dtype=np.uint8)
        for i, block in enumerate(blocks):
            table[i::CHUNKS] = block
        w = {name: file[name] for name in file.files if not name.startswith("q")}
    widths = [n for n, _ in ORDERS]
    first, second, third = (
        Branch(
            first=w[f"w1_{n}"].reshape(n, WIDTH, WIDTH),
            first_bias=w[f"b1_{n}"],
            second=w[f"w2_{n}"],
            second_bias=w[f"b2_{n}"],
        )
        for n in widths
    )
    return Weights(
        table=table,
        scale=w["scale"],
        low=w["lo"],
        projection=np.concatenate([w[f"proj{n}"] for n in widths], axis=1),
        projection_bias=np.concatenate([w[f"proj_b{n}"] for n in widths]),
        projection_gain=np.concatenate([w[f"ln_g{n}"] for n in widths]),
        projection_shift=np.concatenate([w[f"ln_b{n}"] for n in widths]),
        branches=(first, second, third),
        gain=w["ln_g"],
        shift=w["ln_b"],
        pooled=w["cnn_W"],
        pooled_bias=w["cnn_b"],
        dense=(w["d0"], w["d1"], w["d2"], w["d3"]),
        shortcuts=(w["p1"], w["p3"]),
        epsilon=float(w["eps"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTables:
    """What the first layers make of each distinct token of some texts; row 0 is the padding, all zeros.

    ``embedded`` (u, 512); ``projected`` (u, 768), 256 a branch; ``first`` (n, u, 256) a branch: the token's share
    in the first convolution for each place of the window that it may stand at. 15 kB a token.
    """

    pieces: Int64[ndarray, " v"]
    embedded: Float32[ndarray, "u 512"]
    projected: Float32[ndarray, "u 768"]
    first: tuple[ndarray, ...]


def token_tables(
    weights: Weights,
    pieces: Int64[ndarray, " v"],
    *,
    spread: Spread = lambda work, parts: [*map(work, parts)],
) -> TokenTables:
    """``pieces``: distinct piece numbers, ascending. ``spread``: how the parts of the work are run."""
    rows = len(pieces) + 1
    tables = TokenTables(
        pieces=pieces,
        embedded=np.zeros((rows, weights.table.shape[1]), dtype=np.float32),
        projected=np.zeros((rows, len(weights.projection_bias)), dtype=np.float32),
        first=tuple(np.zeros((len(b.first), rows, WIDTH), dtype=np.float32) for b in weights.branches),
    )
    spread(lambda start: _fill(weights, tables, start), range(0, len(pieces), SLAB_ROWS))
    return tables


def _fill(weights: Weights, tables: TokenTables, start: int) -> None:
    pieces = tables.pieces[start : start + SLAB_ROWS]
    here = slice(start + 1, start + 1 + len(pieces))
    embedded, projected = tables.embedded[here], tables.projected[here]
    block = pieces % CHUNKS
    embedded[:] = weights.table[pieces]
    embedded *= weights.scale[block, None]
    embedded += weights.low[block, None]
    np.matmul(embedded, weights.projection, out=projected)
    projected += weights.projection_bias
    # One normalisation over the three branches together: 768 values.
    projected -= projected.mean(axis=1, keepdims=True)
    variance = np.einsum("ij,ij->i", projected, projected) / projected.shape[1]
    projected /= np.sqrt(variance + weights.epsilon)[:, None]
    projected *= weights.projection_gain
    projected += weights.projection_shift
    for number, branch in enumerate(weights.branches):
        own = _of_branch(projected, number)
        for place, matrix in enumerate(branch.first):
            np.matmul(own, matrix, out=tables.first[number][place, here])


def _of_branch(rows: ndarray, number: int) -> ndarray:
    return rows[:, number * WIDTH : (number + 1) * WIDTH]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Vectors of distinct n-grams, and which of them stands at each token."""

    rows: Float32[ndarray, "u w"]
    of_token: Int64[ndarray, " t"]


def encode(
    weights: Weights, tables: TokenTables, texts: Sequence[Sequence[int]]
) -> Float32[ndarray, "n 512"]:
    """Unit vectors of texts given as piece numbers; none is empty, and ``tables`` know every piece."""
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    tokens = int(lengths.sum())
    flat = np.fromiter(chain.from_iterable(texts), dtype=np.int64, count=tokens)
    at = np.arange(tokens) + PADS + PADS * np.repeat(np.arange(len(texts)), lengths)
    stream = np.zeros(tokens + PADS * (len(texts) + 1), dtype=np.int64)
    stream[at] = np.searchsorted(tables.pieces, flat) + 1
    grams = _grams(stream)
    parts = [_Part(rows=tables.embedded, of_token=stream[at])]
    parts += [_convolved(weights, tables, number, stream, at, grams) for number in range(len(ORDERS))]
    return _head(_normalised_sums(weights, parts, lengths), lengths, weights)


_Grams = Mapping[tuple[int, int], ndarray]
"""(tokens left, tokens right of the centre) -> the number of the n-gram around each place of the stream."""


def _grams(stream: Int64[ndarray, " s"]) -> _Grams:
    def joined(left: ndarray, right: ndarray) -> ndarray:
        pairs = left * (right.max(initial=0) + 1) + right
        return np.unique(pairs, return_inverse=True)[1]

    def around(numbers: ndarray, left: int) -> ndarray:
        placed = np.zeros(len(stream), dtype=np.int64)
        placed[left : left + len(numbers)] = numbers
        return placed

    two = joined(stream[:-1], stream[1:])
    three = joined(two[:-1], stream[2:])
    five = joined(three[:-2], three[2:])
    nine = joined(five[:-4], five[4:])
    return {
        (0, 1): around(two, 0),
        (0, 2): around(three, 0),
        (1, 1): around(three, 1),
        (2, 2): around(five, 2),
        (4, 4): around(nine, 4),
    }


def _distinct(
    numbers: Int64[ndarray, " t"], at: Int64[ndarray, " t"]
) -> tuple[Int64[ndarray, " t"], Int64[ndarray, " u"]]:
    """``numbers`` renumbered without gaps, and one place of the stream for each."""
    place = np.full(int(numbers.max()) + 1, -1, dtype=np.int64)
    place[numbers] = at
    used = place >= 0
    return (np.cumsum(used) - 1)[numbers], place[used]


def _convolved(
    weights: Weights,
    tables: TokenTables,
    number: int,
    stream: Int64[ndarray, " s"],
    at: Int64[ndarray, " t"],
    grams: _Grams,
) -> _Part:
    """Both residual convolutions of a branch, each once for every distinct n-gram that it sees."""
    branch, first, own = weights.branches[number], tables.first[number], _of_branch(tables.projected, number)
    order, left = ORDERS[number]
    right = order - 1 - left
    inner, places = _distinct(grams[left, right][at], at)
    hidden = np.zeros((len(places) + 1, WIDTH), dtype=np.float32)  # row 0: outside of every text
    for start in range(0, len(places), SLAB_ROWS):
        here = places[start : start + SLAB_ROWS]
        rows = hidden[start + 1 : start + 1 + len(here)]
        np.take(first[0], stream[here - left], axis=0, out=rows, mode="clip")
        for place in range(1, order):
            rows += first[place][stream[here - left + place]]
        rows += branch.first_bias
        np.maximum(rows, 0, out=rows)
        rows += own[stream[here]]
    hidden_at = np.zeros(len(stream), dtype=np.int64)
    hidden_at[at] = inner + 1
    outer, places = _distinct(grams[2 * left, 2 * right][at], at)
    result = np.empty((len(places), WIDTH), dtype=np.float32)
    window = np.arange(-left, right + 1)
    for start in range(0, len(places), SLAB_ROWS):
        here = places[start : start + SLAB_ROWS]
        rows = result[start : start + len(here)]
        seen = hidden[hidden_at[here[:, None] + window]].reshape(len(here), order * WIDTH)
        np.matmul(seen, branch.second, out=rows)
        rows += branch.second_bias
        np.maximum(rows, 0, out=rows)
        rows += hidden[hidden_at[here]]
    return _Part(rows=result, of_token=outer)


def _normalised_sums(
    weights: Weights, parts: Sequence[_Part], lengths: Int64[ndarray, " n"]
) -> Float32[ndarray, "n 1280"]:
    """Layer normalisation of every token's 1280 values, summed over each text.

    A token's mean and variance are sums over its parts; with them the sum over a text is one sparse product
    a part, and no token's 1280 values are ever written down.
    """
    width = len(weights.gain)
    total = np.zeros(int(lengths.sum()), dtype=np.float32)
    squares = np.zeros_like(total)
    for part in parts:
        total += part.rows.sum(axis=1)[part.of_token]
        squares += np.einsum("ij,ij->i", part.rows, part.rows)[part.of_token]
    mean = total / width
    scale = 1 / np.sqrt(squares / width - mean * mean + weights.epsilon)
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    summed = np.empty((len(lengths), width), dtype=np.float32)
    done = 0
    for part in parts:
        columns = part.rows.shape[1]
        of_text = csr_array((scale, part.of_token, bounds), shape=(len(lengths), len(part.rows)))
        summed[:, done : done + columns] = of_text @ part.rows
        done += columns
    summed -= np.add.reduceat(scale * mean, bounds[:-1])[:, None]
    summed *= weights.gain
    summed += lengths[:, None].astype(np.float32) * weights.shift
    return summed


def _head(
    summed: Float32[ndarray, "n 1280"], lengths: Int64[ndarray, " n"], weights: Weights
) -> Float32[ndarray, "n 512"]:
    count = lengths[:, None].astype(np.float32)
    mean = (summed @ weights.pooled + count * weights.pooled_bias) / np.sqrt(count)
    d0, d1, d2, d3 = weights.dense
    p1, p3 = weights.shortcuts
    once = np.maximum(mean @ p1 + np.maximum(mean @ d0, 0) @ d1, 0)
    twice = np.tanh(once @ p3 + np.maximum(once @ d2, 0) @ d3)
    squared = np.einsum("ij,ij->i", twice, twice)
    return twice / np.sqrt(np.maximum(squared, weights.epsilon))[:, None]
