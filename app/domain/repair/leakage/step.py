"""Rows that repeat an evaluation row or a held-back case: a score on those would be a lie.

Rows that ask the same question go: in equal or nearly equal words, or in another frame. A row that asks the same
in other words, as far as its vector and what differs can tell, is proposed to a person. Protected prompts take
rows out; they never change one.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from jaxtyping import Bool, Int64
from numpy import ndarray

from app.domain.language import pair_differences, text
from app.domain.near_duplicates.grouping import PromptGroups, without_templates
from app.domain.near_duplicates.leakage import (
    LEAKAGE_NEIGHBORS,
    Match,
    Overlap,
    ProtectedKind,
    ProtectedPrompt,
    overlaps,
)
from app.domain.repair.draft.draft import Draft, excerpt
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.policy.repair_policy import CONFIDENT_SCORE
from app.domain.repair.resolution.bad_case_conflicts import SAME_QUESTION_COSINE
from app.domain.vectors.search import nearest

# Where more of the training rows than this repeat the evaluation set, that set was most likely drawn from
# them: dropping them all is a person's decision.
_LEAKAGE_MAX_SHARE: Final = 0.5

# Rows near one protected prompt whose answers are compared, all with all: a template shows with a few.
_LEAKAGE_TEMPLATE_ROWS: Final = 12


_TELLING = [
    pair_differences.COLUMNS.index(name)
    for name in ("number_differs", "negation_differs", "direction_differs", "name_differs")
]
_HOW = {
    Match.EQUAL: "is the same prompt as",
    Match.FRAMED: "asks, with other words around the question, the same as",
    Match.NEAR: "is nearly the same prompt as",
}
_CALLED = {ProtectedKind.EVALUATION: "evaluation row", ProtectedKind.HELD_BACK: "held-back case"}


def propose(draft: Draft, material: PlanInputs) -> None:
    """Also leaves in the draft's notes what was compared and how many rows met it."""
    if not material.protected:
        return
    held = _repeating(draft, material.protected, ProtectedKind.HELD_BACK)
    evaluated = _repeating(draft, material.protected, ProtectedKind.EVALUATION)
    templates = _templates(draft, evaluated)
    drawn = len(evaluated) > _LEAKAGE_MAX_SHARE * len(draft.examples)
    for row in sorted(held | evaluated):
        if row in held:
            _drop(draft, row, *held[row])
        else:
            protected, overlap = evaluated[row]
            why = ""
            if drawn:
                why = "so do more than half of the rows: the evaluation set seems to be drawn from them"
            elif overlap.match is Match.NEAR and draft.tasks[row] in templates:
                why = "rows near one evaluation row are answered differently here, as a template filled in anew is"
            _drop(draft, row, protected, overlap, doubt=why)
    alike = _alike(draft, material, without=held.keys() | evaluated.keys())
    for row, (protected, cosine) in sorted(alike.items()):
        _propose(draft, row, protected, cosine)
    draft.notes["leakage"] = {
        "protected": dict(Counter(p.kind.value for p in material.protected)),
        "rows_of_held_back": len(held),
        "rows_of_evaluation": len(evaluated),
        "rows_alike_in_meaning": len(alike),
        "rows_of_bad_cases_that_may_stay": len(_repeating(draft, material.protected, ProtectedKind.BAD_CASE)),
    }


def _repeating(
    draft: Draft, protected: Iterable[ProtectedPrompt], kind: ProtectedKind
) -> dict[int, tuple[ProtectedPrompt, Overlap]]:
    """Rows that repeat a protected prompt, as they came or as they were cleaned: either may end up trained on."""
    targets = [p for p in protected if p.kind is kind]
    rows = list(range(len(draft.examples)))
    prompts = [example.prompt for example in draft.examples]
    for row, original in enumerate(draft.originals):
        if original.prompt != prompts[row]:
            rows.append(row)
            prompts.append(original.prompt)
    if not targets:
        return {}
    found: dict[int, tuple[ProtectedPrompt, Overlap]] = {}
    for i, overlap in overlaps(prompts, [p.prompt for p in targets], draft.instructions).items():
        known = found.get(rows[i])
        if not overlap.same_question:
            continue
        if known is None or known[1].jaccard < overlap.jaccard:
            found[rows[i]] = (targets[overlap.target], overlap)
    return found


def _drop(draft: Draft, row: int, protected: ProtectedPrompt, overlap: Overlap, *, doubt: str = "") -> None:
    """``doubt``: why a person should decide; '' where there is none."""
    reason = f'{_HOW[overlap.match]} {_CALLED[protected.kind]} {protected.id} ("{excerpt(_focus(draft, protected))}")'
    if doubt:
        reason += f"; {doubt}: please look"
    evidence = {
        "rule": f"leakage_{overlap.match.value}",
        "protected": protected.kind.value,
        "of": protected.id,
        "prompt": excerpt(_focus(draft, protected)),
        "jaccard": round(overlap.jaccard, 3),
    }
    # From the threshold on a leak is likelier than not; what a person has to decide is even.
    draft.drop(row, reason, 0.5 if doubt else 0.9 + 0.1 * overlap.jaccard, evidence, ask=bool(doubt))


def _templates(draft: Draft, found: Mapping[int, tuple[ProtectedPrompt, Overlap]]) -> frozenset[str]:
    """Tasks in which rows near one protected prompt differ in their answers about as often as any two rows do.

    There the few characters that differ are the question; what the protected prompt's own answer is, is not known
    here.
    """
    near: defaultdict[str, list[int]] = defaultdict(list)
    for row, (protected, overlap) in sorted(found.items()):
        if overlap.match is Match.NEAR:
            near[protected.id].append(row)
    pairs = {
        pair: overlap.jaccard
        for rows in near.values()
        for pair in itertools.combinations(rows[:_LEAKAGE_TEMPLATE_ROWS], 2)
        if (overlap := found[pair[0]][1])
    }
    kept = without_templates(
        PromptGroups(groups=(), jaccards=pairs),
        draft.tasks,
        [text.normalised(output) for output in draft.outputs()],
    )
    return frozenset(draft.tasks[a] for a, _ in pairs.keys() - kept.jaccards.keys())


def _propose(draft: Draft, row: int, protected: ProtectedPrompt, cosine: float) -> None:
    cut = SAME_QUESTION_COSINE
    score = 0.5 + (CONFIDENT_SCORE - 0.51) * max(0.0, cosine - cut) / (1 - cut)
    asked = excerpt(_focus(draft, protected))
    draft.drop(
        row,
        f'seems to ask what {_CALLED[protected.kind]} {protected.id} asks, in other words ("{asked}")',
        score,
        {
            "rule": "leakage_meaning",
            "protected": protected.kind.value,
            "of": protected.id,
            "prompt": asked,
            "cosine": round(cosine, 3),
        },
        ask=True,
    )


def _alike(
    draft: Draft, material: PlanInputs, *, without: Iterable[int]
) -> dict[int, tuple[ProtectedPrompt, float]]:
    """Rows near a protected prompt in meaning, where no number, negation, name or direction tells them apart.

    Not rows whose answer is a label: other ways to ask for it are what a label is taught by.
    """
    if not len(material.protected_vectors):
        return {}
    known = set(without)
    targets = np.array(
        [i for i, p in enumerate(material.protected) if p.kind is not ProtectedKind.BAD_CASE], dtype=np.int64
    )
    labels = draft.labels()
    rows = np.array(
        [
            i
            for i, example in enumerate(draft.examples)
            if i not in known and text.normalised(example.output) not in labels
        ],
        dtype=np.int64,
    )
    if not targets.size or not rows.size:
        return {}
    near = nearest(
        material.input_vectors[rows],
        material.protected_vectors[targets],
        min(LEAKAGE_NEIGHBORS, len(targets)),
    )
    at, turn = np.nonzero(near.present & (near.similarities >= SAME_QUESTION_COSINE))
    left, right = rows[at], targets[near.indices[at, turn]]
    same = ~_told_apart(draft, material, left, right)
    found: dict[int, tuple[ProtectedPrompt, float]] = {}
    # In the order of nearness: the first one that nothing tells apart counts.
    for row, target, cosine in zip(
        left[same].tolist(), right[same].tolist(), near.similarities[at, turn][same].tolist(), strict=True
    ):
        found.setdefault(row, (material.protected[target], float(cosine)))
    return found


def _told_apart(
    draft: Draft, material: PlanInputs, left: Int64[ndarray, " p"], right: Int64[ndarray, " p"]
) -> Bool[ndarray, " p"]:
    if not left.size:
        return np.zeros(0, dtype=bool)
    rows, row_at = np.unique(left, return_inverse=True)
    targets, target_at = np.unique(right, return_inverse=True)
    readings = pair_differences.read(
        [draft.prompts[i] for i in rows] + [_focus(draft, material.protected[i]) for i in targets]
    )
    compared = pair_differences.compare(readings, row_at, target_at + len(rows))
    return np.asarray(compared[:, _TELLING].any(axis=1))


def _focus(draft: Draft, protected: ProtectedPrompt) -> str:
    return text.focus(protected.prompt, draft.instructions)
