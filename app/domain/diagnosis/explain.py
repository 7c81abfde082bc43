"""The evidence of one finding: what a person checks the verdict by in ten seconds.

Neighbours first; then the contradicting pair side by side with what differs, what is new about the prompt,
why it is harder than most. Everything is JSON-ready.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from jaxtyping import Float32, Float64, Int64
from numpy import ndarray

from app.domain.diagnosis.evidence import difficulty, findings, novelty
from app.domain.diagnosis.evidence.findings import CREDIBLE_SHARE
from app.domain.diagnosis.evidence.same_question import SameQuestion
from app.domain.diagnosis.features import conflict, coverage
from app.domain.diagnosis.features.conflict import ASKS_THE_SAME, CONFUSION_FLOOR
from app.domain.diagnosis.features.extractor import FEATURES
from app.domain.diagnosis.features.neighbors import Near, Sides
from app.domain.diagnosis.fit import FittedTrainingSet
from app.domain.language import pair_differences, text
from app.domain.records import BadCase, Neighbor, RootCause, TrainingExample

_SPEAKS_FOR_CONFLICT: Final = 0.15
"""Probability of a conflict from which a finding shows the contradicting pair, whatever its verdict."""

_SHOWN_DIFFERENCES: Final = 6
"""More is no difference but another text."""

_SAME_LABEL_CONFUSION: Final = 0.05
"""Share of a label's rows that are taken for another one, both ways, from which the two are named as a group."""


KNOWN_SCRIPTS: Final = frozenset(("Latin", "Han", "Kana", "Hangul", "Arabic", "Thai", "Cyrillic"))
"""Of the 16 languages of the default embedder (Yang et al. 2020, table 1)."""

_NOTHING: Final = SameQuestion()
_LABEL_UNSEEN: Final = FEATURES.index("label_unseen")


def neighbors(
    fitted: FittedTrainingSet,
    near: Near,
    on: Sides,
    relevance: Float32[ndarray, "q k"],
    row: int,
    cause: RootCause,
    room: int,
    same: SameQuestion,
) -> tuple[Neighbor, ...]:
    order = findings.shown_order(
        cause,
        cosine=near.cosine[row],
        relevance=relevance[row],
        expected=on.expected[row],
        wrong=on.wrong[row],
        present=near.present[row],
        labelled=_labelled(fitted, _task(fitted, near, row)),
        room=room,
    )
    # Rows that ask the very same are the first thing to look at, whatever the statistics make of them.
    # Of a conflict these are the rows that contradict: who supports is chosen among all that are near.
    asking = [k for r in same.rows for k in np.flatnonzero(near.rows[row] == r).tolist()]
    first = asking[: len(same.teaching) + len(same.contradicting)] if cause is RootCause.CONFLICT else asking
    order = [*first, *(int(k) for k in order if k not in first)][:room]
    return tuple(
        findings.neighbor(
            fitted.examples[int(near.rows[row, k])],
            float(near.cosine[row, k]),
            findings.agreement(bool(on.expected[row, k]), bool(on.wrong[row, k])),
            same_question=k in asking,
        )
        for k in order
    )


def ood(
    fitted: FittedTrainingSet,
    case: BadCase,
    features: Float64[ndarray, " f"],
    cosines: Float32[ndarray, " k"],
    expected_rows: int,
    known_scripts: frozenset[str] | None,
    *,
    labelled: bool,
) -> dict[str, Any]:
    new = novelty.novelty(_asked(fitted, case), fitted.vocabulary, known_scripts)
    unseen = bool(features[_LABEL_UNSEEN] > 0.5)
    return {
        **coverage.evidence(features, cosines, expected_rows, labelled=labelled),
        # told only where outputs are labels: that no row has a computed amount says nothing
        "unseen_label": case.expected_output if unseen else None,
        "unseen_terms": list(new.unseen),
        "unseen_share": round(new.unseen_share, 4),
        "length": {"value": new.length, "percentile": round(new.length_percentile, 4)},
        "pattern": {
            "text": new.pattern,
            "seen": new.pattern_share > 0,
            "trained_share": round(new.pattern_share, 4),
        },
        "language": {"name": new.language, "trained_share": round(new.language_share, 4)},
        "language_known": new.embedder_knows is not False,
        "remarks": [*new.remarks, *_judged_without(case)],
    }


def _judged_without(case: BadCase) -> list[str]:
    """What the verdict had to do without."""
    made = []
    if not (case.expected_output or "").strip():
        made.append("there is no expected output: whether rows contradict it could not be looked at")
    if not case.model_output.strip():
        made.append("there is no model output: what taught the wrong answer could not be looked for")
    return made


def contradiction(
    fitted: FittedTrainingSet,
    case: BadCase,
    near: Near,
    on: Sides,
    relevance: Float32[ndarray, "q k"],
    features: Float64[ndarray, " f"],
    row: int,
    chance: float = 1.0,
    same: SameQuestion = _NOTHING,
) -> dict[str, Any]:
    """The pair that contradicts most, how many near rows stand on which side, and which labels are mixed up.

    ``chance``: probability of a conflict. Where it is small there is no contradiction to show: some near row
    always has another answer. Where it is not the likeliest, only a row that should agree is shown as one.
    """
    told = conflict.evidence(near, on, relevance, row)
    present, expected, wrong = near.present[row], on.expected[row], on.wrong[row] & ~on.expected[row]
    task = _task(fitted, near, row)
    labelled, agreement = _labelled(fitted, task), fitted.known.relevance.task_agreement[task]
    # of 24 near rows most are other questions: whose side these are on says nothing
    least = max(ASKS_THE_SAME, CREDIBLE_SHARE * float(relevance[row].max(initial=0.0)))
    if not labelled:
        least = max(least, float(conflict.beyond_chance(agreement)))
    asking = present & ((relevance[row] >= least) | np.isin(near.rows[row], same.rows))
    told["counts"] = {
        "expected": int((asking & expected).sum()),
        "model_output": int((asking & wrong).sum()),
        "neither": int((asking & ~expected & ~wrong).sum()),
    }
    weight = findings.opposition(
        relevance[row],
        expected=expected,
        wrong=wrong,
        present=present,
        labelled=labelled,
    )
    if chance < _SPEAKS_FOR_CONFLICT or not weight.any() or not case.expected_output:
        return told
    against = int(weight.argmax())
    proof = (*same.teaching, *same.contradicting)
    if proof:
        against = int(np.flatnonzero(near.rows[row] == proof[0])[0])
    if chance < 0.5 and not asking[against]:
        return told
    other = fitted.examples[int(near.rows[row, against])]
    differing = pair_differences.between(
        text.clip(_asked(fitted, case)), text.clip(text.focus(other.prompt, fitted.instructions))
    )[:_SHOWN_DIFFERENCES]
    told["contradicting_pair"] = {
        "left": {"example_id": None, "input": case.prompt, "output": case.expected_output},
        "right": {"example_id": other.id, "input": other.prompt, "output": other.output},
        "differences": [{"kind": d.kind.value, "left": d.left, "right": d.right} for d in differing],
    }
    told["paraphrase"] = {
        "probability": round(float(relevance[row, against]), 4),
        "usual": round(float(agreement), 4),
        "differs": sorted({d.kind.value for d in differing}),
    }
    if (groups := _label_groups(features, case)) is not None:
        told["label_groups"] = [groups]
    return told


def _label_groups(features: Float64[ndarray, " f"], case: BadCase) -> dict[str, Any] | None:
    """Two labels that the label model, left out, takes for each other both ways: perhaps two names for one."""
    taken = [np.exp(features[i]) - CONFUSION_FLOOR for i in conflict.CONFUSIONS]
    if min(taken) < _SAME_LABEL_CONFUSION:
        return None
    return {
        "labels": [case.expected_output, case.model_output],
        "score": round(float(np.sqrt(taken[0] * taken[1])), 4),
        "first_taken_for_second": round(float(taken[0]), 4),
        "second_taken_for_first": round(float(taken[1]), 4),
    }


def hard(
    fitted: FittedTrainingSet,
    case: BadCase,
    near: Near,
    row: int,
    task: int,
    same: SameQuestion,
    *,
    already_right: bool,
) -> dict[str, Any]:
    asked, expected = _asked(fitted, case), case.expected_output or ""
    rows, present = near.rows[row], near.present[row]
    said: Int64[ndarray, " k"] = np.where(
        present, fitted.known.outputs.whole[np.maximum(rows, 0)] if len(fitted.known.outputs) else 0, -1
    )
    groups = (
        difficulty.confusable(near.cosine[row], said, fitted.margins) if _labelled(fitted, task) else None
    )
    names = _names(fitted.examples, rows[present], said[present])
    # how long the name of a label is makes nothing hard
    answered = "" if _labelled(fitted, task) else expected
    found = difficulty.reasons(fitted.demands, asked, answered, task=task, groups=groups, names=names)
    return {
        **fitted.demands.percentiles(asked, expected, task),
        "taught_by": [fitted.examples[r].id for r in same.supporting],
        "reasons": [r.as_dict() for r in found],
        "confusable": groups.as_dict(names) if groups else None,
        "model_output_is_right": already_right,
    }


def _labelled(fitted: FittedTrainingSet, task: int) -> bool:
    return bool(fitted.known.placed[task])


def _task(fitted: FittedTrainingSet, near: Near, row: int) -> int:
    """The task of most of the five nearest rows."""
    rows = near.rows[row][near.present[row]][:5]
    return int(np.bincount(fitted.known.training.tasks[rows]).argmax()) if len(rows) else 0


def _names(
    examples: Sequence[TrainingExample], rows: Int64[ndarray, " k"], said: Int64[ndarray, " k"]
) -> Mapping[int, str]:
    return {int(s): text.clip(examples[int(r)].output, 80) for r, s in zip(rows, said, strict=True)}


def _asked(fitted: FittedTrainingSet, case: BadCase) -> str:
    return text.focus(case.prompt, fitted.instructions)
