"""Rows that are one row written twice: the best of each group stays."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from app.domain.language import text
from app.domain.language.code import is_code
from app.domain.near_duplicates import grouping, lsh
from app.domain.near_duplicates.grouping import DropReason, PromptGroups
from app.domain.near_duplicates.signatures import PERMUTATIONS
from app.domain.records import TrainingExample
from app.domain.repair.draft.draft import Draft, excerpt
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.draft.open_questions import ROWS_STAY
from app.domain.repair.duplicates import certain_copies, semantic
from app.domain.repair.duplicates.compared_rows import FREE_ANSWER_CHARACTERS, Side
from app.domain.repair.duplicates.survivor import Kept, keep_best
from app.domain.repair.policy.duplicates import Over
from app.domain.repair.row_quality.reading import quality_scores

_ROUNDS = 4
"""Rows that are no copy of the one that stays are looked at again among themselves, so often."""

Alike = Callable[[Int64[ndarray, "m 2"]], ndarray]
"""How alike the rows of each pair are, 0..1; 0 where they are no copies."""


def propose(draft: Draft, material: PlanInputs) -> None:
    """Also leaves the groups of rows that ask the same in the draft, for those who settle contradictions."""
    _drop_exact_duplicates(draft)
    over, frames = draft.policy.duplicates.over, _frames(draft)
    outputs = [text.normalised(o) for o in draft.outputs()]
    answered = None if over is Over.OUTPUTS else outputs
    agreeing = Side.of(draft, draft.prompts, frames, material.read, answers=answered)
    # Who asks the same as whom may not depend on the answers where these are held against each other.
    by_prompt, by_answers = agreeing.pairs_apart()
    draft.groups = grouping.without_templates(
        PromptGroups(groups=(), jaccards=by_prompt), draft.tasks, outputs
    )
    templates = {draft.tasks[a] for a, _ in by_prompt.keys() - draft.groups.jaccards.keys()}
    draft.templates = frozenset(templates)
    if draft.policy.near_duplicate_threshold is None:
        return
    draft.notes["near_duplicates"] = _parameters(draft)
    score = _Quality(draft=draft, material=material).of
    prompts = agreeing.strict()
    match over:
        case Over.PAIRS:
            answers = Side.of(draft, draft.outputs(), [""] * len(draft.examples), material.read)
            pairs = {p: v for p, v in draft.groups.jaccards.items() if p[0] not in draft.dropped}
            pairs = _teaching_the_same(draft, pairs)
            pairs = _where(pairs, lambda of: _same_answers(draft, answers, of))
            alike = functools.partial(_alike_rows, draft, prompts, answers, templates)
            dropped = _drop_groups(draft, pairs, alike, score, prompts)
        case Over.INPUTS:
            alike = functools.partial(_alike_prompts, draft, prompts, templates)
            dropped = _drop_groups(draft, draft.groups.jaccards, alike, score, prompts)
        case Over.OUTPUTS:
            answers = Side.of(draft, draft.outputs(), [""] * len(draft.examples), material.read, free=True)
            dropped = _drop_groups(draft, answers.pairs(), answers.alike, score, answers)
    by_answer = {
        (a, b): value
        for (a, b), value in by_answers.items()
        if draft.tasks[a] not in templates and a not in dropped and b not in dropped
    }
    if over is Over.PAIRS:
        by_answer = _teaching_the_same(draft, by_answer)
    stay = frozenset(dropped.values())
    dropped |= _drop_groups(draft, by_answer, agreeing.alike, score, agreeing, stay=stay)
    if draft.policy.duplicates.meaning_cosine is not None:
        _drop_same_meaning(draft, material, draft.policy.duplicates.meaning_cosine, score, dropped)


@dataclass(frozen=True, kw_only=True)
class _Quality:
    """Quality of rows, measured when the first group of copies needs it."""

    draft: Draft
    material: PlanInputs

    @functools.cached_property
    def scores(self) -> dict[str, float]:
        found = quality_scores(self.draft, self.material, self.draft.policy.quality).scores
        return {e.id: q for e, q in zip(self.draft.examples, found.tolist(), strict=True)}

    def of(self, example: TrainingExample) -> float:
        return self.scores[example.id]


def _frames(draft: Draft) -> list[str]:
    """What has to be equal besides the question: the task, the system prompt, the tools and the turns before it."""
    contexts = map(certain_copies.context_of, draft.examples)
    return [f"{task}\0{context}" for task, context in zip(draft.tasks, contexts, strict=True)]


def _parameters(draft: Draft) -> dict[str, object]:
    """What a person needs to see how many near-duplicates may be missed."""
    threshold = draft.policy.near_duplicate_threshold or 1.0
    return {
        "over": draft.policy.duplicates.over.value,
        "threshold": threshold,
        "edit_share": draft.policy.duplicates.edit_share,
        "permutations": PERMUTATIONS,
        "bands": lsh.BANDS,
        "rows_per_band": lsh.BAND_ROWS,
        "probability_at_threshold": round(lsh.met_probability(threshold), 4),
        "curve": lsh.curve(),
    }


def _drop_exact_duplicates(draft: Draft) -> None:
    hashes = [example.content_hash for example in draft.examples]
    for dropped in grouping.exact_duplicates(hashes):
        # A row that leaks goes, and so does its copy: neither "stays".
        if dropped.row in draft.dropped:
            continue
        kept = draft.examples[dropped.of]
        draft.drop(
            dropped.row,
            f'exact duplicate of {kept.id} ("{excerpt(draft.prompts[dropped.of])}"), which stays',
            1.0,
            {"rule": DropReason.EXACT_DUPLICATE.value, "of": kept.id, "jaccard": 1.0},
        )


def _teaching_the_same(draft: Draft, pairs: dict[tuple[int, int], float]) -> dict[tuple[int, int], float]:
    """The pairs whose rows have the same reasoning, rejected answer and desirability: others teach two things."""
    beside = {row: certain_copies.beside_the_answer(draft.examples[row]) for pair in pairs for row in pair}
    return {(a, b): value for (a, b), value in pairs.items() if beside[a] == beside[b]}


def _where(
    pairs: dict[tuple[int, int], float], alike: Callable[[Int64[ndarray, "m 2"]], ndarray]
) -> dict[tuple[int, int], float]:
    if not pairs:
        return {}
    kept = alike(np.array(list(pairs), dtype=np.int64)) > 0
    return {pair: value for (pair, value), keep in zip(pairs.items(), kept.tolist(), strict=True) if keep}


def _same_answers(draft: Draft, answers: Side, pairs: Int64[ndarray, "m 2"]) -> ndarray:
    """1 for equal answers, and empty ones; how alike they are for free text; 0 for other labels and other code."""
    made = answers.alike(pairs)
    outputs = {row: text.normalised(draft.examples[row].output) for row in np.unique(pairs).tolist()}
    for i, (a, b) in enumerate(pairs.tolist()):
        if outputs[a] == outputs[b]:
            made[i] = 1.0
        elif is_code(draft.examples[a].output) or is_code(draft.examples[b].output):
            # One sign of code makes another program.
            made[i] = 0.0
        elif min(len(outputs[a]), len(outputs[b])) < FREE_ANSWER_CHARACTERS:
            made[i] = 0.0
    return made


def _alike_prompts(draft: Draft, prompts: Side, templates: set[str], pairs: Int64[ndarray, "m 2"]) -> ndarray:
    made = prompts.alike(pairs)
    filled_in = np.array([draft.tasks[a] in templates for a, _ in pairs.tolist()], dtype=bool)
    return np.where(filled_in & (made < 1), 0.0, made)


def _alike_rows(
    draft: Draft, prompts: Side, answers: Side, templates: set[str], pairs: Int64[ndarray, "m 2"]
) -> ndarray:
    return np.minimum(_alike_prompts(draft, prompts, templates, pairs), _same_answers(draft, answers, pairs))


def _drop_groups(
    draft: Draft,
    pairs: dict[tuple[int, int], float],
    alike: Alike,
    score: Callable[[TrainingExample], float],
    side: Side,
    *,
    stay: AbstractSet[int] = frozenset(),
) -> dict[int, int]:
    """Of every group the best row stays, and what is a copy of *it* goes: a chain of copies drifts. The rows that go,
    each with the one that stays.

    ``stay``: rows that others go for already. A person decides where a copy is not certain: to pay the gas bill and
    to pay the tax bill may have one label, and both be wanted.
    """
    groups = grouping.connected(len(draft.examples), pairs)
    known = side.known_words([row for group in groups for row in group if side.place[row] >= 0])
    dropped: dict[int, int] = {}
    for _ in range(_ROUNDS):
        kept = [
            keep_best(
                [row for row in group if row in stay] or group,
                draft.examples,
                score,
                lambda row: known.get(row, 1.0),
            )
            for group in groups
        ]
        compared = [
            (best.row, row)
            for best, group in zip(kept, groups, strict=True)
            for row in group
            if row != best.row and row not in stay
        ]
        if not compared:
            break
        near = {pair: v for pair, v in _likeness(compared, alike).items() if v}
        rest: list[tuple[int, ...]] = []
        for best, group in zip(kept, groups, strict=True):
            going = [row for row in group if (best.row, row) in near]
            for row in going:
                dropped[row] = best.row
                copy = _Copy(row=row, of=best, alike=near[(best.row, row)], rows=len(group))
                _drop_near(draft, copy)
            left = tuple(row for row in group if row != best.row and row not in going)
            if len(left) > 1:
                rest.append(left)
        groups = tuple(rest)
    return dropped


def _likeness(pairs: Sequence[tuple[int, int]], alike: Alike) -> dict[tuple[int, int], float]:
    if not pairs:
        return {}
    return dict(zip(pairs, alike(np.array(pairs, dtype=np.int64)).tolist(), strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copy:
    """``row`` is a copy of the one that stays; ``alike`` 0..1; ``rows``: of their group."""

    row: int
    of: Kept
    alike: float
    rows: int


def _is_certain(draft: Draft, one: TrainingExample, other: TrainingExample) -> bool:
    match draft.policy.duplicates.over:
        case Over.PAIRS:
            return certain_copies.is_certain(one, other)
        case Over.INPUTS:
            return certain_copies.same_question(one.prompt, other.prompt)
        case Over.OUTPUTS:
            return certain_copies.same_text(one.output, other.output)


def _drop_near(draft: Draft, copy: _Copy) -> None:
    kept, why = draft.examples[copy.of.row], copy.of.why
    ask = not _is_certain(draft, draft.examples[copy.row], kept)
    reason = f'near-duplicate of {kept.id} ("{excerpt(draft.prompts[copy.of.row])}"), which stays: {why}'
    if ask:
        reason += "; please confirm: more than letter case, punctuation or a plain misspelling differs"
    draft.drop(
        copy.row,
        reason,
        # Half of the way to equal is half sure: only the nearest pairs go without a person.
        2 * copy.alike - 1,
        {
            "rule": DropReason.NEAR_DUPLICATE.value,
            "of": kept.id,
            "jaccard": round(copy.alike, 3),
            "kept_because": why,
            "rows_in_group": copy.rows,
            "over": draft.policy.duplicates.over.value,
            **({ROWS_STAY: True} if ask else {}),
        },
        ask=ask,
    )


def _drop_same_meaning(
    draft: Draft,
    material: PlanInputs,
    cosine: float,
    score: Callable[[TrainingExample], float],
    dropped: Collection[int],
) -> None:
    """``dropped``: rows that a person is asked about, or that go, already."""
    standing = [i for i, e in enumerate(draft.examples) if i not in draft.dropped and not e.rejected]
    by_outputs = draft.policy.duplicates.over is Over.OUTPUTS
    texts = draft.outputs() if by_outputs else draft.prompts
    vectors = material.output_vectors if by_outputs else material.input_vectors
    frames = [""] * len(texts) if by_outputs else _frames(draft)
    found = semantic.same_meaning(texts, frames, vectors, cosine, np.array(standing, dtype=np.int64))
    if draft.policy.duplicates.over is Over.PAIRS:
        pairs = list(found)
        agree = semantic.same_answers(draft.outputs(), material.output_vectors, pairs, cosine)
        found = {pair: found[pair] for pair, same in zip(pairs, agree, strict=True) if same}
    proposed = {draft.examples[i].id for i in (*draft.dropped, *dropped)}
    for (a, b), value in sorted(found.items(), key=lambda item: (-item[1], item[0])):
        best = keep_best((a, b), draft.examples, score)
        row = b if best.row == a else a
        kept = draft.examples[best.row]
        if draft.examples[row].id in proposed or kept.id in proposed:
            continue
        proposed.add(draft.examples[row].id)
        draft.drop(
            row,
            f'says the same as {kept.id} ("{excerpt(draft.prompts[best.row])}"), which stays: {best.why}',
            value,
            {
                "rule": "same_meaning",
                "of": kept.id,
                "cosine": round(value, 3),
                "kept_because": best.why,
                ROWS_STAY: True,
            },
            ask=True,
        )
