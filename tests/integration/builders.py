"""Rows of the pipeline as its stages leave them, without the stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db.base import new_id
from app.db.models import (
    AdapterRow,
    AugmentationRow,
    BadCaseRow,
    CycleRow,
    DatasetRow,
    DatasetVersionRow,
    DiagnosisRow,
    EventRow,
    MixtureRow,
    RepairRow,
    TrainingJobRow,
    VerificationRow,
)
from app.db.repositories import bulk
from app.db.repositories import versions as version_rows
from app.db.repositories.example_encoding import encode
from app.domain.job_status import Status
from app.domain.pipeline import CycleStage
from app.domain.records import Message, Role, TrainingExample, content_hash_of
from app.domain.repair.plan import ActionKind, Decision, ProposedAction, RepairPlan
from app.domain.verification.fix_rate import fix_rate
from app.domain.verification.verdict import CaseVerdict
from app.queue import Stage
from app.services.cycles import cycles
from app.services.diagnoses import diagnoses
from app.services.repairs import plans
from app.services.training import augmentations
from app.services.versions.statistics import RunningStatistics
from app.services.versions.versions import ContentHash
from app.services.work import lifecycle, work
from app.services.work.work import Claim

MODEL = "tiny"


def example(prompt: str, output: str, *, id: str | None = None) -> TrainingExample:
    messages = (Message(role=Role.USER, content=prompt), Message(role=Role.ASSISTANT, content=output))
    return TrainingExample(id=id or new_id("ex"), messages=messages)


def add_version(
    session: Session,
    project_id: str,
    rows: int = 4,
    *,
    name: str = "desk",
    examples: Sequence[TrainingExample] | None = None,
) -> DatasetVersionRow:
    """A first version: prompts Q0, Q1 ..., outputs A0, A1 ..., or these examples."""
    if examples is None:
        examples = [example(f"Q{i}", f"A{i}") for i in range(rows)]
    dataset = DatasetRow(project_id=project_id, name=name)
    session.add(dataset)
    session.flush()
    encoded = [(e, encode(e)) for e in examples]
    content_hash, statistics = ContentHash(), RunningStatistics()
    for row, code in encoded:
        content_hash.add(code.record_hash)
        statistics.add(row)
    version = DatasetVersionRow(
        id=version_rows.new_version_id(),
        project_id=project_id,
        dataset_id=dataset.id,
        rows=len(examples),
        content_hash=content_hash.hexdigest(),
        recipe={"kind": "import"},
        statistics=statistics.as_dict(formats={"alpaca": len(examples)}),
    )
    session.add(version)
    session.flush()
    bulk.copy_examples(session, dataset.id, encoded)
    bulk.copy_members(session, version.id, enumerate([row.id for row, _ in encoded]))
    return version


def add_case(session: Session, project_id: str, number: int = 0) -> BadCaseRow:
    prompt = {"role": "user", "content": f"Where is order {number}?"}
    case = BadCaseRow(
        project_id=project_id,
        external_id=f"c-{number}",
        messages=[prompt],
        model_output="A cat.",
        expected_output="On its way.",
        content_hash=content_hash_of([prompt, number]),
    )
    session.add(case)
    session.flush()
    return case


def add_diagnosis(
    session: Session, project_id: str, *, version: DatasetVersionRow | None = None
) -> DiagnosisRow:
    """A queued diagnosis of one case, with its job."""
    version = version or add_version(session, project_id)
    case = add_case(session, project_id)
    return diagnoses.create(session, project_id, dataset_version_id=version.id, case_ids=[case.id])


def claim(session: Session, stage: Stage, subject_id: str, *, max_attempts: int = 5) -> Claim:
    taken = lifecycle.claim(session, stage, subject_id, run_token=new_id("run"), max_attempts=max_attempts)
    assert taken is not None
    return taken


def succeed(session: Session, stage: Stage, subject_id: str) -> None:
    taken = claim(session, stage, subject_id)
    lifecycle.finish(session, work.held(session, taken, to_finish=True), Status.SUCCEEDED)


def add_repair(
    session: Session, project_id: str, actions: Sequence[ProposedAction], *, version: DatasetVersionRow
) -> RepairRow:
    """A finished plan on ``version``."""
    diagnosis = add_diagnosis(session, project_id, version=version)
    succeed(session, Stage.DIAGNOSE, diagnosis.id)
    return add_plan(session, project_id, diagnosis.id, actions, version=version)


def add_plan(
    session: Session,
    project_id: str,
    diagnosis_id: str,
    actions: Sequence[ProposedAction],
    *,
    version: DatasetVersionRow,
) -> RepairRow:
    """A finished plan on ``version``, which may be a descendant of the diagnosed one."""
    repair = plans.create(session, project_id, diagnosis_id=diagnosis_id)
    repair.dataset_version_id = version.id
    plans.save_plan(session, repair, RepairPlan(actions=tuple(actions), summary={}))
    succeed(session, Stage.REPAIR, repair.id)
    return repair


def action(
    kind: ActionKind,
    rows: Sequence[TrainingExample],
    *,
    outputs: Sequence[str] = (),
    decision: Decision = Decision.APPROVED,
    score: float = 0.9,
) -> ProposedAction:
    """An action on ``rows``; ``outputs`` are their new answers, or those of the rows that it adds."""
    prompts = [row.prompt for row in rows] or [f"New {output}" for output in outputs]
    return ProposedAction(
        kind=kind,
        example_ids=tuple(row.id for row in rows),
        before=tuple(row.content() for row in rows),
        after=tuple(example(p, o).content() for p, o in zip(prompts, outputs, strict=False)),
        reason=f"because of {kind.value}",
        score=score,
        decision=decision,
    )


def add_cycle(session: Session, project_id: str, *, rows: int = 4, **policy: Any) -> CycleRow:
    version = add_version(session, project_id, rows)
    case = add_case(session, project_id)
    return cycles.create(
        session,
        project_id,
        dataset_version_id=version.id,
        case_ids=[case.id],
        base_model=MODEL,
        policy=policy,
    )


def stage_of(cycle: CycleRow) -> Stage:
    """The kind of work that the cycle waits for."""
    return Stage(cycle.stages[-1]["name"])


def claim_stage(session: Session, cycle: CycleRow) -> Claim:
    return claim(session, stage_of(cycle), cycle.stages[-1]["result_id"])


def finish_stage(
    session: Session, cycle: CycleRow, *, fixed: int = 1, accepted: bool = True, mixture_rows: int = 10
) -> None:
    """Run the cycle's current stage: claim it, write a small result, finish it."""
    taken = claim_stage(session, cycle)
    row = work.held(session, taken, to_finish=True)
    match row:
        case DiagnosisRow():
            row.summary, row.calibration, row.training_defaults = {"by_category": {}, "roadmap": []}, {}, {}
        case RepairRow():
            plans.save_plan(session, row, RepairPlan(actions=(), summary={}))
        case AugmentationRow():
            augmentations.save(session, row, rows=(), summary={"counts": {}})
        case MixtureRow():
            row.rows, row.counts = mixture_rows, {"targeted": 1, "replay": mixture_rows - 1}
        case TrainingJobRow():
            row.adapter_id = add_adapter(session, row.project_id).id
            row.summary = {"device": "cpu", "seconds": 1.0}
        case VerificationRow():
            row.result = verification_result(fixed=fixed, accepted=accepted)
        case _:
            raise AssertionError(f"no cycle waits for {row.id}")
    lifecycle.finish(session, row, Status.SUCCEEDED)
    session.flush()


def finish_until(session: Session, cycle: CycleRow, stage: CycleStage, **results: Any) -> None:
    """Finish stages until ``stage`` is the one that the cycle waits for."""
    for _ in range(6):
        if cycle.stage == stage.value:
            return
        finish_stage(session, cycle, **results)
    raise AssertionError(f"the cycle stands at {cycle.stage}, not at {stage.value}")


def add_adapter(session: Session, project_id: str) -> AdapterRow:
    adapter = AdapterRow(
        project_id=project_id, name="a", base_model=MODEL, uri="sha256-tree:0", size_bytes=1, card={}
    )
    session.add(adapter)
    session.flush()
    return adapter


def verification_result(*, fixed: int, accepted: bool, cases: int = 4) -> dict[str, Any]:
    """``fixed`` of ``cases`` cases; nothing held back. A rejected adapter kept too little."""
    lost = {"mean": 0.5, "low": 0.4, "high": 0.6, "n": 4, "largest_degradation": 0.5, "slices": []}
    verdicts = [CaseVerdict.FIXED] * fixed + [CaseVerdict.NOT_FIXED] * (cases - fixed)
    return {
        "fix_rate": asdict(fix_rate(verdicts)),
        "held_back_fix_rate": asdict(fix_rate([])),
        "retention": None if accepted else lost,
        "gate": {"accepted": accepted, "reasons": [] if accepted else ["too little is fixed"]},
    }


def jobs(session: Session) -> list[tuple[str, str, str]]:
    """(queue, stage, subject) of every waiting job, oldest first."""
    found = session.execute(
        text(
            "SELECT queue_name, args->>'stage', args->>'subject_id' FROM procrastinate_jobs"
            " WHERE status = 'todo' ORDER BY id"
        )
    )
    return [(queue, stage, subject) for queue, stage, subject in found]


def event_types(session: Session, subject_id: str) -> list[str]:
    rows = session.query(EventRow.type).where(EventRow.subject_id == subject_id).order_by(EventRow.id)
    return [kind for (kind,) in rows]
