"""Grow the training set where the diagnosis found gaps: rows that exist, and what a strong model writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy.dialects.postgresql import insert

from app.db.models import AugmentationRow, LlmAnswerRow
from app.db.session import SessionFactory, transaction
from app.domain.augmentation.plan import (
    AugmentationOptions,
    AugmentationPlan,
    AugmentedRow,
    complete_augmentation,
    plan_augmentation,
)
from app.domain.instructions import known_instructions
from app.domain.language import text
from app.domain.records import BadCase, Finding, TrainingExample
from app.errors import StageError
from app.services import augmentations, diagnoses, vectors, versions
from workers.run_stage import StageContext
from workers.scaleout import embedder_for
from workers.stages.repair import finding_record

GIVE_UP_AFTER_FAILURES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    examples: Sequence[TrainingExample]
    cases: Sequence[BadCase]
    findings: Sequence[Finding]
    held_back_prompts: Sequence[str]
    pool: Sequence[TrainingExample]
    options: AugmentationOptions
    seed: int


def run(context: StageContext) -> None:
    inputs = load(context)
    plan = make_plan(context, inputs)
    context.progress(0.4)
    rows, notes = ask(context, plan)
    save(context, plan, rows, notes)


def load(context: StageContext) -> Inputs:
    with context.reading() as session:
        row = session.get_one(AugmentationRow, context.claim.subject_id)
        versions.require_alive(session, row.dataset_version_id)
        options = dict(row.options)
        pool_id, seed = options.pop("pool_dataset_version_id", None), int(options.pop("seed", 0))
        excluded_id = options.pop("excluded_dataset_version_id", None)
        configured = context.settings.llm_base_url is not None and context.settings.llm_model is not None
        options["llm_available"] = configured and options.get("llm_available", True)
        findings = diagnoses.list_findings(session, row.diagnosis_id)
        usable = [f for f in findings if not f.held_back]
        try:
            parsed = AugmentationOptions.from_dict(options)
        except ValueError as error:
            raise StageError(str(error), type="invalid-input") from error
        if pool_id is not None:
            versions.require_alive(session, pool_id)
        excluded = list(versions.iter_examples(session, excluded_id)) if excluded_id else []
        return Inputs(
            examples=list(versions.iter_examples(session, row.dataset_version_id)),
            cases=[diagnoses.case_from_snapshot(f) for f in usable],
            findings=[finding_record(f) for f in usable],
            # evaluation prompts are kept out like held-back ones: neither may be trained on
            held_back_prompts=[
                *(diagnoses.case_from_snapshot(f).prompt for f in findings if f.held_back),
                *(e.prompt for e in excluded),
            ],
            pool=list(versions.iter_examples(session, pool_id)) if pool_id else (),
            options=parsed,
            seed=seed,
        )


def make_plan(context: StageContext, inputs: Inputs) -> AugmentationPlan:
    pool_vectors = case_vectors = None
    if inputs.pool:
        known = known_instructions([*inputs.examples, *inputs.pool])
        prompts = [text.focus(e.prompt, known) for e in inputs.pool]
        asked = [text.focus(c.prompt, known) for c in inputs.cases]
        table = vectors.vectors_for(
            context.sessions, context.store, embedder_for(context.settings.embedder), [*prompts, *asked]
        )
        pool_vectors, case_vectors = table[: len(prompts)], table[len(prompts) :]
    return plan_augmentation(
        cases=inputs.cases,
        findings=inputs.findings,
        examples=inputs.examples,
        options=inputs.options,
        rng=np.random.default_rng(inputs.seed),
        held_back_prompts=inputs.held_back_prompts,
        pool=inputs.pool,
        pool_vectors=pool_vectors,
        case_input_vectors=case_vectors,
        new_id=augmentations.new_example_id,
    )


def ask(context: StageContext, plan: AugmentationPlan) -> tuple[Sequence[AugmentedRow], list[str]]:
    """Send the plan's requests. What cannot be had is said in the notes; it never stops the loop."""
    if not plan.llm_requests:
        return plan.rows, []
    from workers.models.llm_client import LLMClient, LLMUnavailable, SpendCapReached

    settings = context.settings
    client = LLMClient(
        base_url=str(settings.llm_base_url),
        api_key=settings.llm_api_key.get_secret_value() if settings.llm_api_key else "none",
        model=str(settings.llm_model),
        cache=AnswersInPostgres(context.sessions),
        spend_cap_tokens=settings.llm_spend_cap_tokens,
    )
    answers: list[str | None] = []
    notes: list[str] = []
    failed = 0
    for done, request in enumerate(plan.llm_requests):
        answer = None
        if not notes:
            try:
                answer = client.complete(request.messages)
                failed = 0
            except SpendCapReached as error:
                notes.append(f"the language model was not asked after request {done}: {error}")
            except LLMUnavailable as error:
                failed += 1
                if failed == GIVE_UP_AFTER_FAILURES:
                    notes.append(f"the language model was not asked after request {done + 1}: {error}")
        answers.append(answer)
        context.progress(0.4 + 0.5 * (done + 1) / len(plan.llm_requests))
    return complete_augmentation(plan, answers), notes


@dataclass(frozen=True, slots=True)
class AnswersInPostgres:
    """What was answered before is not paid for again."""

    sessions: SessionFactory

    def get(self, key: str) -> str | None:
        with self.sessions() as session:
            row = session.get(LlmAnswerRow, key)
            return row.answer if row else None

    def put(self, key: str, value: str) -> None:
        with transaction(self.sessions) as session:
            session.execute(
                insert(LlmAnswerRow).values(key=key, answer=value, tokens=0).on_conflict_do_nothing()
            )


def save(
    context: StageContext, plan: AugmentationPlan, rows: Sequence[AugmentedRow], notes: Sequence[str]
) -> None:
    counts: dict[str, int] = {}
    for added in rows:
        counts[added.strategy.value] = counts.get(added.strategy.value, 0) + 1
    with context.saving() as (session, row):
        assert isinstance(row, AugmentationRow)
        summary = {"counts": counts, "notes": [*plan.notes, *notes]}
        augmentations.save(session, row, rows=rows, summary=summary)
