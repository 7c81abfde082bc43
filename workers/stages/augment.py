"""Grow the training set where the diagnosis found gaps: rows that exist, and what a strong model writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from app.db.models import AugmentationRow
from app.db.repositories import findings as finding_rows
from app.db.repositories.findings import finding_record
from app.domain.augmentation.plan import (
    AugmentationOptions,
    AugmentationPlan,
    AugmentedRow,
    complete_augmentation,
    plan_augmentation,
    why_unusable,
)
from app.domain.evidence import Finding
from app.domain.instructions import known_instructions
from app.domain.language import text
from app.domain.records import BadCase, TrainingExample
from app.errors import StageError
from app.services import vectors
from app.services.diagnoses import diagnoses
from app.services.training import augmentations
from app.services.versions import versions
from workers.context import StageContext
from workers.llm.asking import client_of
from workers.llm.client import MAX_RETRIES, TIMEOUT_SECONDS
from workers.llm.questions import Lost, Question
from workers.scaleout import embedder_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    examples: Sequence[TrainingExample]
    cases: Sequence[BadCase]
    findings: Sequence[Finding]
    held_back_prompts: Sequence[str]
    pool: Sequence[TrainingExample]
    options: AugmentationOptions


def run(context: StageContext) -> None:
    inputs = load(context)
    plan = make_plan(context, inputs)
    context.progress(0.4)
    rows, asked = ask(context, plan)
    save(context, plan, rows, asked)


def load(context: StageContext) -> Inputs:
    with context.reading() as session:
        row = session.get_one(AugmentationRow, context.claim.subject_id)
        versions.require_alive(session, row.dataset_version_id)
        options = AugmentationOptions.from_dict(row.options)
        pool_id, excluded_id = options.pool_dataset_version_id, options.excluded_dataset_version_id
        configured = context.settings.llm_base_url is not None and context.settings.llm_model is not None
        findings = diagnoses.list_findings(session, row.diagnosis_id)
        usable = [f for f in findings if not f.held_back]
        if pool_id is not None:
            versions.require_alive(session, pool_id)
        excluded = list(versions.iter_examples(session, excluded_id)) if excluded_id else []
        return Inputs(
            examples=list(versions.iter_examples(session, row.dataset_version_id)),
            cases=[finding_rows.case_from_snapshot(f) for f in usable],
            findings=[finding_record(f) for f in usable],
            # evaluation prompts are kept out like held-back ones: neither may be trained on
            held_back_prompts=[
                *(finding_rows.case_from_snapshot(f).prompt for f in findings if f.held_back),
                *(e.prompt for e in excluded),
            ],
            pool=list(versions.iter_examples(session, pool_id)) if pool_id else (),
            options=options.model_copy(update={"llm_available": configured and options.llm_available}),
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
        rng=np.random.default_rng(inputs.options.seed),
        held_back_prompts=inputs.held_back_prompts,
        pool=inputs.pool,
        pool_vectors=pool_vectors,
        case_input_vectors=case_vectors,
        new_id=augmentations.new_example_id,
    )


def ask(context: StageContext, plan: AugmentationPlan) -> tuple[Sequence[AugmentedRow], dict[str, Any]]:
    """All rows, with those of the plan's requests, and what these came to and cost. What cannot be had is said; it
    never stops the loop."""
    if not plan.llm_requests:
        return plan.rows, {}
    client = client_of(context, timeout_seconds=TIMEOUT_SECONDS, max_retries=MAX_RETRIES)
    if client is None:
        raise StageError("requests were planned for a language model, and none is configured")
    questions = [
        Question(
            messages=request.messages,
            accept=partial(why_unusable, request, context=plan.context),
            schema=request.schema,
        )
        for request in plan.llm_requests
    ]
    try:
        answers = client.complete_all(
            questions,
            on_done=lambda done: context.progress(0.4 + 0.5 * done / len(questions)),
        )
    finally:
        client.close()
    lost = Counter(answer.lost.value for answer in answers if answer.lost is not None)
    why = dict.fromkeys(
        answer.detail for answer in answers if answer.lost and answer.lost is not Lost.UNUSABLE
    )
    summary = {
        "model": client.model,
        "asked": len(answers),
        "lost": dict(sorted(lost.items())),
        "spent_tokens": client.spent.tokens,
        "cost": client.spent.cost,
        "notes": [f"{lost.total()} of {len(answers)} requests gave nothing: {'; '.join(why)}"] if why else [],
    }
    return complete_augmentation(plan, [answer.text for answer in answers]), summary


def save(
    context: StageContext, plan: AugmentationPlan, rows: Sequence[AugmentedRow], asked: Mapping[str, Any]
) -> None:
    counts: dict[str, int] = {}
    for added in rows:
        counts[added.strategy.value] = counts.get(added.strategy.value, 0) + 1
    with context.saving() as (session, row):
        assert isinstance(row, AugmentationRow)
        summary = {**asked, "counts": counts, "notes": [*plan.notes, *asked.get("notes", ())]}
        augmentations.save(session, row, rows=rows, summary=summary)
