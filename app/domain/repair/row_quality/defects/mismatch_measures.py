"""How an output fits an input: by the vectors, by shared words and numbers, and by what the neighbours answer.

The expected output vector of an input is a ridge regression of outputs on inputs, the row left out (closed
form, Rifkin and Lippert 2007). Pairs are measured as arrays: n rows with n outputs, their own or others'.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int64
from numpy import ndarray
from scipy import sparse

from app.domain.estimators.ridge_leave_one_out import LABEL_RIDGE, MAX_LEVERAGE
from app.domain.language import text
from app.domain.repair.row_quality.defects.reading import Reading

_OVERLAP_BUCKETS: Final = 2**18
"""Hash table of words for the overlap of inputs and outputs."""

_OUTPUT_NEIGHBORS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Words (for Chinese: characters and their pairs) of all inputs and outputs, weighted by rarity, unit
    rows; ``*_numbers`` those with a digit alone. ``lengths`` (n,): log tokens of the outputs."""

    inputs: sparse.csr_matrix
    outputs: sparse.csr_matrix
    input_numbers: sparse.csr_matrix
    output_numbers: sparse.csr_matrix
    lengths: Float64[ndarray, " n"]

    @classmethod
    def of(cls, reading: Reading) -> Overlap:
        asked, asked_numbers, _ = _bags(reading.prompts)
        said, said_numbers, lengths = _bags(reading.outputs)
        rows = len(reading)
        rows_with = np.bincount(np.concatenate([asked.indices, said.indices]), minlength=_OVERLAP_BUCKETS)
        weight = sparse.diags(np.log((2 * rows + 1) / (rows_with + 1)) + 0.1)
        return cls(
            inputs=_unit(asked @ weight),
            outputs=_unit(said @ weight),
            input_numbers=_unit(asked_numbers),
            output_numbers=_unit(said_numbers),
            lengths=lengths,
        )


def measure(
    reading: Reading,
    overlap: Overlap,
    rows: Int64[ndarray, " r"],
    answers: Int64[ndarray, " r"],
    near: Int64[ndarray, "r k"],
) -> Float64[ndarray, "r f"]:
    """Measures of input ``rows[i]`` with the output of ``rows[answers[i]]``; larger = fits worse. Shape (r, 6).

    ``near`` (r, k): the nearest rows of the group as positions in ``rows``, -1 = none. Vector measures are
    negative cosines, overlaps negative cosines of bags, the last is a gap in log tokens.
    """
    given = rows[answers]
    inputs, outputs = reading.input_vectors[rows], reading.output_vectors[rows]
    mean = outputs.mean(axis=0)
    wanted = _left_out_outputs(inputs, outputs - mean)
    said = outputs[answers] - mean
    around = near[:, :_OUTPUT_NEIGHBORS]
    present = around >= 0
    neighbours, lengths = np.zeros(len(rows)), np.zeros(len(rows))
    for column in range(around.shape[1]):
        cosines = np.einsum("ij,ij->i", outputs[around[:, column]], outputs[answers])
        neighbours += np.where(present[:, column], cosines, 0.0)
        lengths += np.where(present[:, column], overlap.lengths[rows[around[:, column]]], 0.0)
    held = np.maximum(present.sum(axis=1), 1)
    expected_length = np.where(present.any(axis=1), lengths / held, overlap.lengths[given])
    same = inputs.shape[1] == outputs.shape[1]
    return np.column_stack(
        [
            -_cosine(wanted, said),
            -_dot(overlap.inputs[rows], overlap.outputs[given]),
            -_dot(overlap.input_numbers[rows], overlap.output_numbers[given]),
            -np.einsum("ij,ij->i", inputs, outputs[answers]) if same else np.zeros(len(rows)),
            -neighbours / held,
            np.abs(overlap.lengths[given] - expected_length),
        ]
    ).astype(np.float64)


def _left_out_outputs(
    inputs: Float32[ndarray, "r d"], outputs: Float32[ndarray, "r o"]
) -> Float32[ndarray, "r o"]:
    """What each row's output vector would be, by a ridge regression that has not seen the row."""
    centred = inputs - inputs.mean(axis=0)
    normal = centred.T @ centred + np.float32(LABEL_RIDGE) * np.eye(inputs.shape[1], dtype=np.float32)
    inverse = np.linalg.inv(normal.astype(np.float64)).astype(np.float32)
    projected = centred @ inverse
    leverage = np.minimum(np.einsum("ij,ij->i", projected, centred), MAX_LEVERAGE)[:, None]
    fitted = projected @ (centred.T @ outputs)
    return (fitted - leverage * outputs) / (1 - leverage)


def _cosine(left: Float32[ndarray, "r o"], right: Float32[ndarray, "r o"]) -> Float64[ndarray, " r"]:
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    return np.einsum("ij,ij->i", left, right).astype(np.float64) / np.maximum(norms, 1e-9)


def _dot(left: sparse.csr_matrix, right: sparse.csr_matrix) -> Float64[ndarray, " r"]:
    return np.asarray(left.multiply(right).sum(axis=1), dtype=np.float64).ravel()


def _bags(texts: Sequence[str]) -> tuple[sparse.csr_matrix, sparse.csr_matrix, Float64[ndarray, " n"]]:
    """Words by hash, 1 where a text holds one; those with a digit; log tokens."""
    numbers: dict[str, int] = {}
    ends, words = [0], []
    digit_ends, digits = [0], []
    lengths = np.zeros(len(texts))
    for row, of in enumerate(texts):
        said = text.tokens(text.clip(of))
        lengths[row] = np.log1p(len(said))
        for word in dict.fromkeys(_with_pairs(said)):
            number = numbers.get(word)
            if number is None:
                number = numbers[word] = text.stable_hash(word) % _OVERLAP_BUCKETS
            words.append(number)
            if word[0].isdigit():
                digits.append(number)
        ends.append(len(words))
        digit_ends.append(len(digits))
    return _ones(words, ends), _ones(digits, digit_ends), lengths


def _with_pairs(said: Sequence[str]) -> list[str]:
    """A Chinese character says little, two in a row about a word."""
    pairs = [
        a + b for a, b in itertools.pairwise(said) if len(a) == len(b) == 1 and a > "\u2e7f" and b > "\u2e7f"
    ]
    return [*said, *pairs]


def _ones(columns: Sequence[int], ends: Sequence[int]) -> sparse.csr_matrix:
    shape = (len(ends) - 1, _OVERLAP_BUCKETS)
    made = sparse.csr_matrix(
        (np.ones(len(columns), dtype=np.float32), np.array(columns, dtype=np.int32), np.array(ends)),
        shape=shape,
    )
    made.sum_duplicates()
    return made


def _unit(bags: sparse.csr_matrix) -> sparse.csr_matrix:
    norms = np.sqrt(np.asarray(bags.multiply(bags).sum(axis=1)).ravel())
    return sparse.csr_matrix(sparse.diags(1 / np.maximum(norms, 1e-9)) @ bags)
