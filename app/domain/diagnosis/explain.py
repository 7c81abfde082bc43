"""The evidence of one finding: what a person checks the verdict by in ten seconds.

Neighbours first; then the contradicting pair side by side with what differs, what is new about the prompt,
why it is harder than most.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int64
from numpy import ndarray

from app.domain.answers.certainty import SAYS, Certainty
from app.domain.diagnosis.evidence import difficulty, findings, novelty
from app.domain.diagnosis.evidence.findings import CREDIBLE_SHARE
from app.domain.diagnosis.evidence.same_question import SameQuestion
from app.domain.diagnosis.features import conflict, coverage
from app.domain.diagnosis.features.conflict import ASKS_THE_SAME, CONFUSION_FLOOR
from app.domain.diagnosis.features.extractor import FEATURES
from app.domain.diagnosis.features.neighbors import Near, Sides
from app.domain.diagnosis.fit import FittedTrainingSet
from app.domain.evidence import (
    ConflictEvidence,
    ContradictingPair,
    HardEvidence,
    LabelGroup,
    Neighbor,
    OodEvidence,
    PairDifference,
    PairSide,
    Paraphrase,
    PromptLanguage,
    PromptLength,
    SentencePattern,
    SideCounts,
)
from app.domain.language import pair_differences, text
from app.domain.records import BadCase, RootCause, TrainingExample

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
    task: int,
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
        labelled=_labelled(fitted, task),
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
) -> OodEvidence:
    new = novelty.novelty(_asked(fitted, case), fitted.vocabulary, known_scripts)
    unseen = bool(features[_LABEL_UNSEEN] > 0.5)
    return OodEvidence(
        **dict(coverage.evidence(features, cosines, expected_rows, labelled=labelled)),
        # told only where outputs are labels: that no row has a computed amount says nothing
        unseen_label=case.expected_output if unseen else None,
        unseen_terms=new.unseen,
        unseen_share=new.unseen_share,
        length=PromptLength(value=new.length, percentile=new.length_percentile),
        pattern=SentencePattern(
            text=new.pattern, seen=new.pattern_share > 0, trained_share=new.pattern_share
        ),
        language=PromptLanguage(name=new.language, trained_share=new.language_share),
        language_known=new.embedder_knows is not False,
        remarks=(*new.remarks, *_judged_without(case)),
    )


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
    task: int,
    chance: float = 1.0,
    same: SameQuestion = _NOTHING,
) -> ConflictEvidence:
    """The pair that contradicts most, how many near rows stand on which side, and which labels are mixed up.

    ``chance``: probability of a conflict. Where it is small there is no contradiction to show: some near row
    always has another answer. Where it is not the likeliest, only a row that should agree is shown as one.
    """
    present, expected, wrong = near.present[row], on.expected[row], on.wrong[row] & ~on.expected[row]
    labelled, agreement = _labelled(fitted, task), fitted.known.relevance.task_agreement[task]
    # of 24 near rows most are other questions: whose side these are on says nothing
    least = max(ASKS_THE_SAME, CREDIBLE_SHARE * float(relevance[row].max(initial=0.0)))
    if not labelled:
        least = max(least, float(conflict.beyond_chance(agreement)))
    asking = present & ((relevance[row] >= least) | np.isin(near.rows[row], same.rows))
    counts = SideCounts(
        expected=int((asking & expected).sum()),
        model_output=int((asking & wrong).sum()),
        neither=int((asking & ~expected & ~wrong).sum()),
    )
    told = partial(ConflictEvidence, **dict(conflict.evidence(near, on, relevance, row)), counts=counts)
    weight = findings.opposition(
        relevance[row],
        expected=expected,
        wrong=wrong,
        present=present,
        labelled=labelled,
    )
    if chance < _SPEAKS_FOR_CONFLICT or not weight.any() or not case.expected_output:
        return told()
    against = int(weight.argmax())
    proof = (*same.teaching, *same.contradicting)
    if proof:
        against = int(np.flatnonzero(near.rows[row] == proof[0])[0])
    if chance < 0.5 and not asking[against]:
        return told()
    other = fitted.examples[int(near.rows[row, against])]
    differing = pair_differences.between(
        text.clip(_asked(fitted, case)), text.clip(text.focus(other.prompt, fitted.instructions))
    )[:_SHOWN_DIFFERENCES]
    return told(
        contradicting_pair=ContradictingPair(
            left=PairSide(example_id=None, input=case.prompt, output=case.expected_output),
            right=PairSide(example_id=other.id, input=other.prompt, output=other.output),
            differences=tuple(PairDifference(kind=d.kind, left=d.left, right=d.right) for d in differing),
        ),
        paraphrase=Paraphrase(
            probability=float(relevance[row, against]),
            usual=float(agreement),
            differs=tuple(sorted({d.kind for d in differing})),
        ),
        label_groups=_label_groups(features, case.expected_output, case.model_output),
    )


def _label_groups(features: Float64[ndarray, " f"], expected: str, said: str) -> tuple[LabelGroup, ...]:
    """Two labels that the label model, left out, takes for each other both ways: perhaps two names for one."""
    first, second = (float(np.exp(features[i]) - CONFUSION_FLOOR) for i in conflict.CONFUSIONS)
    if min(first, second) < _SAME_LABEL_CONFUSION:
        return ()
    group = LabelGroup(
        labels=(expected, said),
        score=math.sqrt(first * second),
        first_taken_for_second=first,
        second_taken_for_first=second,
    )
    return (group,)


def hard(
    fitted: FittedTrainingSet,
    case: BadCase,
    near: Near,
    row: int,
    task: int,
    same: SameQuestion,
    *,
    right: Certainty | None,
    looks_alike: bool,
) -> HardEvidence:
    """``right``: by what the output is certainly right; ``looks_alike``: it is not certain, and may be so."""
    asked, expected = _asked(fitted, case), case.expected_output or ""
    rows, present = near.rows[row], near.present[row]
    said: Int64[ndarray, " k"] = np.where(
        present, fitted.known.outputs.whole[np.maximum(rows, 0)] if len(fitted.known.outputs) else 0, -1
    )
    names = _names(fitted.examples, rows[present], said[present])
    labelled = _labelled(fitted, task)
    groups = difficulty.confusable(near.cosine[row], said, names, fitted.margins) if labelled else None
    # how long the name of a label is makes nothing hard
    answered = "" if labelled else expected
    return HardEvidence(
        **dict(fitted.demands.percentiles(asked, expected, task)),
        taught_by=tuple(fitted.examples[r].id for r in same.supporting),
        reasons=difficulty.reasons(fitted.demands, asked, answered, task=task, groups=groups),
        confusable=groups,
        model_output_is_right=right is not None,
        looks_alike=looks_alike,
        right_by=right,
        right_since=None if right is None else SAYS[right],
    )


def _labelled(fitted: FittedTrainingSet, task: int) -> bool:
    return bool(fitted.known.placed[task])


def _names(
    examples: Sequence[TrainingExample], rows: Int64[ndarray, " k"], said: Int64[ndarray, " k"]
) -> Mapping[int, str]:
    return {int(s): text.clip(examples[int(r)].output, 80) for r, s in zip(rows, said, strict=True)}


def _asked(fitted: FittedTrainingSet, case: BadCase) -> str:
    return text.focus(case.prompt, fitted.instructions)
