"""One side of the rows that stand, their prompts or their answers, ready to be compared.

Knows which rows a policy has compared and by what; speaks of rows by their place in the draft. Does not know what
becomes of copies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from app.domain.near_duplicates.comparison import Comparison, Read
from app.domain.repair.draft.draft import Draft

# Answers of fewer characters are labels: near is not the same there.
FREE_ANSWER_CHARACTERS: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """``rows`` (m,): those that are compared; ``place`` (n,): where each of all rows is among them, -1 = left out."""

    rows: Int64[ndarray, " m"]
    place: Int64[ndarray, " n"]
    compared: Comparison

    @classmethod
    def of(
        cls,
        draft: Draft,
        texts: Sequence[str],
        frames: Sequence[str],
        read: Read,
        *,
        answers: Sequence[str] | None = None,
        free: bool = False,
    ) -> Side:
        """``texts``, ``frames`` and ``answers`` (what is answered to the texts), one for each row of the draft;
        ``free``: texts as short as a label are left out."""
        # Preference pairs are compared by both answers: two pairs on one prompt are no duplicates.
        rows = [
            i
            for i, example in enumerate(draft.examples)
            if i not in draft.dropped
            and not example.rejected
            and (not free or len(texts[i]) >= FREE_ANSWER_CHARACTERS)
        ]
        place = np.full(len(draft.examples), -1, dtype=np.int64)
        place[rows] = np.arange(len(rows))
        # Without a threshold only texts that are equal when normalised are one.
        threshold = draft.policy.near_duplicate_threshold
        return cls(
            rows=np.array(rows, dtype=np.int64),
            place=place,
            compared=Comparison.of(
                [texts[i] for i in rows],
                [frames[i] for i in rows],
                1.0 if threshold is None else threshold,
                edit_share=draft.policy.duplicates.edit_share,
                lenient=draft.policy.duplicates.lenient,
                answers=None if answers is None else [answers[i] for i in rows],
                read=read,
            ),
        )

    def strict(self) -> Side:
        """The same rows, whatever is answered to them."""
        return replace(self, compared=self.compared.strict())

    def pairs(self) -> dict[tuple[int, int], float]:
        alone, by_answers = self.pairs_apart()
        return alone | by_answers

    def pairs_apart(self) -> tuple[dict[tuple[int, int], float], dict[tuple[int, int], float]]:
        """Rows that are one by these texts alone, and those for which only the answers match."""
        rows: list[int] = self.rows.tolist()
        alone, by_answers = (
            {(rows[a], rows[b]): value for (a, b), value in found.items()}
            for found in self.compared.found_apart()
        )
        return alone, by_answers

    def alike(self, pairs: Int64[ndarray, "m 2"]) -> ndarray:
        return self.compared.alike(self.place[pairs])

    def known_words(self, rows: Sequence[int]) -> dict[int, float]:
        """Share 0..1 of the words of each row that other rows write too: of a noisy copy the smaller one."""
        shares = self.compared.known_words(self.place[np.array(rows, dtype=np.int64)])
        return dict(zip(rows, shares.tolist(), strict=True))
