"""What in a training set should change? A repair in, a plan of actions out.

Of a diagnosis where the repair names one; else the version is audited alone, and steps that need cases find none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from numpy import ndarray
from sqlalchemy.orm import Session

from app.db.models import DatasetVersionRow, RepairRow
from app.db.repositories import findings as finding_rows
from app.db.repositories.findings import finding_record
from app.domain.diagnosis.views import texts_of
from app.domain.evidence import Finding
from app.domain.instructions import known_instructions
from app.domain.language import text
from app.domain.near_duplicates.leakage import ProtectedKind, ProtectedPrompt
from app.domain.records import BadCase, TrainingExample
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.plan import RepairPlan, RepairPolicy, plan_repair
from app.domain.repair.policy.pii import PiiMode
from app.private_files import kept_secret
from app.services import vectors
from app.services.diagnoses import diagnoses
from app.services.repairs import plans
from app.services.versions import versions
from app.settings import Settings
from workers.context import StageContext
from workers.embedding import embed_views
from workers.llm.dispute_judge import judge_of, with_judge
from workers.scaleout import embedder_for, read_signatures


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    examples: Sequence[TrainingExample]
    cases: Sequence[BadCase]
    findings: Sequence[Finding]
    protected: Sequence[ProtectedPrompt]
    policy: RepairPolicy
    salt: bytes


def plan_of(context: StageContext, repair: RepairRow) -> RepairPlan:
    """``repair`` need not be stored yet."""
    inputs = load(context, repair)
    made = embed_views(context, texts_of(inputs.examples, inputs.cases), context.span(0.05, 0.35))
    protected_vectors = embed_protected(context, inputs)
    context.progress(0.4, "plan")
    report, reached = context.span(0.4, 0.95), 0.0

    def progress(share: float) -> None:
        nonlocal reached
        reached = share
        report(share)

    # A step may ask for minutes: between two questions somebody may want the plan to stop.
    judge = judge_of(context, inputs.policy, still_wanted=lambda: report(reached))
    material = PlanInputs(
        input_vectors=made.example_inputs[:],
        output_vectors=made.example_outputs[:],
        cases=inputs.cases,
        case_vectors=made.case_inputs,
        findings=inputs.findings,
        ask_judge=judge.ask if judge and judge.asking else None,
        protected=inputs.protected,
        protected_vectors=protected_vectors,
        read=read_signatures,
        rng=np.random.default_rng(0),
        salt=inputs.salt,
    )
    plan = plan_repair(inputs.examples, material, inputs.policy, progress)
    return with_judge(plan, judge)


def load(context: StageContext, row: RepairRow) -> Inputs:
    with context.reading() as session:
        versions.require_alive(session, row.dataset_version_id)
        findings = diagnoses.list_findings(session, row.diagnosis_id) if row.diagnosis_id else []
        # held-back cases never teach anything: not the model, and not the repair
        usable = [f for f in findings if not f.held_back]
        cases = [finding_rows.case_from_snapshot(f) for f in usable]
        held_back = [finding_rows.case_from_snapshot(f) for f in findings if f.held_back]
        policy = plans.check_policy(row.policy)
        dataset_id = session.get_one(DatasetVersionRow, row.dataset_version_id).dataset_id
        return Inputs(
            examples=list(versions.iter_examples(session, row.dataset_version_id)),
            cases=cases,
            findings=[finding_record(f) for f in usable],
            protected=[
                *_protected(ProtectedKind.HELD_BACK, held_back),
                *_protected(
                    ProtectedKind.EVALUATION, evaluation_rows(session, row.evaluation_dataset_version_id)
                ),
                *_protected(ProtectedKind.BAD_CASE, cases),
            ],
            policy=policy,
            salt=salt_of(context.settings, dataset_id) if policy.pii.mode is PiiMode.REPLACE else b"",
        )


def salt_of(settings: Settings, dataset_id: str) -> bytes:
    """One person's stand-in is the same in all versions of a dataset, another one elsewhere, and not to be
    computed without the secret."""
    secret = (
        settings.pii_salt.get_secret_value()
        if settings.pii_salt
        else kept_secret(settings.data_dir / "pii_salt")
    )
    return f"{secret}\0{dataset_id}".encode("utf-8", "surrogatepass")


def evaluation_rows(session: Session, version_id: str | None) -> Iterator[TrainingExample]:
    """The rows of the version that the repair is to keep out; none where it names none."""
    if version_id is not None:
        versions.require_alive(session, version_id)
        yield from versions.iter_examples(session, version_id)


def _protected(kind: ProtectedKind, rows: Iterable[BadCase | TrainingExample]) -> Iterator[ProtectedPrompt]:
    """Their prompts alone: what should have been answered stays out of the plan."""
    return (ProtectedPrompt(kind=kind, id=row.id, prompt=row.prompt) for row in rows)


def embed_protected(context: StageContext, inputs: Inputs) -> Float32[ndarray, "p d"]:
    """Vectors of the protected prompts, without the instructions of the training set."""
    known = known_instructions(inputs.examples)
    prompts = [text.clip(text.focus(p.prompt, known)) for p in inputs.protected]
    return vectors.vectors_for(
        context.sessions, context.store, embedder_for(context.settings.embedder), prompts
    )
