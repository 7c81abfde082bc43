"""Which training rows taught the wrong answer: rows whose gradients point where the wrong answer's does.

Knows which gradients are worth making and how to read them. Does not know how they are made: that takes the
adapter, and a worker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray

from app.domain.evidence import Finding, TaughtRow
from app.domain.records import BadCase, RootCause, TrainingExample

NEAREST_ROWS = 200
"""Of each case: what taught an answer lies near its prompt; a whole training set would take an hour."""

MOST_ROWS = 400
"""Of all cases together; .2 s of processor time for a row of 50 tokens and a model of 135 million parameters. A
resource bound."""

MOST_CASES = 60

SHOWN_ROWS = 5

_MOST_TOLD = (RootCause.CONFLICT, RootCause.UNDETERMINED, RootCause.HARD, RootCause.OOD)
"""Where knowing the rows helps most. A serving mismatch was not taught: it has no rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """What gradients are made of. ``cases`` (c,) and ``rows`` (r,) count cases and training rows; ``near`` holds
    for each of the cases its candidates as positions in ``rows``, nearest first."""

    cases: Int64[ndarray, " c"]
    rows: Int64[ndarray, " r"]
    near: tuple[Int64[ndarray, " k"], ...]


def choose_candidates(
    cases: Sequence[BadCase],
    findings: Sequence[Finding],
    nearest: Int64[ndarray, "q k"],
    *,
    most_cases: int = MOST_CASES,
    most_rows: int = MOST_ROWS,
) -> Candidates:
    """The cases whose wrong answer some row may have taught, and the rows to ask.

    ``nearest`` holds each case's nearest training rows, nearest first, -1 = none. Where all of them together
    are more than ``most_rows``, every case keeps its nearest ones.
    """
    asked = [
        i
        for cause in _MOST_TOLD
        for i, finding in enumerate(findings)
        if finding.root_cause is cause and cases[i].model_output.strip() and (nearest[i] >= 0).any()
    ][:most_cases]
    asked.sort()
    depth = _depth(nearest[asked], most_rows)
    kept = [row[row >= 0] for row in nearest[asked, :depth]]
    rows = np.unique(np.concatenate(kept)) if kept else np.empty(0, dtype=np.int64)
    return Candidates(
        cases=np.array(asked, dtype=np.int64),
        rows=rows.astype(np.int64),
        near=tuple(np.searchsorted(rows, row).astype(np.int64) for row in kept),
    )


def _depth(nearest: Int64[ndarray, "q k"], most_rows: int) -> int:
    """How many of the nearest rows of each case fit: the deepest column that still leaves room, 1 at least."""
    seen: set[int] = set()
    for column in range(nearest.shape[1]):
        seen.update(nearest[:, column].tolist())
        if len(seen - {-1}) > most_rows:
            return max(1, column)
    return nearest.shape[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """``row`` counts training rows. ``towards_wrong`` and ``towards_expected`` are cosines of the row's gradient with
    those of the two answers, -1..1; larger = learning the row made that answer likelier. ``score`` is the first
    less the second (which is None without an expected output), -2..2."""

    row: int
    score: float
    towards_wrong: float
    towards_expected: float | None


def strongest(
    wrong: Float32[ndarray, "c d"],
    expected: Float32[ndarray, "c d"],
    rows: Float32[ndarray, "r d"],
    candidates: Candidates,
    *,
    shown: int = SHOWN_ROWS,
) -> dict[int, tuple[Taught, ...]]:
    """By case, the rows that pulled most towards its wrong answer and away from the expected one.

    Gradients are unit rows in the order of ``candidates``; a row of zeros has none. What both answers share (their
    form, the prompt) is in both gradients and falls out of the difference. A row that did not pull towards the
    wrong answer, or pulled more towards the expected one, is never shown. Ties go to the nearer row.
    """
    found: dict[int, tuple[Taught, ...]] = {}
    for i, case in enumerate(candidates.cases.tolist()):
        near = candidates.near[i]
        to_wrong, to_expected = rows[near] @ wrong[i], rows[near] @ expected[i]
        scores = to_wrong - to_expected
        contrasted = bool(expected[i].any())
        best = np.argsort(-scores, kind="stable")
        best = best[(scores[best] > 0) & (to_wrong[best] > 0)][:shown]
        found[case] = tuple(
            Taught(
                row=int(candidates.rows[near[k]]),
                score=float(scores[k]),
                towards_wrong=float(to_wrong[k]),
                towards_expected=float(to_expected[k]) if contrasted else None,
            )
            for k in best
        )
    return found


def evidence(taught: Sequence[Taught], examples: Sequence[TrainingExample]) -> tuple[TaughtRow, ...]:
    """To be shown after the neighbours."""
    return tuple(
        TaughtRow(
            example_id=examples[t.row].id,
            score=t.score,
            towards_wrong=t.towards_wrong,
            towards_expected=t.towards_expected,
            input=examples[t.row].prompt,
            output=examples[t.row].output,
        )
        for t in taught
    )
