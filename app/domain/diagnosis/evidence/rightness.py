"""Is a bad case's output right after all? Only where that is certain; what looks alike is for a person to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from app.domain.answers import commitments
from app.domain.answers.certainty import Certainty, certainly_equal
from app.domain.evidence import HardEvidence
from app.domain.records import BadCase


@dataclass(frozen=True, slots=True, kw_only=True)
class Rightness:
    """Of q cases. ``how``: by what the output is certainly right, None = it is not. ``looks_alike`` (q,): it is not
    certain, and no more differs than the place of a part or a word that says nothing."""

    how: tuple[Certainty | None, ...]
    looks_alike: Bool[ndarray, " q"]

    @property
    def right(self) -> Bool[ndarray, " q"]:
        return np.array([how is not None for how in self.how], dtype=bool)


def by_judge(hard: HardEvidence) -> HardEvidence:
    """The evidence of an output that looked right and that a judge took for right."""
    since = "a language model says so and quotes what it decides by"
    return hard.model_copy(update={"model_output_is_right": True, "right_by": "judge", "right_since": since})


def of_cases(cases: Sequence[BadCase]) -> Rightness:
    how = tuple(_how(case) for case in cases)
    alike = [right is None and _looks_alike(case) for right, case in zip(how, cases, strict=True)]
    return Rightness(how=how, looks_alike=np.array(alike, dtype=bool))


def _how(case: BadCase) -> Certainty | None:
    if case.expected_output is None:
        return None
    return certainly_equal(case.model_output, case.expected_output, case.alternatives, prompt=case.prompt)


def _looks_alike(case: BadCase) -> bool:
    said = case.said
    if not said.strip():
        return False
    return any(commitments.hardly_differ(said, right) for right in case.acceptable_outputs if right.strip())
