"""The views of one diagnosis: which texts are embedded, and their vectors.

Knows the five views (inputs and outputs of training rows and cases). Does not embed: a worker embeds the
unique texts and hands the vectors in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from jaxtyping import Float16, Float32
from numpy import ndarray

from app.domain.instructions import known_instructions
from app.domain.language import text
from app.domain.records import BadCase, TrainingExample
from app.domain.vectors.half_precision import UnitRows, UnitVectors, widened_once


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewTexts:
    """Texts to embed, one tuple a view, in the order of the rows; '' where there is nothing to embed."""

    example_inputs: tuple[str, ...]
    example_outputs: tuple[str, ...]
    case_inputs: tuple[str, ...]
    case_expected: tuple[str, ...]
    case_outputs: tuple[str, ...]

    def unique(self) -> tuple[str, ...]:
        """Every text that is not empty once, in order of first appearance."""
        views = (
            self.example_inputs,
            self.example_outputs,
            self.case_inputs,
            self.case_expected,
            self.case_outputs,
        )
        return tuple(dict.fromkeys(t for view in views for t in view if t))


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectors:
    """One row of L2 norm 1 for every text of ``ViewTexts``; a zero row for an empty text. Those of the training
    rows, of which there may be a million, perhaps as they are kept."""

    example_inputs: UnitVectors
    example_outputs: UnitVectors
    case_inputs: Float32[ndarray, "q d"]
    case_expected: Float32[ndarray, "q d"]
    case_outputs: Float32[ndarray, "q d"]

    @classmethod
    def from_lookup(cls, texts: ViewTexts, unique: Sequence[str], rows: Float32[ndarray, "u d"]) -> Vectors:
        """Spread the vectors of ``texts.unique()`` over the views."""
        where = {t: i for i, t in enumerate(unique)}
        # One zero row more, for the empty texts.
        padded = np.vstack([rows, np.zeros((1, rows.shape[1]), dtype=np.float32)]).astype(
            np.float32, copy=False
        )

        def spread(view: tuple[str, ...]) -> Float32[ndarray, "m d"]:
            return padded[np.array([where[t] if t else len(unique) for t in view], dtype=np.int64)]

        return cls(
            example_inputs=spread(texts.example_inputs),
            example_outputs=spread(texts.example_outputs),
            case_inputs=spread(texts.case_inputs),
            case_expected=spread(texts.case_expected),
            case_outputs=spread(texts.case_outputs),
        )

    @classmethod
    def from_halves(cls, texts: ViewTexts, unique: Sequence[str], table: Float16[ndarray, "u d"]) -> Vectors:
        """The same of vectors as they are kept: rows of training examples share ``table``; of large sets they are not
        widened."""
        kept = widened_once(table)
        where = {t: i for i, t in enumerate(unique)}

        def spread(view: tuple[str, ...]) -> UnitRows:
            places = np.fromiter((where[t] if t else -1 for t in view), dtype=np.int32, count=len(view))
            return UnitRows(table=kept, places=places)

        return cls(
            example_inputs=spread(texts.example_inputs),
            example_outputs=spread(texts.example_outputs),
            case_inputs=spread(texts.case_inputs)[:],
            case_expected=spread(texts.case_expected)[:],
            case_outputs=spread(texts.case_outputs)[:],
        )


@dataclass(frozen=True, slots=True)
class ExampleInputs(Sequence[str]):
    """``ViewTexts.example_inputs``, each made as it is asked for: of a million rows few are shown, and the parts that
    were cut out of their prompts need not be held."""

    examples: Sequence[TrainingExample]
    instructions: frozenset[str]

    def __len__(self) -> int:
        return len(self.examples)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return ExampleInputs(self.examples[index], self.instructions)
        return _readable(text.focus(self.examples[index].prompt, self.instructions))


def texts_of(
    examples: Sequence[TrainingExample],
    cases: Sequence[BadCase],
    instructions: frozenset[str] | None = None,
) -> ViewTexts:
    """The texts of every view: inputs without the task instructions, long texts clipped. ``instructions``: of
    the whole training set, where they are known already."""
    if instructions is None:
        instructions = known_instructions(examples)
    return ViewTexts(
        example_inputs=tuple(ExampleInputs(examples, instructions)),
        example_outputs=tuple(_readable(e.output) for e in examples),
        case_inputs=tuple(_readable(text.focus(c.prompt, instructions)) for c in cases),
        case_expected=tuple(_readable(c.wanted) for c in cases),
        case_outputs=tuple(_readable(c.said) for c in cases),
    )


def _readable(of: str) -> str:
    clipped = text.clip(of)
    return clipped if clipped.strip() else ""
