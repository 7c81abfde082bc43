"""In which order rows are trained on."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import assert_never

import numpy as np

from app.domain.language import text
from app.domain.records import TrainingExample


class Curriculum(StrEnum):
    """``easy_to_hard`` trains short answers first (curriculum learning, Bengio et al. 2009). ``general_first`` trains
    the replay rows first and the targeted ones after them."""

    SHUFFLED = "shuffled"
    EASY_TO_HARD = "easy_to_hard"
    GENERAL_FIRST = "general_first"


def order_rows(
    examples: Sequence[TrainingExample],
    order: Curriculum,
    rng: np.random.Generator,
    *,
    targeted: AbstractSet[str],
) -> list[TrainingExample]:
    """The rows in training order; rows between which the order does not decide stand in drawn order. ``targeted``:
    ids of rows."""
    shuffled = [examples[i] for i in rng.permutation(len(examples)).tolist()]
    match order:
        case Curriculum.SHUFFLED:
            return shuffled
        case Curriculum.EASY_TO_HARD:
            return sorted(shuffled, key=difficulty)
        case Curriculum.GENERAL_FIRST:
            return sorted(shuffled, key=lambda example: example.id in targeted)
        case _:
            assert_never(order)


def difficulty(example: TrainingExample) -> float:
    """How hard a row is to learn, from its text alone; larger = harder.

    Words to be generated, and, at a tenth, words to be read: a prior by length (Platanios et al. 2019),
    for want of a model's loss.
    """
    return len(text.tokens(example.output)) + 0.1 * len(text.tokens(example.prompt))
