"""What stands near a case in the training set, as arrays: similarity, and whose side each near row is on.

Real and simulated cases go through the same arrays, so what is learnt on the one holds for the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt32
from numpy import ndarray

from app.domain.answers import agreement
from app.domain.answers.agreement import Commitments, Neighbors
from app.domain.diagnosis.views import Vectors, ViewTexts
from app.domain.language import edit_ratio, ngram_frequencies, text
from app.domain.language.ngram_frequencies import Lexicon
from app.domain.vectors.half_precision import UnitVectors, taken
from app.domain.vectors.search import Index

NEIGHBORS: Final = 24
"""Training rows looked at around a case; eight of them are shown."""

CALIBRATION_SAMPLE_ROWS: Final = 5000
"""Training rows that are looked around with themselves left out: enough for a .99 quantile by task."""

_SPARE_NEIGHBORS: Final = 64
"""Looked up once for every sampled row: in a simulated world some of them are left out."""

_EDIT_MIN_JACCARD: Final = 0.5
"""Texts that overlap less are no copies of each other, whatever differs."""

_INDEXED_ROWS: Final = 400_000
"""From so many training rows on they are searched by an index: at 150,000 building and asking it took twice as long
as to look around all sampled rows exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Prompts as they are compared: the text, its vector, its sketch, a hash of the numbers in it."""

    texts: Sequence[str]
    vectors: UnitVectors
    sketches: UInt32[ndarray, "n p"]
    numbers: Int64[ndarray, " n"]

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, rows: Int64[ndarray, " m"]) -> Texts:
        return Texts(
            texts=tuple(self.texts[int(i)] for i in rows),
            vectors=self.vectors[rows],
            sketches=self.sketches[rows],
            numbers=self.numbers[rows],
        )


Reader = Callable[[Sequence[str]], tuple[UInt32[ndarray, "n p"], Lexicon]]
"""Reads texts into sketches and n-gram frequencies, here or on many machines."""


def read_prompts(
    prompts: Sequence[str], vectors: UnitVectors, reader: Reader = ngram_frequencies.read
) -> tuple[Texts, Lexicon]:
    """The prompts, and how often each n-gram stands in them."""
    sketches, frequencies = reader(prompts)
    read = Texts(texts=tuple(prompts), vectors=vectors, sketches=sketches, numbers=_numbers(prompts))
    return read, frequencies


def _numbers(prompts: Sequence[str]) -> Int64[ndarray, " n"]:
    """Hash of the sorted numbers in each prompt, 0 = none."""
    held = (sorted(text.numbers(p)) if text.has_digit(p) else [] for p in prompts)
    return np.array([text.stable_hash(" ".join(h)) if h else 0 for h in held], dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """The k nearest training rows of q prompts, nearest first. All arrays have shape (q, k).

    ``rows`` index into the training set, -1 = none. ``cosine`` -1..1, ``jaccard`` 0..1 of the character
    n-grams, ``same_numbers`` whether the prompts hold the same numbers, ``change`` 0..1 how much of the content
    differs where the texts overlap at all (1 elsewhere).
    """

    rows: Int64[ndarray, "q k"]
    cosine: Float32[ndarray, "q k"]
    jaccard: Float32[ndarray, "q k"]
    same_numbers: Bool[ndarray, "q k"]
    change: Float32[ndarray, "q k"]

    @property
    def present(self) -> Bool[ndarray, "q k"]:
        return self.rows >= 0

    def __len__(self) -> int:
        return self.rows.shape[0]

    def take(self, rows: Int64[ndarray, " m"]) -> Near:
        """The neighbourhoods of some prompts."""
        return self._indexed(rows)

    def first(self, k: int) -> Near:
        """The k nearest of every prompt."""
        return self._indexed((slice(None), slice(0, k)))

    def among(self, kept: Bool[ndarray, " n"], k: int) -> Near:
        """The k nearest of the kept rows, as far as they stand in these lists."""
        there = self.present & kept[np.maximum(self.rows, 0)]
        order = np.argsort(~there, axis=1, kind="stable")[:, :k]
        at = (np.arange(len(self))[:, None], order)
        found = self._indexed(at)
        gone = ~there[at]
        return Near(
            rows=np.where(gone, -1, found.rows),
            cosine=np.where(gone, np.float32(-1.0), found.cosine),
            jaccard=np.where(gone, np.float32(0.0), found.jaccard),
            same_numbers=found.same_numbers & ~gone,
            change=np.where(gone, np.float32(1.0), found.change),
        )

    def _indexed(self, index: Any) -> Near:
        return Near(
            rows=self.rows[index],
            cosine=self.cosine[index],
            jaccard=self.jaccard[index],
            same_numbers=self.same_numbers[index],
            change=self.change[index],
        )


def compared(queries: Texts, found: Neighbors, training: Texts) -> Near:
    """Compare the texts of q prompts with the rows ``found`` near them; word by word only the nearest."""
    present = found.present
    jaccards = np.zeros(present.shape, dtype=np.float32)
    numbers = np.zeros(present.shape, dtype=bool)
    if len(training):
        rows = np.where(present, found.indices, 0)
        # A column at a time: (q, k, bins) at once would be gigabytes.
        for column in range(rows.shape[1]):
            jaccards[:, column] = ngram_frequencies.jaccard(
                queries.sketches, training.sketches[rows[:, column]]
            )
        numbers = present & (queries.numbers[:, None] == training.numbers[rows])
    change = np.ones(present.shape, dtype=np.float32)
    read: dict[int, tuple[str, ...]] = {}
    alike = (present & (jaccards >= _EDIT_MIN_JACCARD))[:, :NEIGHBORS]
    for q, columns in _alike(alike):
        own = edit_ratio.words(queries.texts[q])
        for k in columns:
            row = int(found.indices[q, k])
            if row not in read:
                read[row] = edit_ratio.words(training.texts[row])
            change[q, k] = edit_ratio.content_change(own, read[row])
    return Near(
        rows=found.indices,
        cosine=found.similarities,
        jaccard=np.where(present, jaccards, np.float32(0.0)),
        same_numbers=numbers,
        change=change,
    )


def _alike(pairs: Bool[ndarray, "q k"]) -> Iterator[tuple[int, list[int]]]:
    for q in np.flatnonzero(pairs.any(axis=1)).tolist():
        yield q, np.flatnonzero(pairs[q]).tolist()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Whether a near row's output agrees with the expected output, with the model's output; shape (q, k)."""

    expected: Bool[ndarray, "q k"]
    wrong: Bool[ndarray, "q k"]

    def take(self, rows: Int64[ndarray, " m"]) -> Sides:
        return Sides(expected=self.expected[rows], wrong=self.wrong[rows])


def sides(
    near: Near, outputs: Commitments, *, expected: Commitments, wrong: Commitments, same_meaning_cosine: float
) -> Sides:
    if not len(outputs):
        nowhere = np.zeros(near.rows.shape, dtype=bool)
        return Sides(expected=nowhere, wrong=nowhere)
    rows = np.maximum(near.rows, 0)
    asked = np.broadcast_to(np.arange(len(near))[:, None], rows.shape)

    def agrees(with_outputs: Commitments) -> tuple[Bool[ndarray, "q k"], Bool[ndarray, "q k"]]:
        equal = agreement.outputs_equal(with_outputs, asked, outputs, rows)
        alike = agreement.outputs_agree(
            with_outputs, asked, outputs, rows, same_meaning_cosine=same_meaning_cosine
        )
        return near.present & equal, near.present & alike

    (is_expected, like_expected), (is_wrong, like_wrong) = agrees(expected), agrees(wrong)
    # A row that is the one answer is not on the other's side, however alike the two are.
    return Sides(
        expected=is_expected | (like_expected & ~is_wrong), wrong=is_wrong | (like_wrong & ~is_expected)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSet:
    """The training rows, read once.

    ``tasks`` (n,) groups rows by their task instruction, 0 = none in common. ``sample`` (s,) are the rows
    that were looked around with themselves left out, which is ``sampled``. ``index``: over the prompts' vectors.
    """

    prompts: Texts
    outputs: Commitments
    tasks: Int64[ndarray, " n"]
    lexicon: Lexicon
    same_meaning_cosine: float
    sample: Int64[ndarray, " s"]
    sampled: Near
    index: Index

    def __len__(self) -> int:
        return len(self.tasks)

    @property
    def task_count(self) -> int:
        """Task 0, of rows without a common instruction, always exists."""
        return int(self.tasks.max(initial=0)) + 1


def read_training_set(
    texts: ViewTexts,
    vectors: Vectors,
    tasks: Int64[ndarray, " n"],
    rng: np.random.Generator,
    reader: Reader = ngram_frequencies.read,
) -> TrainingSet:
    """Read all rows; look around as many of them as calibration needs."""
    labels = agreement.labels_of(texts.example_outputs)
    outputs = agreement.commitments(texts.example_outputs, vectors.example_outputs, labels)
    prompts, frequencies = read_prompts(texts.example_inputs, vectors.example_inputs, reader)
    cut = agreement.meaning_cut(taken(vectors.example_outputs, ~outputs.closed), rng)
    return _looked_around(prompts, outputs, tasks, frequencies, cut, rng)


def part_of(training: TrainingSet, rows: int, rng: np.random.Generator) -> TrainingSet:
    """A random part of a training set as one of its own; the set itself where it has no more ``rows``."""
    if len(training) <= rows:
        return training
    chosen = np.sort(rng.permutation(len(training))[:rows]).astype(np.int64)
    prompts = training.prompts.take(chosen)
    return _looked_around(
        prompts,
        training.outputs.take(chosen),
        training.tasks[chosen],
        ngram_frequencies.lexicon(ngram_frequencies.grams_of(prompts.texts)),
        training.same_meaning_cosine,
        rng,
    )


def _looked_around(
    prompts: Texts,
    outputs: Commitments,
    tasks: Int64[ndarray, " n"],
    frequencies: Lexicon,
    same_meaning_cosine: float,
    rng: np.random.Generator,
) -> TrainingSet:
    sample = np.sort(rng.permutation(len(outputs))[:CALIBRATION_SAMPLE_ROWS]).astype(np.int64)
    index = Index.build(prompts.vectors, exact_rows=_INDEXED_ROWS)
    found = agreement.nearest_others(prompts.vectors, _SPARE_NEIGHBORS, sample, index=index)
    return TrainingSet(
        prompts=prompts,
        outputs=outputs,
        tasks=tasks,
        lexicon=frequencies,
        same_meaning_cosine=same_meaning_cosine,
        sample=sample,
        sampled=compared(prompts.take(sample), found, prompts),
        index=index,
    )
