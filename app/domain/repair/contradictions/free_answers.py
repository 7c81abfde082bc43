"""Rows that ask one question and whose own answers contradict each other: numbers, yes and no, choices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Int64
from numpy import ndarray

from app.domain.answers.contradiction import LABEL_TASK_SHARE, contradiction, other_number
from app.domain.language import pair_differences
from app.domain.language.pair_differences import Difference
from app.domain.repair.contradictions import paraphrase
from app.domain.repair.contradictions.paraphrase import PairViews

_ONE_QUESTION_WORDS: Final = 0.8
"""Rarity-weighted share of words from which two prompts with the same numbers ask one thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContradictingAnswers:
    """Rows ``left`` and ``right`` answer one question; ``difference`` is what they contradict each other in."""

    left: int
    right: int
    difference: Difference


def find(
    views: PairViews, prompts: Sequence[str], outputs: Sequence[str], free: Bool[ndarray, " n"] | None = None
) -> tuple[ContradictingAnswers, ...]:
    """Contradicting answers among rows with one question; ``views`` are of the prompts.

    ``free`` (n,): rows whose outputs are answers and no labels; where it is not given, rows whose output is
    their own and that stand among such rows.
    """
    answers = free if free is not None else own_answers(views, outputs)
    left, right = paraphrase.near_pairs(views.neighbors)
    compared = pair_differences.compare(views.readings, left, right)
    at = {name: compared[:, i] for i, name in enumerate(pair_differences.COLUMNS)}
    meaning_differs = sum(at[f"{kind}_differs"] for kind in ("number", "negation", "direction"))
    one_question = (at["words_shared"] >= _ONE_QUESTION_WORDS) & (meaning_differs == 0)
    found: list[ContradictingAnswers] = []
    for ends in np.stack([left, right], axis=1)[one_question]:
        a, b = int(ends[0]), int(ends[1])
        # A number is an answer even where many rows share it; of words, a label could be made.
        look = contradiction if answers[a] and answers[b] else other_number
        difference = look(prompts[a], outputs[a], outputs[b])
        if difference:
            found.append(ContradictingAnswers(left=a, right=b, difference=difference))
    return tuple(found)


def own_answers(views: PairViews, outputs: Sequence[str]) -> Bool[ndarray, " n"]:
    """Rows whose output no other row has, among rows of which most have their own: answers, not labels."""
    counts = Counter(outputs)
    own = np.array([counts[o] == 1 for o in outputs], dtype=bool)
    near: Int64[ndarray, "n k"] = views.neighbors.indices
    share = (own[near] & (near >= 0)).sum(axis=1) / np.maximum((near >= 0).sum(axis=1), 1)
    return own & (share > 1.0 - LABEL_TASK_SHARE)
