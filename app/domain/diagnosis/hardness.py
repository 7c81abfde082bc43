"""How much a case asks for: steps, constraints and length, read against the training rows.

What is covered and consistent and yet fails is hard; these measures say what makes it so. Evidence for a
person, not a verdict: the verdict is made from coverage and consistency.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from app.domain import text

MEASURES = ("prompt_tokens", "prompt_numbers", "prompt_clauses", "answer_tokens", "answer_steps")
_CLAUSES = re.compile(r"[,;:.!?，；：。！？、\n]+")
_STEPS = re.compile(r"[+\-*/×÷=]|\n|\b(?:then|so|therefore|hence|because)\b|所以|因此|因为|然后|首先")


def measures(prompt: str, answer: str) -> tuple[float, ...]:
    """One number for each of ``MEASURES``; all counts."""
    asked, said = text.clip(prompt), text.clip(answer)
    clauses = [c for c in _CLAUSES.split(asked) if c.strip()]
    return (
        float(len(text.tokens(asked))),
        float(len(text.numbers(asked))),
        float(len(clauses)),
        float(len(text.tokens(said))),
        float(len(_STEPS.findall(said))),
    )


@dataclass(frozen=True, slots=True)
class Demands:
    """The measures of the training rows, each column sorted ascending. Shape (n, len(MEASURES))."""

    columns: Float64[ndarray, "n m"]

    def percentiles(self, prompt: str, answer: str) -> dict[str, Any]:
        """For each measure the case's value and the share 0..1 of training rows that ask for less."""
        rows = len(self.columns)
        found: dict[str, Any] = {}
        for column, (name, value) in enumerate(zip(MEASURES, measures(prompt, answer), strict=True)):
            less = int(np.searchsorted(self.columns[:, column], value, side="left")) if rows else 0
            found[name] = {"value": int(value), "more_than": round(less / rows, 4) if rows else None}
        return found


def demands_of(prompts: Sequence[str], answers: Sequence[str]) -> Demands:
    made = [measures(p, a) for p, a in zip(prompts, answers, strict=True)]
    return Demands(np.sort(np.array(made, dtype=np.float64).reshape(-1, len(MEASURES)), axis=0))
