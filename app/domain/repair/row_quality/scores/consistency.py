"""Does the output keep to the passage that its input gives: numbers, dates and names that it does not hold?

Only judged in tasks that answer from a passage: there most rows' numbers and names stand in theirs. Results
of a calculation and general knowledge are not in a passage, so a task of those is left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from app.domain.language import text
from app.domain.repair.row_quality.defects.statistics import JudgedRows

_LONG_CONTEXT_TOKENS: Final = 40
"""A prompt of so many words beyond its instruction may be a passage that the answer is drawn from."""

_CONTEXT_COVER: Final = 0.7
"""Share of an output's rare words that the passage holds from which the task answers from the passage."""


_NAME = re.compile(r"(?<![.!?:\n\"“(] )(?<!^)(?<!\n)\b[A-Z][\w'’-]{2,}")
_CHINESE_FACT = re.compile(r"[《“][^》”]{2,20}[》”]")


def score(rows: JudgedRows) -> Float64[ndarray, " n"]:
    made = np.full(len(rows), np.nan)
    for members in rows.task_rows:
        shares = {
            row: share
            for row in map(int, members)
            if (share := supported_share(rows.examples[row].prompt, rows.prompts[row], rows.outputs[row]))
            is not None
        }
        if shares and float(np.mean([s == 1.0 for s in shares.values()])) >= _CONTEXT_COVER:
            for row, share in shares.items():
                made[row] = share
    return made


def supported_share(prompt: str, varying: str, output: str) -> float | None:
    """Share 0..1 of the output's numbers and names that the prompt holds; None where it has no passage, or
    the output no facts."""
    if len(text.tokens(varying[: 40 * _LONG_CONTEXT_TOKENS])) < _LONG_CONTEXT_TOKENS:
        return None
    facts = facts_of(output)
    if not facts:
        return None
    numbers, words = frozenset(text.numbers(prompt)), text.normalised(prompt)
    held = [f in numbers if kind == "number" else f in words for kind, f in facts]
    return sum(held) / len(held)


def facts_of(output: str) -> Sequence[tuple[str, str]]:
    """('number' | 'name', as it is compared) of an output, each once: numbers, names inside a sentence, titles."""
    said = text.clip(output)
    names = (*_NAME.findall(said), *(m[1:-1] for m in _CHINESE_FACT.findall(said)))
    return tuple(
        dict.fromkeys(
            [("number", n) for n in text.numbers(said)] + [("name", text.normalised(n)) for n in names if n]
        )
    )
