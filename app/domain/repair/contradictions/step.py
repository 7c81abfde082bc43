"""Rows that ask the same in other words and contradict each other, over every task; labels with two names.

No bad case is needed: what a contradiction looks like, and which of two rows is in error, is learnt from the set
itself (``app.domain.repair.contradictions.detect``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from app.domain.language import label_names, text
from app.domain.near_duplicates import grouping
from app.domain.repair.contradictions import detect, paraphrase
from app.domain.repair.contradictions.detect import ContradictedRow, ContradictionKind, Contradictions
from app.domain.repair.contradictions.label_errors import CALLED_WRONG, REGIONAL_KAPPA
from app.domain.repair.contradictions.label_synonyms import LabelGroup, Labels
from app.domain.repair.draft.draft import Draft, excerpt, task_of
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.draft.open_questions import ROWS_STAY
from app.domain.repair.duplicates import semantic
from app.domain.repair.resolution import Resolution, ResolutionContext, disputes
from app.domain.repair.resolution.majority import MAJORITY_SHARE

# A task is searched for contradictions from this many rows on: two labels of the fewest rows that say where a
# label lies. What single rows contradict is learnt in larger tasks only.
_CONTRADICTION_MIN_ROWS: Final = 16


def propose(draft: Draft, material: PlanInputs) -> None:
    if not draft.policy.contradictions:
        return
    context = ResolutionContext.of(draft, material)
    groups: list[dict[str, object]] = []
    expected_in = _expected(draft, material)
    for rows in _tasks(draft):
        found = _find(draft, rows, material)
        if found is None:
            continue
        if found.from_model:
            draft.compared.update(rows.tolist())
        _settle_rows(draft, rows, found, context)
        _settle_undecided(draft, rows, found, context)
        expected = expected_in[draft.tasks[int(rows[0])]]
        groups += [g for group in found.groups if (g := _unify(draft, rows, group, expected))]
    draft.notes["label_groups"] = groups


Expected = Counter[tuple[str, str]]
"""How often bad cases expect one answer where the model said another; both normalised."""


def _expected(draft: Draft, material: PlanInputs) -> defaultdict[str, Expected]:
    made: defaultdict[str, Expected] = defaultdict(Counter)
    for case in material.cases:
        if case.wanted:
            task = task_of(case.system, case.prompt, draft.instructions)
            made[task][(text.normalised(case.wanted), text.normalised(case.said))] += 1
    return made


def _tasks(draft: Draft) -> Iterator[Int64[ndarray, " r"]]:
    """The standing rows of every task in which two labels could be told apart."""
    of_task: defaultdict[str, list[int]] = defaultdict(list)
    for row, task in enumerate(draft.tasks):
        example = draft.examples[row]
        if row not in draft.dropped and draft.answers(row) and example.output.strip():
            of_task[task].append(row)
    for rows in of_task.values():
        if len(rows) >= _CONTRADICTION_MIN_ROWS:
            yield np.array(rows, dtype=np.int64)


def _find(draft: Draft, rows: Int64[ndarray, " r"], material: PlanInputs) -> Contradictions | None:
    """None where the same words may have any answer: the letters of multiple-choice questions, templates."""
    if draft.tasks[int(rows[0])] in draft.templates:
        return None
    prompts = [draft.prompts[row] for row in rows.tolist()]
    outputs = [draft.examples[row].output for row in rows.tolist()]
    views = paraphrase.look(prompts, {"input": material.input_vectors[rows]})
    coded = detect.codes(outputs)
    if np.bincount(coded).max() > 1 and _kappa(views.neighbors.indices[:, 0], coded) < REGIONAL_KAPPA:
        return None
    labels = Labels(names=detect.labels_of(outputs), vectors=None)
    return detect.find(views, prompts, outputs, labels, material.rng)


def _kappa(nearest: Int64[ndarray, " r"], coded: Int64[ndarray, " r"]) -> float:
    """Cohen's kappa of the outputs of rows and of the rows nearest to them, over outputs that repeat."""
    counts = np.bincount(coded)
    asked = (counts[coded] > 1) & (nearest >= 0)
    if not asked.any():
        return 1.0
    agreement = float((coded[nearest[asked]] == coded[asked]).mean())
    chance = float(((counts[coded[asked]] - 1) / max(1, len(coded) - 1)).mean())
    return (agreement - chance) / max(1.0 - chance, 1e-9)


def _settle_rows(
    draft: Draft, rows: Int64[ndarray, " r"], found: Contradictions, context: ResolutionContext
) -> None:
    """Rows that the set as a whole calls wrong get the answer of those that they contradict."""
    for contradicted in found.rows:
        if contradicted.kind is ContradictionKind.LABELS or contradicted.wrong < CALLED_WRONG:
            continue
        row = int(rows[contradicted.row])
        right = _right_side(draft, rows, contradicted, found)
        if row in draft.resolved or not right:
            continue
        dispute = disputes.dispute_of(draft, [right, [row]])
        keep = next(i for i, side in enumerate(dispute.sides) if row not in side)
        from_model = Resolution(
            keep=keep,
            score=contradicted.wrong,
            because=(
                f'"{excerpt(draft.prompts[row])}" stands with rows that say "{excerpt(dispute.answers[keep])}"'
            ),
            judged_words=True,
        )
        disputes.settle(
            draft, dispute, context, same_prompt=False, evidence=_method(contradicted), from_model=from_model
        )


def _right_side(
    draft: Draft, rows: Int64[ndarray, " r"], contradicted: ContradictedRow, found: Contradictions
) -> list[int]:
    """The opposing rows that are believed and agree with the most of them, the most telling first."""
    believed = [o for o in contradicted.opposing if found.is_wrong[o] < CALLED_WRONG]
    said = {o: text.normalised(draft.examples[int(rows[o])].output) for o in believed}
    if not said:
        return []
    answer = Counter(said.values()).most_common(1)[0][0]
    return [int(rows[o]) for o in believed if said[o] == answer]


def _settle_undecided(
    draft: Draft, rows: Int64[ndarray, " r"], found: Contradictions, context: ResolutionContext
) -> None:
    """Rows that contradict each other, where the set does not say which of them is in error."""
    open_rows = {
        c.row: c
        for c in found.rows
        if c.kind is not ContradictionKind.LABELS and int(rows[c.row]) not in draft.resolved
    }
    pairs = [(c.row, o) for c in open_rows.values() for o in c.opposing[:1] if o in open_rows]
    for group in grouping.connected(len(rows), pairs):
        sides: defaultdict[str, list[int]] = defaultdict(list)
        for member in group:
            row = int(rows[member])
            sides[text.normalised(draft.examples[row].output)].append(row)
        if len(sides) > 1:
            dispute = disputes.dispute_of(draft, list(sides.values()))
            disputes.settle(draft, dispute, context, same_prompt=False, evidence=_method(open_rows[group[0]]))


def _method(contradicted: ContradictedRow) -> dict[str, object]:
    return {"found_by": contradicted.kind.value, "in_conflict": round(contradicted.probability, 3)}


def _unify(
    draft: Draft, rows: Int64[ndarray, " r"], group: LabelGroup, expected: Expected
) -> dict[str, object] | None:
    """Ask for one name for labels that are given to the same questions; which of them is right, a person says.

    Labels of which each was right in the other's place are two things that got mixed up, and not one thing.
    """
    names = {label: text.normalised(label) or label.strip() for label in group.labels}
    if any(expected[(a, b)] and expected[(b, a)] for a, b in combinations(names.values(), 2)):
        return None
    spelt: defaultdict[str, list[int]] = defaultdict(list)
    for row in rows.tolist():
        output = draft.examples[row].output
        spelt[text.normalised(output) or output.strip()].append(row)
    members = {label: spelt[name] for label, name in names.items()}
    standing = {
        label: tuple(row for row in of if row not in draft.dropped and row not in draft.resolved)
        for label, of in members.items()
    }
    asked_for = {
        label: sum(n for (right, _), n in expected.items() if right == name) for label, name in names.items()
    }
    ordered = sorted(
        (label for label in group.labels if standing[label]),
        key=lambda label: (-asked_for[label], -len(standing[label]), label),
    )
    if len(ordered) > 1:
        said = " and ".join(f'rows that say "{excerpt(o)}" ({len(standing[o])})' for o in ordered)
        evidence = {
            "rule": "label_group",
            "labels": {label: len(of) for label, of in members.items()},
            "links": _links(draft, rows, group),
            "sides": [
                {
                    "output": excerpt(o),
                    "example_ids": [draft.examples[row].id for row in standing[o]],
                    "cases": asked_for[o],
                }
                for o in ordered
            ],
            "score_of": "that these answers are given to the same questions",
            # Two names of one thing are both right; two facts are not.
            ROWS_STAY: not any(semantic.commits(*map(_spoken, pair)) for pair in combinations(ordered, 2)),
        }
        because = _better_name(ordered, asked_for, {label: len(standing[label]) for label in ordered})
        why = f"{because}: please confirm" if because else "nothing speaks for one of them: please choose one"
        keep = standing[ordered[0]][0]
        rows_concerned = tuple(row for label in ordered for row in standing[label])
        reason = f"{said} ask the same things; {why}"
        draft.ask_answer(rows_concerned, keep if because else None, reason, group.score, evidence)
    return {"labels": list(group.labels), "score": round(group.score, 3)}


def _spoken(label: str) -> str:
    return label_names.spoken(label) or label


def _better_name(ordered: Sequence[str], cases: Mapping[str, int], rows: Mapping[str, int]) -> str | None:
    """What speaks for the first of these labels: what bad cases expect, else a clear majority of the rows. None
    where neither does."""
    first, second = ordered[:2]
    if cases[first] > cases[second]:
        number = cases[first]
        return f'{number} bad {"case expects" if number == 1 else "cases expect"} "{excerpt(first)}"'
    every = sum(rows.values())
    if rows[first] / every >= MAJORITY_SHARE:
        return f'{rows[first]} of {every} rows say "{excerpt(first)}"'
    return None


def _links(draft: Draft, rows: Int64[ndarray, " r"], group: LabelGroup) -> list[dict[str, object]]:
    return [
        {
            "labels": list(link.labels),
            "score": round(link.score, 3),
            "rows": [
                {
                    "example_id": draft.examples[int(rows[at])].id,
                    "input": excerpt(draft.prompts[int(rows[at])]),
                    "output": excerpt(draft.examples[int(rows[at])].output),
                }
                for at in link.rows
            ],
        }
        for link in group.evidence
    ]
