"""What stands near a case in the training set, as arrays: similarity, and whose side each near row is on.

Real and simulated cases go through the same arrays, so what is learnt on the one holds for the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
class TrainingSet:
    """The training rows, read once.

    ``tasks`` (n,) groups rows by their task instruction. ``label_rows`` (n,) is how many rows share the
    row's output. ``others`` are the leave-one-out neighbours, ``agreement`` (n, k) whether they agree.
    """

    prompts: Texts
    outputs: Commitments
    tasks: Int64[ndarray, " n"]
    label_rows: Int64[ndarray, " n"]
    same_meaning_cosine: float
    neighborhoods: Neighborhoods

    def __len__(self) -> int:
        return len(self.tasks)


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
        return Neighborhoods(
            rows=self.rows[rows],
            cosine=self.cosine[rows],
            jaccard=self.jaccard[rows],
            same_numbers=self.same_numbers[rows],
            expected=self.expected[rows],
            wrong=self.wrong[rows],
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
    rows = np.where(present, found.indices, 0)
    asked = np.broadcast_to(np.arange(rows.shape[0])[:, None], rows.shape)
    jaccards = np.zeros(rows.shape, dtype=np.float32)
    # A column at a time: (q, k, permutations) at once would be gigabytes.
    for column in range(rows.shape[1]):
        jaccards[:, column] = similarity.jaccard(queries.signatures, training_prompts.signatures[rows[:, column]])

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


def read_training_set(
    texts: ViewTexts, vectors: Vectors, tasks: Int64[ndarray, " n"], rng: np.random.Generator
) -> TrainingSet:
    """Read the training rows and look around each of them with itself left out."""
    labels = similarity.labels_of(texts.example_outputs)
    outputs = similarity.commitments(texts.example_outputs, vectors.example_outputs, labels)
    prompts = read_prompts(texts.example_inputs, vectors.example_inputs)
    free = np.flatnonzero(~outputs.closed)
    cut = similarity.meaning_cut(vectors.example_outputs[free], rng)
    found = similarity.nearest_others(prompts.vectors, thresholds.NEIGHBORS)
    around = look_around(
        prompts, found, prompts, outputs, expected=outputs, wrong=outputs, same_meaning_cosine=cut
    )
    _, inverse, counts = np.unique(outputs.whole, return_inverse=True, return_counts=True)
    return TrainingSet(
        prompts=prompts,
        outputs=outputs,
        tasks=tasks,
        label_rows=counts[inverse].astype(np.int64),
        same_meaning_cosine=cut,
        neighborhoods=replace(around, wrong=np.zeros_like(around.wrong)),
    )
