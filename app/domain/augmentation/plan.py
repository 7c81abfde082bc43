"""Which rows to add, what to ask a language model, and what could not be done: said, not hidden."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from jaxtyping import Float32
from numpy import ndarray
from pydantic import Field

from app.domain.augmentation.strategies import (
    LLM,
    OFFLINE,
    AugmentedRow,
    Context,
    LLMRequest,
    StrategyName,
    rows_from_answer,
    why_unusable,
    without_leaks_and_twins,
)
from app.domain.evidence import Finding
from app.domain.records import BadCase, RootCause, TrainingExample
from app.domain.section import Section, Seed, Whole

__all__ = [
    "AugmentationOptions",
    "AugmentationPlan",
    "AugmentedRow",
    "LLMRequest",
    "StrategyName",
    "complete_augmentation",
    "plan_augmentation",
    "why_unusable",
]


PerCase = Annotated[Whole, Field(ge=0, le=50)]


class AugmentationOptions(Section):
    """What is added for the cases that lack rows."""

    title = "options"
    strategies: tuple[StrategyName, ...] = (
        StrategyName.POOL,
        StrategyName.PARAPHRASE,
        StrategyName.CHAIN_OF_THOUGHT,
    )
    """Besides the expected answers, which are always added. Surface variants are left to those who ask for them: they
    teach robustness, not answers."""
    variants_per_case: PerCase = 2
    paraphrases_per_case: PerCase = 4
    pool_rows_per_case: PerCase = 3
    llm_available: Annotated[bool, Field(strict=True)] = True
    """False: no language model is asked, though one is configured."""
    pool_dataset_version_id: str | None = None
    """Version whose rows may be added."""
    excluded_dataset_version_id: str | None = None
    """Version whose prompts are never added, such as an evaluation set."""
    seed: Seed = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentationPlan:
    """``rows`` can be added now; ``llm_requests`` are to be sent, their answers go to
    ``complete_augmentation``; ``notes`` say which strategies gave nothing and why."""

    rows: tuple[AugmentedRow, ...]
    llm_requests: tuple[LLMRequest, ...]
    notes: tuple[str, ...]
    context: Context

    @property
    def counts(self) -> dict[str, int]:
        """Rows by strategy."""
        counts: dict[str, int] = {}
        for row in self.rows:
            counts[row.strategy.value] = counts.get(row.strategy.value, 0) + 1
        return counts


def plan_augmentation(
    *,
    cases: Sequence[BadCase],
    findings: Sequence[Finding],
    examples: Sequence[TrainingExample],
    options: AugmentationOptions,
    rng: np.random.Generator,
    held_back_prompts: Collection[str] = (),
    pool: Sequence[TrainingExample] = (),
    pool_vectors: Float32[ndarray, "p d"] | None = None,
    case_input_vectors: Float32[ndarray, "m d"] | None = None,
    new_id: Callable[[], str] | None = None,
) -> AugmentationPlan:
    """Plan the rows to add to ``examples`` (the repaired version).

    ``cases`` may be trained on; ``case_input_vectors`` (one a case) and ``pool_vectors`` (one a pool row)
    are needed for the pool alone. Without ``new_id`` a row is named by its content. No row repeats a
    held-back prompt, a row that is there, or another added row.
    """
    by_case = {finding.bad_case_id: finding for finding in findings}
    usable = [case for case in cases if case.expected_output and _mended_by_data(by_case.get(case.id))]
    vectors = (
        {}
        if case_input_vectors is None
        else {c.id: v for c, v in zip(cases, case_input_vectors, strict=True)}
    )
    context = Context(
        cases=usable,
        findings=by_case,
        examples=examples,
        held_back_prompts=held_back_prompts,
        rng=rng,
        new_id=(lambda _: new_id()) if new_id else _content_id,
        variants_per_case=options.variants_per_case,
        paraphrases_per_case=options.paraphrases_per_case,
        pool_rows_per_case=options.pool_rows_per_case,
        pool=pool,
        pool_vectors=pool_vectors,
        case_vectors=vectors,
    )
    chosen = {StrategyName.EXPECTED_ANSWERS, *options.strategies}
    made = [row for name, make in OFFLINE if name in chosen for row in make(context)]
    requests = [
        request for name, ask in LLM if name in chosen and options.llm_available for request in ask(context)
    ]
    return AugmentationPlan(
        rows=tuple(without_leaks_and_twins(made, context)),
        llm_requests=tuple(requests),
        notes=_notes(cases, by_case, usable, chosen, options, pool),
        context=context,
    )


def complete_augmentation(plan: AugmentationPlan, answers: Sequence[str | None]) -> tuple[AugmentedRow, ...]:
    """All rows of a plan, with the language model's ``answers`` to its requests (None = no answer)."""
    added = [
        row
        for request, answer in zip(plan.llm_requests, answers, strict=True)
        if answer is not None
        for row in rows_from_answer(request, answer, plan.context)
    ]
    # Two answers to one prompt, one with its steps and one without, would be a contradiction of our own.
    worked = {row.of_case_id for row in added if row.strategy is StrategyName.CHAIN_OF_THOUGHT}
    standing = [
        row
        for row in plan.rows
        if row.strategy is not StrategyName.EXPECTED_ANSWERS or row.of_case_id not in worked
    ]
    return tuple(without_leaks_and_twins([*standing, *added], plan.context))


def _mended_by_data(finding: Finding | None) -> bool:
    # A request that was built wrongly is no reason to change the data.
    return finding is None or finding.root_cause is not RootCause.SERVING_MISMATCH


def _content_id(example: TrainingExample) -> str:
    return f"ex_{example.content_hash[:24]}"


def _notes(
    cases: Sequence[BadCase],
    by_case: Mapping[str, Finding],
    usable: Sequence[BadCase],
    chosen: Collection[StrategyName],
    options: AugmentationOptions,
    pool: Sequence[TrainingExample],
) -> tuple[str, ...]:
    notes = []
    unanswered = sum(not case.expected_output for case in cases)
    if unanswered:
        notes.append(f"{unanswered} cases have no expected output: nothing can be added for them")
    serving = len(cases) - unanswered - len(usable)
    if serving:
        notes.append(f"{serving} cases fail because of how they were served: no data was added for them")
    asked = [name.value for name, _ in LLM if name in chosen]
    if asked and not options.llm_available:
        notes.append(f"no language model is configured: {' and '.join(asked)} were not available")
    uncovered = any(by_case[c.id].root_cause is RootCause.OOD for c in usable if c.id in by_case)
    if StrategyName.POOL in chosen and uncovered and not pool:
        notes.append("no pool of further rows was given: uncovered topics get the expected answers only")
    return tuple(notes)
