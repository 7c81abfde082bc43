"""What a cycle did about a diagnosis, as parts of its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.models import (
    AdapterRow,
    AugmentationRow,
    CycleRow,
    DiagnosisRow,
    MixtureRow,
    RepairActionRow,
    RepairRow,
    TrainingJobRow,
    VerificationCaseRow,
    VerificationRow,
)
from app.domain.pipeline import CycleStage
from app.domain.reports import report
from app.services.repairs import open_questions, plans
from app.services.training import verifications

ACTIONS_SHOWN = 300
CASES_SHOWN = 500


def with_cycle(session: Session, base: report.ReportModel, cycle: CycleRow) -> report.ReportModel:
    """The parts of the attempt that the cycle's verdict speaks of, or else of the latest one."""
    attempt = (cycle.verdict or {}).get("attempt", cycle.attempt)

    def row_of(stage: CycleStage, row_class: type[Any]) -> Any:
        entries = [e for e in cycle.stages if e["name"] == stage.value and e["attempt"] <= attempt]
        return session.get(row_class, entries[-1]["result_id"]) if entries else None

    verification: VerificationRow | None = row_of(CycleStage.VERIFY, VerificationRow)
    checked = verifications.list_cases(session, verification.id) if verification else []
    by_case = {c.bad_case_id: c for c in checked if c.bad_case_id}
    return replace(
        base,
        findings=tuple(
            replace(f, verdict=c.verdict, after_output=c.after_output)
            if (c := by_case.get(f.bad_case_id))
            else f
            for f in base.findings
        ),
        repair=_repair(session, row_of(CycleStage.REPAIR, RepairRow)),
        augmentation=_augmentation(row_of(CycleStage.AUGMENT, AugmentationRow)),
        mixture=_mixture(row_of(CycleStage.MIX, MixtureRow)),
        training=_training(session, row_of(CycleStage.TRAIN, TrainingJobRow)),
        verification=_verification(verification, checked),
        cycle=report.CycleReport(
            id=cycle.id,
            status=cycle.status,
            stages=tuple(
                report.ReportStage(
                    name=e["name"] if e["attempt"] == 1 else f"{e['name']} (attempt {e['attempt']})",
                    status=e["status"],
                    started_at=_time(e["started_at"]),
                    finished_at=_time(e["finished_at"]),
                )
                for e in cycle.stages
            ),
        ),
    )


def latest_repair(session: Session, diagnosis: DiagnosisRow) -> report.RepairReport | None:
    row = session.scalar(
        select(RepairRow)
        .where(RepairRow.diagnosis_id == diagnosis.id, RepairRow.status == "succeeded")
        .order_by(RepairRow.created_at.desc())
        .limit(1)
    )
    return _repair(session, row)


def _repair(session: Session, row: RepairRow | None) -> report.RepairReport | None:
    if row is None or row.status != "succeeded":
        return None
    questions = open_questions.of_repair(session, row.id)
    of_repair = RepairActionRow.repair_id == row.id
    total = session.scalar(select(func.count()).select_from(RepairActionRow).where(of_repair)) or 0
    shown = session.scalars(
        select(RepairActionRow).where(of_repair).order_by(RepairActionRow.ordinal).limit(ACTIONS_SHOWN)
    )
    return report.RepairReport(
        id=row.id,
        counts=plans.count_actions(session, row.id),
        actions=tuple(map(shown_action, shown)),
        total_actions=total,
        open_questions=questions.count,
        rows_kept_out=len(questions.kept_out),
        dataset_version_id=row.result_version_id,
    )


def shown_action(row: RepairActionRow) -> report.ReportRepairAction:
    """The action as reports and pages show it."""
    return report.ReportRepairAction(
        id=row.id,
        kind=row.kind,
        reason=row.reason,
        decision=row.decision,
        before=row.before or None,
        after=row.after or None,
        score=row.score,
        score_of=row.evidence.get("score_of", report.SCORE_OF_CHANGE),
        asks=bool(row.evidence.get("asks_person")),
        example_ids=tuple(row.example_ids),
    )


def _augmentation(row: AugmentationRow | None) -> report.AugmentationReport | None:
    if row is None or row.summary is None:
        return None
    return report.AugmentationReport(
        notes=tuple(row.summary.get("notes", [])), counts=row.summary.get("counts", {})
    )


def _mixture(row: MixtureRow | None) -> report.MixtureReport | None:
    if row is None or row.counts is None:
        return None
    # parts of what is trained on, which add up; the other counts say how it came about
    targeted = row.counts.get("targeted_as_trained", row.counts.get("targeted", 0))
    as_trained = {"targeted": targeted, "replay": row.counts.get("replay", 0)}
    return report.MixtureReport(id=row.id, counts=as_trained, recipe=row.recipe)


def _training(session: Session, row: TrainingJobRow | None) -> report.TrainingReport | None:
    if row is None or row.summary is None:
        return None
    adapter = session.get(AdapterRow, row.adapter_id) if row.adapter_id else None
    return report.TrainingReport(
        id=row.id,
        base_model=row.base_model,
        hyperparameters=row.hyperparameters,
        device=str(row.summary.get("device", "")),
        seconds=row.summary.get("seconds"),
        loss_curve=tuple(
            (int(m["step"]), float(m["loss"])) for m in row.metrics if m.get("loss") is not None
        ),
        adapter_id=adapter.id if adapter else None,
    )


def _verification(
    row: VerificationRow | None, checked: Sequence[VerificationCaseRow]
) -> report.VerificationReport | None:
    if row is None or row.result is None:
        return None
    result = row.result
    retention = result.get("retention")
    return report.VerificationReport(
        id=row.id,
        fix_rate=_rate(result["fix_rate"]),
        held_back_fix_rate=_rate(result["held_back_fix_rate"]) if result.get("held_back_fix_rate") else None,
        retention=None
        if not retention
        else report.RetentionEstimate(
            mean=retention["mean"],
            low=retention["low"],
            high=retention["high"],
            n=retention["n"],
            largest_degradation=retention["largest_degradation"],
            slices=tuple(
                report.RetentionSlice(name=s["name"], before=s["before"], after=s["after"], n=s["n"])
                for s in retention["slices"]
            ),
        ),
        gate=report.GateReport(accepted=result["gate"]["accepted"], reasons=tuple(result["gate"]["reasons"])),
        cases=tuple(
            report.VerifiedCase(
                id=c.bad_case_id or c.example_id or c.id,
                part=c.split,
                prompt=c.prompt,
                before_output=c.before_output,
                after_output=c.after_output,
                verdict=c.verdict,
                expected_output=c.expected_output,
                before_score=c.before_score,
                after_score=c.after_score,
            )
            for c in checked[:CASES_SHOWN]
        ),
        total_cases=len(checked),
    )


def _rate(value: dict[str, Any]) -> report.RateEstimate:
    return report.RateEstimate(rate=value["rate"] or 0.0, low=value["low"], high=value["high"], n=value["n"])


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
