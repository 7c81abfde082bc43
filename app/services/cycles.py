"""The closed loop: each finished stage opens the next one, in the transaction that finished it.

So a worker that dies between two stages cannot exist: either the result and the next job are both
committed, or neither is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.models import (
    AdapterRow,
    AugmentationRow,
    CycleRow,
    DiagnosisRow,
    MixtureRow,
    RepairRow,
    TrainingJobRow,
    VerificationRow,
)
from app.domain import pipeline
from app.domain.cycle_status import Status, move
from app.domain.pipeline import Approval, CycleStage, CycleVerdict, Gate
from app.errors import Conflict, InvalidInput, NotFound
from app.services import (
    augmentations,
    events,
    mixtures,
    repair_questions,
    repair_runs,
    repairs,
    training,
    verifications,
    versions,
    work,
)
from app.services.cycle_stages import policy_of, start

STAGE_OF: dict[type[object], CycleStage] = {
    DiagnosisRow: CycleStage.DIAGNOSE,
    RepairRow: CycleStage.REPAIR,
    AugmentationRow: CycleStage.AUGMENT,
    MixtureRow: CycleStage.MIX,
    TrainingJobRow: CycleStage.TRAIN,
    VerificationRow: CycleStage.VERIFY,
}
AWAITING_APPROVAL = "awaiting_approval"


def create(
    session: Session,
    project_id: str,
    *,
    dataset_version_id: str,
    case_ids: Sequence[str],
    base_model: str,
    policy: Mapping[str, Any] | None = None,
) -> CycleRow:
    """Start the loop. Everything that can be checked is checked here, before any work is done."""
    versions.require(session, project_id, dataset_version_id)
    if not base_model.strip():
        raise InvalidInput("base_model: name a model, such as smollm2-135m-instruct or a local folder")
    parsed = policy_of(policy or {})
    repairs.check_policy(parsed.repair)
    verifications.check_options(parsed.verification)
    augmentations.check_options(parsed.augmentation)
    mixtures.check_recipe(parsed.mixture)
    training.check_hyperparameters(base_model, {}, parsed.training)
    if parsed.before_adapter_id is not None:
        before = training.get_adapter(session, project_id, parsed.before_adapter_id)
        if before.base_model != base_model:
            raise InvalidInput(
                f"policy.before_adapter_id: {before.id} belongs to {before.base_model!r}, not {base_model!r}"
            )
    for version_id in (parsed.retention_dataset_version_id, parsed.pool_dataset_version_id):
        if version_id is not None:
            versions.require(session, project_id, version_id)
    if not case_ids:
        raise InvalidInput("no bad case matches: send bad_case_ids, or a filter that some case meets")
    cycle = CycleRow(
        project_id=project_id,
        dataset_version_id=dataset_version_id,
        case_ids=list(case_ids),
        base_model=base_model,
        before_adapter_id=parsed.before_adapter_id,
        policy=dict(policy or {}),
        stage=CycleStage.DIAGNOSE.value,
        status=Status.QUEUED.value,
    )
    session.add(cycle)
    session.flush()
    events.append(session, project_id, cycle.id, "queued", {"cases": len(case_ids)})
    _open_stage(session, cycle, CycleStage.DIAGNOSE)
    return cycle


def get(session: Session, project_id: str, cycle_id: str) -> CycleRow:
    row = session.get(CycleRow, cycle_id)
    if row is None or row.project_id != project_id:
        raise NotFound(f"no cycle {cycle_id} in this project")
    return row


def cancel(session: Session, project_id: str, cycle_id: str) -> CycleRow:
    """Stop the loop: what is queued never starts, what runs stops at its next look."""
    cycle = _lock(session, cycle_id)
    if cycle is None or cycle.project_id != project_id:
        raise NotFound(f"no cycle {cycle_id} in this project")
    if Status(cycle.status).is_final:
        raise Conflict(f"cycle {cycle_id} is {cycle.status} already")
    cycle.cancel_requested = True
    events.append(session, project_id, cycle.id, "cancel_requested", {})
    current = _current(cycle)
    if current["status"] == AWAITING_APPROVAL or current["name"] == CycleStage.QUESTIONS:
        _close_stage(cycle, "cancelled")
        _end(session, cycle, Status.CANCELLED)
    else:
        row_class = next(c for c, stage in STAGE_OF.items() if stage.value == current["name"])
        work.cancel(session, row_class, project_id, current["result_id"])  # pyright: ignore[reportArgumentType]
    return cycle


def work_finished(session: Session, cycle_id: str, row: work.WorkRow) -> None:
    """Called by whoever finishes a row that belongs to a cycle, inside that transaction."""
    cycle = _lock(session, cycle_id)
    if cycle is None or Status(cycle.status).is_final or _current(cycle)["result_id"] != row.id:
        return  # a late finish of work that the cycle no longer waits for
    stage = STAGE_OF[type(row)]
    if row.status == Status.SUCCEEDED and stage is CycleStage.REPAIR:
        _after_repair_plan(session, cycle, row)
        return
    _close_stage(cycle, row.status)
    if row.status == Status.CANCELLED or cycle.cancel_requested:
        _end(session, cycle, Status.CANCELLED)
    elif row.status == Status.FAILED and cycle.verdict is not None:
        # an earlier attempt has its verdict already: that stands, and the failure of this one is told
        events.append(session, cycle.project_id, cycle.id, "attempt_failed", {"error": row.error})
        _end(session, cycle, Status.SUCCEEDED)
    elif row.status == Status.FAILED:
        _end(session, cycle, Status.FAILED, error=row.error)
    elif isinstance(row, VerificationRow):
        _after_verification(session, cycle, row)
    else:
        following = pipeline.stage_after(stage)
        if following is not None:
            _open_stage(session, cycle, following)


def _after_repair_plan(session: Session, cycle: CycleRow, row: work.WorkRow) -> None:
    if cycle.cancel_requested:
        _close_stage(cycle, Status.CANCELLED)
        _end(session, cycle, Status.CANCELLED)
    elif policy_of(cycle.policy).approval is Approval.MANUAL:
        _replace_current(cycle, status=AWAITING_APPROVAL)
        events.append(session, cycle.project_id, cycle.id, AWAITING_APPROVAL, {"repair_id": row.id})
    elif repair_questions.keeps_waiting(session, row.id, policy_of(cycle.policy).questions):
        _close_stage(cycle, Status.SUCCEEDED)
        _add_stage(session, cycle, CycleStage.QUESTIONS, row.id)
        _tell_questions(session, cycle, row.id)
    else:
        repairs.apply(session, cycle.project_id, row.id)


def questions_decided(session: Session, repair: RepairRow) -> None:
    """Called by whoever decides actions, inside that transaction: once no question is open that a cycle waits for, it
    has its plan carried out, by a worker, and goes on."""
    cycle = _lock(session, repair.cycle_id) if repair.cycle_id is not None else None
    if cycle is None or Status(cycle.status).is_final or cycle.stage != CycleStage.QUESTIONS:
        return
    if _current(cycle)["result_id"] != repair.id:
        return
    if not repair_questions.keeps_waiting(session, repair.id, policy_of(cycle.policy).questions):
        events.append(session, cycle.project_id, cycle.id, "questions_answered", {"repair_id": repair.id})
        repair_runs.apply(session, cycle.project_id, repair.id, rows_in_request=0, if_revision=None)


def repair_applied(session: Session, cycle_id: str, repair: RepairRow) -> None:
    """The approved plan became a version: the cycle goes on, without the rows that questions are open about."""
    cycle = _lock(session, cycle_id)
    if cycle is None or Status(cycle.status).is_final or _current(cycle)["result_id"] != repair.id:
        return
    _tell_questions(session, cycle, repair.id)
    _close_stage(cycle, Status.SUCCEEDED)
    _open_stage(session, cycle, CycleStage.AUGMENT)


def _after_verification(session: Session, cycle: CycleRow, row: VerificationRow) -> None:
    policy = policy_of(cycle.policy)
    new = verdict_of(row.result or {})
    tried = session.get(AdapterRow, row.adapter_id)
    if tried is not None:
        tried.gate = new.gate.value
    old = _verdict_of_summary(cycle.verdict)
    if pipeline.is_better(new, old):
        cycle.verdict = _summary(row, attempt=cycle.attempt, questions=_questions_of(cycle))
        cycle.adapter_id = row.adapter_id
    if pipeline.wants_another_attempt(new, attempt=cycle.attempt, policy=policy):
        events.append(session, cycle.project_id, cycle.id, "another_attempt", {"after": cycle.attempt})
        cycle.attempt += 1
        _open_stage(session, cycle, CycleStage.MIX)
        return
    _end(session, cycle, Status.SUCCEEDED)


def verdict_of(result: Mapping[str, Any]) -> CycleVerdict:
    def rate(name: str) -> float | None:
        part = result.get(name) or {}
        return part.get("rate") if part.get("n") else None

    retention = result.get("retention") or {}
    return CycleVerdict(
        fix_rate=rate("fix_rate"),
        held_back_fix_rate=rate("held_back_fix_rate"),
        retention=retention.get("mean"),
        gate_accepted=bool((result.get("gate") or {}).get("accepted")),
    )


def _verdict_of_summary(summary: Mapping[str, Any] | None) -> CycleVerdict | None:
    if summary is None:
        return None
    return CycleVerdict(
        fix_rate=summary["fix_rate"],
        held_back_fix_rate=summary["held_back_fix_rate"],
        retention=summary["retention"],
        gate_accepted=summary["gate"] == Gate.ACCEPTED,
    )


def _tell_questions(session: Session, cycle: CycleRow, repair_id: str) -> None:
    """What is still open stands in the cycle's stage, and in an event where it is anything."""
    found = repair_questions.of_repair(session, repair_id)
    _replace_current(cycle, open_questions=found.as_dict())
    if found.count:
        events.append(session, cycle.project_id, cycle.id, "open_questions", found.as_dict())


def _questions_of(cycle: CycleRow) -> dict[str, Any] | None:
    """The latest that the cycle told about its open questions."""
    return next((s["open_questions"] for s in reversed(cycle.stages) if "open_questions" in s), None)


def _summary(row: VerificationRow, *, attempt: int, questions: dict[str, Any] | None) -> dict[str, Any]:
    result = row.result or {}
    verdict = verdict_of(result)
    gate = result.get("gate") or {}
    return {
        "fix_rate": verdict.fix_rate,
        "held_back_fix_rate": verdict.held_back_fix_rate,
        "retention": verdict.retention,
        "gate": verdict.gate.value,
        "open_questions": questions,
        "reasons": [*gate.get("reasons", []), *_left_out(questions)],
        "intervals": {
            name: {key: part[key] for key in ("low", "high", "n")}
            for name in ("fix_rate", "held_back_fix_rate", "retention")
            if (part := result.get(name))
        },
        "verification_id": row.id,
        "attempt": attempt,
    }


def _left_out(questions: Mapping[str, Any] | None) -> list[str]:
    if not questions or not questions["count"]:
        return []
    count, rows = questions["count"], questions["rows_kept_out"]
    asked = "1 question is" if count == 1 else f"{count} questions are"
    kept = f"{rows} {'row is' if rows == 1 else 'rows are'} left out of the training until then"
    return [f"{asked} open about the data; {kept if rows else 'no row is left out for that'}"]


def _open_stage(session: Session, cycle: CycleRow, stage: CycleStage) -> None:
    row = start(session, cycle, stage)
    _add_stage(session, cycle, stage, row.id)
    if cycle.status == Status.QUEUED:
        cycle.status = move(Status(cycle.status), Status.RUNNING)
        cycle.started_at = work.now()
    done = pipeline.ORDER.index(stage)
    cycle.progress = done / len(pipeline.ORDER)
    session.flush()


def _add_stage(session: Session, cycle: CycleRow, stage: CycleStage, result_id: str) -> None:
    entry = {
        "name": stage.value,
        "status": "running",
        "attempt": cycle.attempt,
        "started_at": work.now().isoformat(),
        "finished_at": None,
        "result_id": result_id,
    }
    cycle.stages = [*cycle.stages, entry]
    cycle.stage = stage.value
    events.append(
        session, cycle.project_id, cycle.id, "stage_started", {"stage": stage.value, "result_id": result_id}
    )
    session.flush()


def _current(cycle: CycleRow) -> dict[str, Any]:
    return cycle.stages[-1]


def _replace_current(cycle: CycleRow, **values: object) -> None:
    cycle.stages = [*cycle.stages[:-1], {**cycle.stages[-1], **values}]


def _close_stage(cycle: CycleRow, status: str) -> None:
    _replace_current(cycle, status=str(status), finished_at=work.now().isoformat())


def _end(session: Session, cycle: CycleRow, status: Status, error: dict[str, Any] | None = None) -> None:
    cycle.status = move(Status(cycle.status), status)
    cycle.error = error
    cycle.finished_at = work.now()
    if status is Status.SUCCEEDED:
        cycle.progress = 1.0
    events.append(session, cycle.project_id, cycle.id, status.value, {"error": error} if error else {})
    session.flush()


def _lock(session: Session, cycle_id: str) -> CycleRow | None:
    session.flush()
    return session.scalar(
        select(CycleRow)
        .where(CycleRow.id == cycle_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
