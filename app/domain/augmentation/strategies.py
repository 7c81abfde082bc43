"""Where added rows come from. A strategy is one function and one line in ``OFFLINE``, or one in ``LLM``.

Offline strategies make rows at once and make nothing up. Those of a language model only write the
request; a worker sends it and ``rows_from_answer`` turns what comes back into rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, assert_never

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from app.domain.answers import agreement
from app.domain.augmentation import filters, prompts, surface
from app.domain.augmentation.diversity import select_diverse
from app.domain.augmentation.injection import commands_a_model
from app.domain.evidence import Finding
from app.domain.instructions import known_instructions
from app.domain.near_duplicates.leakage import leaked
from app.domain.offered_tools import OfferedTools
from app.domain.records import BadCase, Message, RootCause, TrainingExample, content_hash_of

# A pool row must be nearer to a case than this quantile of random pairs of pool rows.
_UNRELATED_QUANTILE: Final = 0.99


class StrategyName(StrEnum):
    EXPECTED_ANSWERS = "expected_answers"
    SURFACE_VARIANTS = "surface_variants"
    POOL = "pool"
    PARAPHRASE = "paraphrase"
    CHAIN_OF_THOUGHT = "chain_of_thought"


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentedRow:
    """A row to add, by which strategy, for which bad case, and why."""

    example: TrainingExample
    strategy: StrategyName
    of_case_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LLMRequest:
    """What to ask a language model for a case; ``count`` texts are wanted back."""

    case_id: str
    strategy: StrategyName
    messages: list[dict[str, Any]]
    count: int
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What strategies look at. ``cases`` all have an expected output and may be trained on."""

    cases: Sequence[BadCase]
    findings: Mapping[str, Finding]
    examples: Sequence[TrainingExample]
    held_back_prompts: Collection[str]
    rng: np.random.Generator
    new_id: Callable[[TrainingExample], str]
    variants_per_case: int = 2
    paraphrases_per_case: int = 4
    pool_rows_per_case: int = 3
    pool: Sequence[TrainingExample] = ()
    pool_vectors: Float32[ndarray, "p d"] | None = None
    case_vectors: Mapping[str, Float32[ndarray, " d"]] = field(default_factory=dict)
    offered: OfferedTools = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "offered", OfferedTools.from_rows(self.examples))

    def advised(self, case: BadCase, remedy: str) -> bool:
        finding = self.findings.get(case.id)
        return finding is not None and any(action.action == remedy for action in finding.recommended_actions)

    def cause(self, case: BadCase) -> RootCause | None:
        finding = self.findings.get(case.id)
        return finding.root_cause if finding else None


def expected_answers(context: Context) -> list[AugmentedRow]:
    """Each case's own prompt with its expected output."""
    return [
        _row(
            context,
            case,
            case.messages,
            case.expected_output or "",
            StrategyName.EXPECTED_ANSWERS,
            f"the expected answer of bad case {case.id}",
        )
        for case in context.cases
    ]


def surface_variants(context: Context) -> list[AugmentedRow]:
    """Each case's prompt with another letter case, punctuation or politeness."""
    rows = []
    for case in filter(prompts.has_user_turn, context.cases):
        for variant in surface.surface_variants(prompts.asked(case), context.variants_per_case, context.rng):
            reason = f"bad case {case.id} in another surface form, same answer"
            messages = prompts.with_prompt(case, variant)
            rows.append(
                _row(
                    context, case, messages, case.expected_output or "", StrategyName.SURFACE_VARIANTS, reason
                )
            )
    return rows


def from_pool(context: Context) -> list[AugmentedRow]:
    """Rows of the user's pool that are nearest to the cases that nothing in the training set covers."""
    uncovered = [
        c for c in context.cases if context.cause(c) is RootCause.OOD and c.id in context.case_vectors
    ]
    if context.pool_vectors is None or not len(context.pool) or not uncovered:
        return []
    vectors = context.pool_vectors
    cut = _related_cosine(vectors, context.rng)
    queries = np.stack([context.case_vectors[case.id] for case in uncovered])
    near = agreement.nearest(queries, vectors, context.pool_rows_per_case)
    best: dict[int, tuple[float, BadCase]] = {}
    for case, indices, cosines in zip(
        uncovered, near.indices.tolist(), near.similarities.tolist(), strict=True
    ):
        for index, cosine in zip(indices, cosines, strict=True):
            usable = index >= 0 and cosine >= cut and context.pool[index].teaches
            if usable and cosine > best.get(index, (-1.0, case))[0]:
                best[index] = (cosine, case)
    rows = []
    for index, (cosine, case) in sorted(best.items()):
        source = context.pool[index]
        reason = f"pool row near bad case {case.id} (cosine {cosine:.2f}), which nothing covers"
        turns = source.messages[: source.answer_at + 1]
        row = replace(source, messages=turns, source_id=None)
        rows.append(_named(context, case, row, StrategyName.POOL, reason))
    return rows


OFFLINE: tuple[tuple[StrategyName, Callable[[Context], list[AugmentedRow]]], ...] = (
    (StrategyName.EXPECTED_ANSWERS, expected_answers),
    (StrategyName.SURFACE_VARIANTS, surface_variants),
    (StrategyName.POOL, from_pool),
)


def paraphrase_requests(context: Context) -> list[LLMRequest]:
    """Other wordings for every case that data can fix; twice as many are asked for as are kept."""
    count = context.paraphrases_per_case
    return [
        LLMRequest(
            case_id=case.id,
            strategy=StrategyName.PARAPHRASE,
            messages=prompts.paraphrase_messages(case, 2 * count),
            count=count,
            schema=prompts.TEXTS_SCHEMA,
        )
        for case in context.cases
        if context.cause(case) in (RootCause.OOD, RootCause.CONFLICT) and prompts.has_user_turn(case)
    ]


def chain_of_thought_requests(context: Context) -> list[LLMRequest]:
    """Worked solutions for the hard cases whose finding advises them: one-line answers stay one line."""
    return [
        LLMRequest(
            case_id=case.id,
            strategy=StrategyName.CHAIN_OF_THOUGHT,
            messages=prompts.chain_of_thought_messages(case),
            count=1,
        )
        for case in context.cases
        if context.cause(case) is RootCause.HARD
        and context.advised(case, StrategyName.CHAIN_OF_THOUGHT.value)
    ]


LLM: tuple[tuple[StrategyName, Callable[[Context], list[LLMRequest]]], ...] = (
    (StrategyName.PARAPHRASE, paraphrase_requests),
    (StrategyName.CHAIN_OF_THOUGHT, chain_of_thought_requests),
)


def rows_from_answer(request: LLMRequest, answer: str, context: Context) -> list[AugmentedRow]:
    """The rows that a language model's answer comes to after parsing and filtering; [] where none is good."""
    case = next(c for c in context.cases if c.id == request.case_id)
    expected = case.expected_output or ""
    match request.strategy:
        case StrategyName.PARAPHRASE:
            filtered = filters.filter_paraphrases(
                prompts.parse_paraphrases(answer),
                original=prompts.asked(case),
                held_back=context.held_back_prompts,
            )
            chosen = select_diverse(filtered.kept, request.count, away_from=[prompts.asked(case)])
            reason = f"a paraphrase of bad case {case.id} by a language model, same answer"
            return [
                _row(context, case, prompts.with_prompt(case, wording), expected, request.strategy, reason)
                for wording in chosen
            ]
        case StrategyName.CHAIN_OF_THOUGHT:
            solution = prompts.parse_chain_of_thought(answer, expected)
            if solution is None or (commands_a_model(solution) and not commands_a_model(case.prompt)):
                return []
            reason = f"a worked solution of bad case {case.id} that ends with the expected answer"
            return [_row(context, case, case.messages, solution, request.strategy, reason)]
        case StrategyName.EXPECTED_ANSWERS | StrategyName.SURFACE_VARIANTS | StrategyName.POOL:
            raise ValueError(f"{request.strategy} asks no language model")
        case _:
            assert_never(request.strategy)


def why_unusable(request: LLMRequest, answer: str, *, context: Context) -> str | None:
    """What is wrong with an answer of which no row comes, said to the model; None where one does, or where it says
    itself that there is none."""
    if rows_from_answer(request, answer, context):
        return None
    match request.strategy:
        case StrategyName.CHAIN_OF_THOUGHT:
            if prompts.says_impossible(answer):
                return None
            return "its last line is not 'Final answer: ' with the given answer, unchanged"
        case _:
            return "none of its texts asks the same in the same language with the same numbers"


def without_leaks_and_twins(rows: Sequence[AugmentedRow], context: Context) -> list[AugmentedRow]:
    """The rows that repeat no held-back prompt, no row of the training set and no earlier added row."""
    instructions = known_instructions(context.examples)
    leaks = leaked([row.example.prompt for row in rows], context.held_back_prompts, instructions)
    there = {content_hash_of(example.content()) for example in context.examples}
    kept = []
    for i, row in enumerate(rows):
        content_hash = row.example.content_hash
        if i not in leaks and content_hash not in there:
            there.add(content_hash)
            kept.append(row)
    return kept


def _row(
    context: Context,
    case: BadCase,
    messages: Sequence[Message],
    output: str,
    strategy: StrategyName,
    reason: str,
) -> AugmentedRow:
    """A row that answers ``messages`` with ``output``, built as the rows of the training set are: with the tools
    that they offer, a call as a call."""
    row = TrainingExample(
        id="",
        messages=(*messages, context.offered.turn(output)),
        tools=context.offered.for_case(case),
        instruction_length=case.instruction_length,
    )
    return _named(context, case, row, strategy, reason)


def _named(
    context: Context, case: BadCase, row: TrainingExample, strategy: StrategyName, reason: str
) -> AugmentedRow:
    unnamed = replace(row, id="", metadata={"added_by": strategy.value, "bad_case_id": case.id})
    example = replace(unnamed, id=context.new_id(unnamed))
    return AugmentedRow(example=example, strategy=strategy, of_case_id=case.id, reason=reason)


def _related_cosine(vectors: Float32[ndarray, "p d"], rng: np.random.Generator) -> float:
    """Cosine that only one in a hundred random pairs of pool rows reaches, in this embedder's scale."""
    left, right = rng.integers(0, len(vectors), 4000), rng.integers(0, len(vectors), 4000)
    cosines = np.einsum("ij,ij->i", vectors[left], vectors[right])[left != right]
    return float(np.quantile(cosines, _UNRELATED_QUANTILE)) if cosines.size else 0.0
