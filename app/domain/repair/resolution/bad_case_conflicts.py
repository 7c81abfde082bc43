"""Rows that ask the same and answer differently.

Two views. Around a bad case: rows that ask what the case asks and contradict its expected output. Among
near-duplicate prompts: groups whose answers contradict each other. Rows whose labels ``label_errors``
judges over a whole region are not looked at here again.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray

from app.domain.answers import agreement, choices, commitments
from app.domain.answers.commitments import Commitment
from app.domain.answers.labels import is_label
from app.domain.answers.relation import Relation, is_closed, relate, relate_answers, word_f1
from app.domain.diagnosis.evidence.same_question import equal_prompts, question_key, same_question
from app.domain.language import text
from app.domain.near_duplicates.asked_questions import without_label
from app.domain.near_duplicates.comparison import exact_jaccard
from app.domain.records import Agreement, BadCase
from app.domain.repair.policy.repair_policy import NEAR_DUPLICATE_JACCARD
from app.domain.repair.rewriting.normalisation.templates import NEIGHBORS

# Word F1 by which a free text must be nearer to the wrong output than to the expected one.
_SIDE_MARGIN: Final = 0.2

# Cosine of prompts from which two free-text rows ask the same question in other words.
SAME_QUESTION_COSINE: Final = 0.85


_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchoredConflict:
    """A row that contradicts the expected output of a bad case asking the same.

    ``case`` is the nearest such case, ``cosine`` its similarity -1..1. ``same_prompt``: the prompts are
    equal but for letter case, spaces and edge punctuation, so the expected output can take the row's
    place. ``same_answer``: they are near-duplicates and the answer is a label or a choice that means the same in
    both, so it can as well. ``supported_by``: a row asking the same that already answers as expected, -1 = none.
    ``certain``: for certain row and case ask the same, or both answers are closed ones or solutions with a final
    answer. ``score`` 0..1: probability that the row is wrong.
    """

    row: int
    case: int
    cosine: float
    same_prompt: bool
    same_answer: bool
    supported_by: int
    certain: bool
    score: float


def anchored_conflicts(
    *,
    prompts: Sequence[str],
    outputs: Sequence[str],
    input_vectors: Float32[ndarray, "n d"],
    cases: Sequence[BadCase],
    case_prompts: Sequence[str],
    case_vectors: Float32[ndarray, "m d"],
    agreements: Mapping[tuple[int, str], Agreement],
    example_ids: Sequence[str],
    systems: Sequence[str],
    shown: Sequence[AbstractSet[str]],
    labels: AbstractSet[str],
    judged: AbstractSet[int],
    same_question_cosine: float,
    templates: AbstractSet[int] = frozenset(),
) -> tuple[AnchoredConflict, ...]:
    """Rows near the cases (all with an expected output) that answer the same question otherwise.

    ``agreements`` is the diagnosis' word on (case, example id); ``systems``: the rows' system
    prompts, '' = none; ``shown``: for each case the ids of
    the rows that ask the same for certain, as the diagnosis shows them; ``judged`` are rows settled elsewhere.
    ``templates``: rows of tasks whose prompts are one template filled in: all are alike, and only what stands out
    of its crowd asks the same.
    """
    if not cases or not prompts:
        return ()
    near = agreement.nearest(case_vectors, input_vectors, 3 * NEIGHBORS)
    cuts = np.maximum(same_question_cosine, _crowd(near.similarities[:, NEIGHBORS:]))
    personas = len({_DIGITS.sub("0", text.normalised(system)) for system in systems if system}) > 1
    place = {example_id: row for row, example_id in enumerate(example_ids)}
    against: defaultdict[int, list[tuple[float, int, float]]] = defaultdict(list)
    in_favour: Counter[int] = Counter()
    support: dict[int, int] = {}
    for case_number, case in enumerate(cases):
        rows: list[int] = near.indices[case_number, :NEIGHBORS].tolist()
        cosines: list[float] = near.similarities[case_number, :NEIGHBORS].tolist()
        certain = [place[i] for i in shown[case_number] if i in place]
        missing = [row for row in certain if row not in rows]
        rows += missing
        cosines += [float(case_vectors[case_number] @ input_vectors[row]) for row in missing]
        for row, cosine in zip(rows, cosines, strict=True):
            if row < 0 or (
                row not in certain
                and not _same_question(
                    prompts[row],
                    case_prompts[case_number],
                    cosine,
                    float(cuts[case_number]) if row in templates else same_question_cosine,
                    solved=bool(agreement.final_answer(outputs[row]) and agreement.final_answer(case.wanted)),
                )
            ):
                continue
            if not _same_system(systems[row], case.system, personas=personas):
                continue
            output = outputs[row]
            side = agreements.get((case_number, example_ids[row]))
            if any(
                _agrees(prompts[row], output, case_prompts[case_number], right, labels)
                for right in case.acceptable_outputs
            ):
                in_favour[row] += 1
                support.setdefault(case_number, row)
            elif row not in judged:
                weight = _wrongness(output, case, side, labels)
                if weight:
                    against[row].append((cosine, case_number, weight))
    found = []
    for row, votes in sorted(against.items()):
        cosine, case_number, _ = max(votes)
        strength = max(weight for _, _, weight in votes)
        same_prompt = equal_prompts(prompts[row], case_prompts[case_number])
        found.append(
            AnchoredConflict(
                row=row,
                case=case_number,
                cosine=cosine,
                same_prompt=same_prompt,
                same_answer=_same_answer(
                    prompts[row], outputs[row], case_prompts[case_number], cases[case_number], labels
                ),
                supported_by=support.get(case_number, -1),
                certain=same_prompt
                or _is_certain(
                    prompts[row],
                    outputs[row],
                    case_prompts[case_number],
                    cases[case_number],
                    shown=example_ids[row] in shown[case_number],
                ),
                # A case for the row takes away what a case against it gives.
                score=(0.97 if same_prompt else strength) * len(votes) / (len(votes) + in_favour[row]),
            )
        )
    return tuple(found)


def _is_certain(prompt: str, output: str, case_prompt: str, case: BadCase, *, shown: bool) -> bool:
    """``shown``: the diagnosis says that both ask the same. Of a call, JSON or code it says so by the answer, which
    repeats the row's own question in other words: there the questions have to be the same."""
    if is_label(output) and is_label(case.wanted):
        return True
    if agreement.final_answer(output) and agreement.final_answer(case.wanted):
        return True
    if not shown:
        return False
    same = question_key(prompt) == question_key(case_prompt) and same_question(prompt, case_prompt)
    return same or not commitments.read(output).machine


def _same_system(of_row: str, of_case: str | None, *, personas: bool) -> bool:
    """Whether a row may stand under the case's system prompt. Where rows have several (``personas``), a case without
    one says nothing about theirs."""
    if not of_row:
        return True
    return text.normalised(of_row) == text.normalised(of_case) if of_case else not personas


def _agrees(prompt: str, output: str, case_prompt: str, right: str, labels: AbstractSet[str]) -> bool:
    """Letters of options agree where they stand for the same, whatever letters they are."""
    mine, theirs = choices.chosen(prompt, output), choices.chosen(case_prompt, right)
    return mine == theirs if mine and theirs else relate(output, right, labels) is Relation.SAME


def _same_answer(prompt: str, output: str, case_prompt: str, case: BadCase, labels: AbstractSet[str]) -> bool:
    expected = case.wanted
    if not is_closed(output, labels) or not is_closed(expected, labels):
        return False
    mine, theirs = choices.chosen(prompt, expected), choices.chosen(case_prompt, expected)
    return mine == theirs and exact_jaccard(prompt, case_prompt) >= NEAR_DUPLICATE_JACCARD


def _crowd(similarities: Float32[ndarray, "m k"]) -> Float64[ndarray, " m"]:
    """Cosine from which a row stands out among those further off: three deviations above their mean."""
    if not similarities.shape[1]:
        return np.full(len(similarities), -1.0)
    return similarities.mean(axis=1, dtype=np.float64) + 3 * similarities.std(axis=1, dtype=np.float64)


# In two worked solutions that end with their answers, who it is about changes nothing.
_IMMATERIAL_TO_SOLUTIONS = (Commitment.NAME, Commitment.WORD)


def _same_question(prompt: str, case_prompt: str, cosine: float, cut: float, *, solved: bool) -> bool:
    """``solved``: both answers are solutions that end with a final answer."""
    prompt, case_prompt = without_label(prompt), without_label(case_prompt)
    if text.normalised(prompt) == text.normalised(case_prompt):
        return equal_prompts(prompt, case_prompt)
    if cosine < cut:
        return False
    # Another number, name, word in the same place: another question, however near.
    found = commitments.differ(prompt, case_prompt)
    return found is None or (solved and found in _IMMATERIAL_TO_SOLUTIONS)


def _wrongness(output: str, case: BadCase, side: Agreement | None, labels: AbstractSet[str]) -> float:
    """Probability 0..1 that a row asking what the case asks is wrong, by its output; 0 = no sign of it."""
    expected = case.wanted
    contradicts = relate(output, expected, labels) is Relation.CONTRADICTS
    says_the_wrong = side is Agreement.MODEL_OUTPUT or (
        bool(case.said) and relate(output, case.said, labels) is Relation.SAME
    )
    if says_the_wrong and side is not Agreement.EXPECTED:
        return 0.9 if contradicts else 0.8
    if contradicts:
        return 0.7
    nearer = word_f1(output, case.said) - word_f1(output, expected)
    return 0.6 if nearer > _SIDE_MARGIN else 0.0


def sides(
    group: Sequence[int], prompts: Sequence[str], outputs: Sequence[str], labels: AbstractSet[str]
) -> list[list[int]]:
    """The contradicting sides of a group of rows that ask the same, fewer than two where nothing contradicts.

    A row whose answer is neither the same as nor contradictory to a side's first row stays out: two
    wordings of one answer are no conflict.
    """
    found: list[list[int]] = []
    for row in group:
        relations = [relate_answers(prompts[row], outputs[row], outputs[side[0]], labels) for side in found]
        if Relation.SAME in relations:
            found[relations.index(Relation.SAME)].append(row)
        elif all(relation is Relation.CONTRADICTS for relation in relations):
            found.append([row])
    return found


def same_question_cut(input_vectors: Float32[ndarray, "n d"], rng: np.random.Generator) -> float:
    """Cosine from which two prompts of this training set ask the same, in this embedder's scale."""
    if len(input_vectors) < 2:
        return SAME_QUESTION_COSINE
    return agreement.meaning_cut(input_vectors, rng)
