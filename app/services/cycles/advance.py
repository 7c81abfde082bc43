"""The closed loop: each finished stage opens the next one, in the transaction that finished it.

So a worker that dies between two stages cannot exist: either the result and the next job are both
committed, or neither is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.models import (
    AdapterRow,
    AugmentationRow,
    CycleRow,
    DatasetVersionRow,
    DiagnosisRow,
    MixtureRow,
    RepairRow,
    TrainingJobRow,
    VerificationRow,
)
from app.domain import pipeline
from app.domain.job_status import Status, move
from app.domain.pipeline import Approval, CycleStage, CycleVerdict, Gate
from app.services import events
from app.services.cycles.stage_inputs import policy_of, start
from app.services.repairs import applying, open_questions
from app.services.training import aliases
from app.services.webhooks import news
from app.services.work import work

STAGE_OF: dict[type[object], CycleStage] = {
    DiagnosisRow: CycleStage.DIAGNOSE,
    RepairRow: CycleStage.REPAIR,
    AugmentationRow: CycleStage.AUGMENT,
    MixtureRow: CycleStage.MIX,
    TrainingJobRow: CycleStage.TRAIN,
    VerificationRow: CycleStage.VERIFY,
}
AWAITING_APPROVAL = "awaiting_approval"


def work_finished(session: Session, cycle_id: str, row: work.WorkRow) -> None:
    """Called by whoever finishes a row that belongs to a cycle, inside that transaction."""
    cycle = lock(session, cycle_id)
    if cycle is None or Status(cycle.status).is_final or current(cycle)["result_id"] != row.id:
        return  # a late finish of work that the cycle no longer waits for
    stage = STAGE_OF[type(row)]
    if row.status == Status.SUCCEEDED and stage is CycleStage.REPAIR:
        _after_repair_plan(session, cycle, row)
        return
    close_stage(cycle, row.status)
    if row.status == Status.CANCELLED or cycle.cancel_requested:
        end(session, cycle, Status.CANCELLED)
    elif row.status == Status.FAILED and cycle.verdict is not None:
        # an earlier attempt has its verdict already: that stands, and the failure of this one is told
        events.append(session, cycle.project_id, cycle.id, "attempt_failed", {"error": row.error})
        end(session, cycle, Status.SUCCEEDED)
    elif row.status == Status.FAILED:
        end(session, cycle, Status.FAILED, error=row.error)
    elif isinstance(row, VerificationRow):
        _after_verification(session, cycle, row)
    else:
        following = pipeline.stage_after(stage)
        if following is not None:
            open_stage(session, cycle, following)


def _after_repair_plan(session: Session, cycle: CycleRow, row: work.WorkRow) -> None:
    if cycle.cancel_requested:
        close_stage(cycle, Status.CANCELLED)
        end(session, cycle, Status.CANCELLED)
    elif policy_of(cycle.policy).approval is Approval.MANUAL:
        _replace_current(cycle, status=AWAITING_APPROVAL)
        events.append(session, cycle.project_id, cycle.id, AWAITING_APPROVAL, {"repair_id": row.id})
        news.tell(session, news.NewsType.REPAIR_AWAITING_APPROVAL, row)
    elif open_questions.keeps_waiting(session, row.id, policy_of(cycle.policy).questions):
        close_stage(cycle, Status.SUCCEEDED)
        _add_stage(session, cycle, CycleStage.QUESTIONS, row.id)
        _tell_questions(session, cycle, row.id)
        news.tell(session, news.NewsType.REPAIR_AWAITING_APPROVAL, row)
    else:
        apply_repair(session, cycle.project_id, row.id)


def questions_decided(session: Session, repair: RepairRow) -> None:
    """Called by whoever decides actions, inside that transaction: once no question is open that a cycle waits for, it
    has its plan carried out, by a worker, and goes on."""
    cycle = lock(session, repair.cycle_id) if repair.cycle_id is not None else None
    if cycle is None or Status(cycle.status).is_final or cycle.stage != CycleStage.QUESTIONS:
        return
    if current(cycle)["result_id"] != repair.id:
        return
    if not open_questions.keeps_waiting(session, repair.id, policy_of(cycle.policy).questions):
        events.append(session, cycle.project_id, cycle.id, "questions_answered", {"repair_id": repair.id})
        applying.apply_later(session, repair)


def apply_repair(
    session: Session, project_id: str, repair_id: str, *, if_revision: int | None = None
) -> DatasetVersionRow:
    """Apply a plan (``applying.apply``); the cycle that waits for it goes on in the same transaction."""
    version = applying.apply(session, project_id, repair_id, if_revision=if_revision)
    _repair_applied(session, session.get_one(RepairRow, repair_id))
    return version


def _repair_applied(session: Session, repair: RepairRow) -> None:
    """The approved plan became a version: the cycle goes on, without the rows that questions are open about."""
    cycle = lock(session, repair.cycle_id) if repair.cycle_id is not None else None
    if cycle is None or Status(cycle.status).is_final or current(cycle)["result_id"] != repair.id:
        return
    _tell_questions(session, cycle, repair.id)
    close_stage(cycle, Status.SUCCEEDED)
    open_stage(session, cycle, pipeline.after_repair())


def _after_verification(session: Session, cycle: CycleRow, row: VerificationRow) -> None:
    policy = policy_of(cycle.policy)
    new = record_gate(session, row)
    old = _verdict_of_summary(cycle.verdict)
    if pipeline.is_better(new, old):
        cycle.verdict = _summary(row, attempt=cycle.attempt, questions=_questions_of(cycle))
        cycle.adapter_id = row.adapter_id
    if pipeline.wants_another_attempt(new, attempt=cycle.attempt, policy=policy):
        events.append(session, cycle.project_id, cycle.id, "another_attempt", {"after": cycle.attempt})
        cycle.attempt += 1
        open_stage(session, cycle, pipeline.RETRY_FROM)
        return
    end(session, cycle, Status.SUCCEEDED)


def record_gate(session: Session, row: VerificationRow) -> CycleVerdict:
    """What a verification came to is what is said of its adapter, within a cycle or alone."""
    verdict = verdict_of(row.result or {})
    tried = session.get(AdapterRow, row.adapter_id)
    if tried is not None:
        tried.gate = verdict.gate.value
    return verdict


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
    found = open_questions.of_repair(session, repair_id)
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


def open_stage(session: Session, cycle: CycleRow, stage: CycleStage) -> None:
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


def current(cycle: CycleRow) -> dict[str, Any]:
    return cycle.stages[-1]


def _replace_current(cycle: CycleRow, **values: object) -> None:
    cycle.stages = [*cycle.stages[:-1], {**cycle.stages[-1], **values}]


def close_stage(cycle: CycleRow, status: str) -> None:
    _replace_current(cycle, status=str(status), finished_at=work.now().isoformat())


def end(session: Session, cycle: CycleRow, status: Status, error: dict[str, Any] | None = None) -> None:
    cycle.status = move(Status(cycle.status), status)
    cycle.error = error
    cycle.finished_at = work.now()
    if status is Status.SUCCEEDED:
        cycle.progress = 1.0
        if cycle.adapter_id is not None and cycle.verdict and cycle.verdict["gate"] == Gate.ACCEPTED:
            accepted_by = f"accepted by cycle {cycle.id}"
            aliases.point(session, cycle.project_id, aliases.CURRENT, cycle.adapter_id, reason=accepted_by)
    events.append(session, cycle.project_id, cycle.id, status.value, {"error": error} if error else {})
    session.flush()
    news.ended(session, cycle)


def lock(session: Session, cycle_id: str) -> CycleRow | None:
    session.flush()
    return session.scalar(
        select(CycleRow)
        .where(CycleRow.id == cycle_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
