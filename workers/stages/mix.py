"""What exactly is trained on? A dataset version and a recipe in, a trainable file out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from app.db.models import CycleRow, DiagnosisRow, MixtureRow, RepairRow
from app.db.repositories import findings as finding_rows
from app.domain.mixing.export import trainable_rows
from app.domain.mixing.learnable import Learnable, left_out_in_words
from app.domain.mixing.mixture import Mixture, MixtureRecipe, build_mixture
from app.domain.pipeline import CycleStage
from app.domain.records import TrainingExample
from app.errors import StageError
from app.services.cycles import stage_inputs
from app.services.diagnoses import diagnoses
from app.services.repairs import open_questions
from app.services.versions import lineage, versions
from workers.context import StageContext

IN_QUESTION = "in_question"
"""Counts the rows that wait for an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    examples: Sequence[TrainingExample]
    targeted_ids: frozenset[str]
    held_back_prompts: Sequence[str]
    evaluation_prompts: Sequence[str]
    in_question: frozenset[str]
    recipe: MixtureRecipe


def run(context: StageContext) -> None:
    inputs = load(context)
    certain = [example for example in inputs.examples if example.id not in inputs.in_question]
    learnable = Learnable.from_rows(certain)
    rows = list(learnable.rows(certain))
    mixture = build_mixture(
        repaired=rows,
        targeted_ids=inputs.targeted_ids,
        held_back_prompts=inputs.held_back_prompts,
        evaluation_prompts=inputs.evaluation_prompts,
        recipe=inputs.recipe,
        rng=np.random.default_rng(inputs.recipe.seed),
    )
    context.progress(0.7)
    save(context, rows, mixture, learnable.counts | {IN_QUESTION: len(inputs.examples) - len(certain)})


def load(context: StageContext) -> Inputs:
    with context.reading() as session:
        row = session.get_one(MixtureRow, context.claim.subject_id)
        versions.require_alive(session, row.dataset_version_id)
        targeted: frozenset[str] = frozenset()
        held_back: list[str] = []
        if row.diagnosis_id is not None:
            diagnosis = session.get_one(DiagnosisRow, row.diagnosis_id)
            targeted = lineage.taught_since(
                session, row.dataset_version_id, ancestor_id=diagnosis.dataset_version_id
            )
            findings = diagnoses.list_findings(session, row.diagnosis_id)
            held_back = [finding_rows.case_from_snapshot(f).prompt for f in findings if f.held_back]
        return Inputs(
            examples=list(versions.iter_examples(session, row.dataset_version_id)),
            targeted_ids=targeted,
            held_back_prompts=held_back,
            evaluation_prompts=_evaluation_prompts(session, row.cycle_id),
            in_question=in_question(session, row),
            recipe=MixtureRecipe.from_dict(row.recipe),
        )


def in_question(session: Session, row: MixtureRow) -> frozenset[str]:
    """Rows that the cycle's plan asks a person about, as they stand in the version: not trained on until answered."""
    if row.cycle_id is None:
        return frozenset()
    cycle = session.get_one(CycleRow, row.cycle_id)
    repair = session.get_one(RepairRow, stage_inputs.result_id(cycle, CycleStage.REPAIR))
    questions = open_questions.of_repair(session, repair.id)
    return lineage.became(
        session, row.dataset_version_id, questions.kept_out, ancestor_id=repair.dataset_version_id
    )


def _evaluation_prompts(session: Session, cycle_id: str | None) -> list[str]:
    """Prompts of the retention set that the cycle is verified on: what is measured on is not trained on."""
    if cycle_id is None:
        return []
    cycle = session.get_one(CycleRow, cycle_id)
    version_id = stage_inputs.policy_of(cycle.policy).retention_dataset_version_id
    if version_id is None:
        return []
    versions.require_alive(session, version_id)
    return [example.prompt for example in versions.iter_examples(session, version_id)]


def save(
    context: StageContext, rows: Sequence[TrainingExample], mixture: Mixture, left_out: Mapping[str, int]
) -> None:
    if not rows:
        raise StageError(
            f"no row of the version may be learnt as right ({left_out_in_words(left_out)}); add rows whose answer "
            "is desired"
        )
    if not mixture.rows:
        raise StageError(
            "the mixture is empty: every row of the version repeats a held-back or an evaluation prompt"
        )
    by_id = {e.id: e for e in rows}
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in trainable_rows(mixture, by_id)]
    content = "".join(lines).encode("utf-8", "surrogatepass")
    artifact = context.store.put_bytes(content)
    with context.saving() as (session, row):
        assert isinstance(row, MixtureRow)
        versions.require_alive(session, row.dataset_version_id)
        row.recipe = {**mixture.recipe.as_dict()}
        row.rows = len(lines)
        row.counts = {**mixture.counts, **left_out}
        row.content_hash = hashlib.sha256(content).hexdigest()
        row.rows_uri = artifact.uri
