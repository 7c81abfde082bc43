"""What in the training set should change? A diagnosis in, a plan of actions out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.db.models import FindingRow, RepairRow
from app.domain.diagnosis.views import texts_of
from app.domain.records import (
    Agreement,
    BadCase,
    Evidence,
    Finding,
    Neighbor,
    RootCause,
    Symptom,
    TrainingExample,
)
from app.domain.repair.material import Material
from app.domain.repair.plan import RepairPlan, RepairPolicy, plan_repair
from app.services import diagnoses, repairs, versions
from workers.run_stage import StageContext
from workers.scaleout import sketch_texts
from workers.stages.diagnose import embed_views


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    examples: Sequence[TrainingExample]
    cases: Sequence[BadCase]
    findings: Sequence[Finding]
    policy: RepairPolicy


def run(context: StageContext) -> None:
    inputs = load(context)
    vectors = embed_views(context, texts_of(inputs.examples, inputs.cases), context.span(0.05, 0.4))
    context.progress(0.4, "plan")
    material = Material(
        input_vectors=vectors.example_inputs,
        output_vectors=vectors.example_outputs,
        cases=inputs.cases,
        case_vectors=vectors.case_inputs,
        findings=inputs.findings,
        read=sketch_texts,
        rng=np.random.default_rng(0),
    )
    plan = plan_repair(inputs.examples, material, inputs.policy, context.span(0.4, 0.95))
    save(context, plan)


def load(context: StageContext) -> Inputs:
    with context.reading() as session:
        row = session.get_one(RepairRow, context.claim.subject_id)
        versions.require_alive(session, row.dataset_version_id)
        # held-back cases never teach anything: not the model, and not the repair
        usable = [f for f in diagnoses.list_findings(session, row.diagnosis_id) if not f.held_back]
        return Inputs(
            examples=list(versions.iter_examples(session, row.dataset_version_id)),
            cases=[diagnoses.case_from_snapshot(f) for f in usable],
            findings=[finding_record(f) for f in usable],
            policy=repairs.check_policy(row.policy),
        )


def save(context: StageContext, plan: RepairPlan) -> None:
    with context.saving() as (session, row):
        assert isinstance(row, RepairRow)
        repairs.save_plan(session, row, plan)


def finding_record(row: FindingRow) -> Finding:
    """The finding as a record, with a person's verdict in the place of the machine's."""
    neighbors = tuple(
        Neighbor(**{**n, "agrees_with": Agreement(n["agrees_with"])}) for n in row.evidence["neighbors"]
    )
    evidence = replace(
        Evidence(neighbors=neighbors),
        **{name: row.evidence[name] for name in ("ood", "conflict", "hard", "serving_mismatch")},
    )
    return Finding(
        bad_case_id=row.bad_case_id,
        root_cause=diagnoses.effective_category(row),
        probabilities={RootCause(k): v for k, v in row.probabilities.items()},
        confidence=row.confidence,
        evidence=evidence,
        symptoms=tuple(Symptom(s) for s in row.symptoms),
    )
