"""What stands near a case in the training set, as arrays: similarity, and whose side each near row is on.

Real and simulated cases go through the same arrays, so what is learnt on the one holds for the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt32
from numpy import ndarray

from app.domain import similarity, text, thresholds
from app.domain.diagnosis.views import Vectors, ViewTexts
from app.domain.similarity import Commitments


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Prompts as they are compared: vectors, MinHash signatures, the numbers in them, their task."""

    vectors: Float32[ndarray, "n d"]
    signatures: UInt32[ndarray, "n p"]
    numbers: Int64[ndarray, " n"]

    def take(self, rows: Int64[ndarray, " m"]) -> Texts:
        return Texts(vectors=self.vectors[rows], signatures=self.signatures[rows], numbers=self.numbers[rows])


def read_prompts(prompts: Sequence[str], vectors: Float32[ndarray, "n d"]) -> Texts:
    held = [sorted(text.numbers(p)) for p in prompts]
    return Texts(
        vectors=vectors,
        signatures=similarity.signatures(prompts),
        numbers=np.array([text.stable_hash(" ".join(h)) if h else 0 for h in held], dtype=np.int64),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighborhoods:
    """The k nearest training rows of q prompts, nearest first. All arrays have shape (q, k).

    ``rows`` index into the training set, -1 = none. ``cosine`` -1..1, ``jaccard`` 0..1 of the character
    n-grams, ``same_numbers`` whether the prompts hold the same numbers. ``expected`` and ``wrong``: the
    row's output agrees with the expected output, with the model's output.
    """

    rows: Int64[ndarray, "q k"]
    cosine: Float32[ndarray, "q k"]
    jaccard: Float32[ndarray, "q k"]
    same_numbers: Bool[ndarray, "q k"]
    expected: Bool[ndarray, "q k"]
    wrong: Bool[ndarray, "q k"]

    @property
    def present(self) -> Bool[ndarray, "q k"]:
        return self.rows >= 0

    def __len__(self) -> int:
        return self.rows.shape[0]

    def take(self, rows: Int64[ndarray, " m"]) -> Neighborhoods:
        """The neighbourhoods of some prompts."""
        return self._indexed(rows)

    def first(self, k: int) -> Neighborhoods:
        """The k nearest of every prompt."""
        return self._indexed((slice(None), slice(0, k)))

    def _indexed(self, index: Any) -> Neighborhoods:
        return Neighborhoods(
            rows=self.rows[index],
            cosine=self.cosine[index],
            jaccard=self.jaccard[index],
            same_numbers=self.same_numbers[index],
            expected=self.expected[index],
            wrong=self.wrong[index],
        )


def look_around(
    queries: Texts,
    found: similarity.Neighbors,
    training_prompts: Texts,
    training_outputs: Commitments,
    *,
    expected: Commitments,
    wrong: Commitments,
    same_meaning_cosine: float,
) -> Neighborhoods:
    """Compare q prompts and their outputs with the rows ``found`` near them."""
    present = found.present
    if not len(training_outputs):
        nowhere = np.zeros(present.shape, dtype=bool)
        return Neighborhoods(
            rows=found.indices,
            cosine=found.similarities,
            jaccard=np.zeros(present.shape, dtype=np.float32),
            same_numbers=nowhere,
            expected=nowhere,
            wrong=nowhere,
        )
    rows = np.where(present, found.indices, 0)
    asked = np.broadcast_to(np.arange(rows.shape[0])[:, None], rows.shape)
    jaccards = np.zeros(rows.shape, dtype=np.float32)
    # A column at a time: (q, k, permutations) at once would be gigabytes.
    for column in range(rows.shape[1]):
        jaccards[:, column] = similarity.jaccard(
            queries.signatures, training_prompts.signatures[rows[:, column]]
        )

    def agrees(with_outputs: Commitments) -> Bool[ndarray, "q k"]:
        return present & similarity.outputs_agree(
            with_outputs, asked, training_outputs, rows, same_meaning_cosine=same_meaning_cosine
        )

    return Neighborhoods(
        rows=found.indices,
        cosine=found.similarities,
        jaccard=np.where(present, jaccards, np.float32(0.0)),
        same_numbers=present & (queries.numbers[:, None] == training_prompts.numbers[rows]),
        expected=agrees(expected),
        wrong=agrees(wrong),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSet:
    """The training rows, read once.

    ``tasks`` (n,) groups rows by their task instruction. ``label_rows`` (n,) is how many rows share the
    row's output. ``sample`` (s,) are the rows that were looked around with themselves left out, which is
    ``sampled``; there ``expected`` means that the near row agrees with the row itself.
    """

    prompts: Texts
    outputs: Commitments
    tasks: Int64[ndarray, " n"]
    label_rows: Int64[ndarray, " n"]
    same_meaning_cosine: float
    sample: Int64[ndarray, " s"]
    sampled: Neighborhoods

    def __len__(self) -> int:
        return len(self.tasks)

    @property
    def task_count(self) -> int:
        """Task 0, of rows without a common instruction, always exists."""
        return int(self.tasks.max(initial=0)) + 1


def read_training_set(
    texts: ViewTexts, vectors: Vectors, tasks: Int64[ndarray, " n"], rng: np.random.Generator
) -> TrainingSet:
    """Read all rows; look around as many of them as calibration needs."""
    labels = similarity.labels_of(texts.example_outputs)
    outputs = similarity.commitments(texts.example_outputs, vectors.example_outputs, labels)
    prompts = read_prompts(texts.example_inputs, vectors.example_inputs)
    cut = similarity.meaning_cut(vectors.example_outputs[~outputs.closed], rng)
    rows = len(outputs)
    sample = np.sort(rng.permutation(rows)[: thresholds.CALIBRATION_SAMPLE_ROWS]).astype(np.int64)
    own = outputs.take(sample)
    around = look_around(
        prompts.take(sample),
        similarity.nearest_others(prompts.vectors, thresholds.NEIGHBORS, sample),
        prompts,
        outputs,
        expected=own,
        wrong=similarity.nothing_said(len(sample), own.vectors.shape[1]),
        same_meaning_cosine=cut,
    )
    _, inverse, counts = np.unique(outputs.whole, return_inverse=True, return_counts=True)
    return TrainingSet(
        prompts=prompts,
        outputs=outputs,
        tasks=tasks,
        label_rows=counts[inverse].astype(np.int64),
        same_meaning_cosine=cut,
        sample=sample,
        sampled=around,
    )
