"""Which row of a group of duplicates stays, and why, in words.

Knows what makes one writing of a row better than another. Does not find the groups.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.domain.diagnosis.symptoms import refusal
from app.domain.language import text
from app.domain.records import TrainingExample

Score = Callable[[TrainingExample], float]
"""Quality of a row, larger = better."""

_ENDS = frozenset(".!?。！？…\"'”’)）]】}》」`:：;；*|~")
_BROKEN = re.compile("[\ufffd\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_LONG_ANSWER = 60
"""Characters from which an answer is prose, which ends with a mark; shorter ones are labels and names. A
definition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """``row`` stays; ``why`` it does, after the word "because" as it were."""

    row: int
    why: str


_Quality = tuple[float, ...]
_REASONS = (
    "it has the higher quality score",
    "it has an answer",
    "its answer is no refusal",
    "its answer is complete",
    "it is better formed",
    "its words are spelt as in other rows",
    "its answer says more",
    "it is the first",
)


def keep_best(
    rows: Sequence[int],
    examples: Sequence[TrainingExample],
    score: Score | None = None,
    known_words: Callable[[int], float] | None = None,
) -> Kept:
    """The best of ``rows``; equals are told apart by what comes next in the list of reasons, last by place.

    ``score``: a quality that comes before everything else. ``known_words``: share 0..1 of a row's words that
    other rows write too. ValueError where there is no row.
    """
    if not rows:
        raise ValueError("there is no row to keep; give one at least")
    qualities = {row: _quality(row, examples[row], score, known_words) for row in rows}
    best = max(sorted(qualities), key=lambda row: qualities[row])
    others = [qualities[row] for row in rows if row != best]
    runner_up = max(others, default=qualities[best])
    at = next(
        i
        for i, (a, b) in enumerate(zip(qualities[best], runner_up, strict=True))
        if a != b or i == len(_REASONS) - 1
    )
    return Kept(row=best, why=_REASONS[at])


def _quality(
    row: int, example: TrainingExample, score: Score | None, known_words: Callable[[int], float] | None
) -> _Quality:
    answer = example.output.strip()
    whole = f"{example.prompt}\n{answer}"
    return (
        round(score(example), 2) if score else 0.0,
        float(bool(answer)),
        float(refusal.declined(answer) is None),
        float(len(answer) < _LONG_ANSWER or answer[-1] in _ENDS),
        -float(len(_BROKEN.findall(whole))),
        round(known_words(row), 2) if known_words else 0.0,
        float(len(text.normalised(answer))),
        -float(row),
    )
