"""The report of a diagnosis, and of what its cycle did about it, from the rows that tell it."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from sqlalchemy.orm import Session

from app.db.models import (
    AdapterRow,
    AugmentationRow,
    BadCaseRow,
    CycleRow,
    DatasetVersionRow,
    DiagnosisRow,
    MixtureRow,
    RepairRow,
    TrainingJobRow,
    VerificationCaseRow,
    VerificationRow,
)
from app.domain.evidence import Evidence, Finding, Neighbor
from app.domain.job_status import Status
from app.domain.pipeline import CycleStage
from app.domain.records import Agreement, Cluster, RecommendedAction, RoadmapStep, RootCause, Symptom
from app.domain.repair.plan import ActionKind, Decision, RepairPlan
from app.domain.reports.report import ReportModel
from app.domain.verification.comparison import AnsweredPrompt, Part, compare
from app.errors import InvalidInput, NotFound, PreconditionFailed
from app.queue import Stage
from app.reporting.report_csv import render_csv
from app.reporting.report_html import render_html
from app.reporting.report_markdown import render_markdown
from app.services import projects
from app.services.cycles import cycles, stage_inputs
from app.services.diagnoses import diagnoses
from app.services.repairs import applying, plans
from app.services.reports import reports
from app.services.versions import versions
from app.services.work import lifecycle, work
from tests.integration.builders import (
    MODEL,
    action,
    add_case,
    add_plan,
    add_version,
    claim,
    claim_stage,
    finish_stage,
    finish_until,
)

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def rendered(report: ReportModel) -> str:
    """The page, once every other form of the report has been made without complaint."""
    json.dumps(report.as_dict(), allow_nan=False)
    assert render_csv(report)
    assert render_markdown(report)
    return render_html(report)


def save_diagnosis(session: Session, row: DiagnosisRow, cases: list[BadCaseRow]) -> None:
    """Two findings in one cluster; the second case is held back and in no cluster."""
    rows = versions.load_examples(session, row.dataset_version_id)
    near = Neighbor(
        example_id=rows[0].id,
        similarity=0.93,
        input=rows[0].prompt,
        output=rows[0].output,
        agrees_with=Agreement.MODEL_OUTPUT,
    )
    causes = (RootCause.CONFLICT, RootCause.UNDETERMINED)
    findings = [
        Finding(
            bad_case_id=case.id,
            root_cause=cause,
            probabilities={
                RootCause.OOD: 0.1,
                RootCause.CONFLICT: 0.6,
                RootCause.HARD: 0.2,
                RootCause.SERVING_MISMATCH: 0.1,
            },
            confidence=0.6,
            evidence=Evidence(neighbors=(near,)),
            symptoms=(Symptom.MISSING_KNOWLEDGE,),
            recommended_actions=(RecommendedAction(action="relabel", reason="it contradicts", cost="low"),),
            cluster=-1 if number else 0,
        )
        for number, (case, cause) in enumerate(zip(cases, causes, strict=True))
    ]
    cluster = Cluster(
        label="orders",
        keywords=("order",),
        case_ids=(cases[0].id,),
        exemplar_ids=(cases[0].id,),
        category_counts={RootCause.CONFLICT: 1},
    )
    diagnoses.save(
        session,
        row,
        findings=findings,
        clusters=[cluster],
        roadmap=[RoadmapStep(step=1, action="clean", key_point="one contradiction", cost="low")],
        calibration={"ood_threshold": 0.4},
        training_defaults={"rank": 8},
        cases=cases,
        held_back=frozenset({cases[1].id}),
    )


@pytest.fixture
def version(session: Session, project: str) -> DatasetVersionRow:
    return add_version(session, project)


@pytest.fixture
def cases(session: Session, project: str) -> list[BadCaseRow]:
    return [add_case(session, project, number) for number in range(2)]


@pytest.fixture
def diagnosis(
    session: Session, project: str, version: DatasetVersionRow, cases: list[BadCaseRow]
) -> DiagnosisRow:
    """A finished diagnosis outside a cycle."""
    row = diagnoses.create(
        session, project, dataset_version_id=version.id, case_ids=[case.id for case in cases]
    )
    taken = claim(session, Stage.DIAGNOSE, row.id)
    save_diagnosis(session, row, cases)
    lifecycle.finish(session, work.held(session, taken), Status.SUCCEEDED)
    return row


def test_a_diagnosis_alone_tells_what_it_found_and_nothing_else(
    session: Session, project: str, diagnosis: DiagnosisRow, version: DatasetVersionRow
) -> None:
    report = reports.build(session, project, diagnosis.id, now=NOW)
    assert (report.dataset.version_id, report.dataset.rows, report.diagnosis.cases) == (version.id, 4, 2)
    assert report.diagnosis.by_category[RootCause.CONFLICT] == 1
    assert sum(report.diagnosis.by_category.values()) == 2
    assert [step.key_point for step in report.roadmap] == ["one contradiction"]
    first, second = report.findings
    assert (first.category, first.cluster_id) == (RootCause.CONFLICT, report.clusters[0].id)
    assert (second.category, second.cluster_id, second.held_back) == (RootCause.UNDETERMINED, None, True)
    assert first.evidence.neighbors[0].agrees_with is Agreement.MODEL_OUTPUT
    assert [e.prompt for e in report.clusters[0].exemplars] == ["Where is order 0?"]
    assert [first.verdict, report.repair, report.verification, report.cycle] == [None] * 4
    page = rendered(report)
    assert "Where is order 1?" in page
    assert "one contradiction" in page


def test_a_report_shows_the_case_as_it_was_judged(
    session: Session, project: str, diagnosis: DiagnosisRow, cases: list[BadCaseRow]
) -> None:
    cases[0].model_output = "Something else entirely."
    session.flush()
    report = reports.build(session, project, diagnosis.id, now=NOW)
    assert report.findings[0].model_output == "A cat."


def test_a_persons_verdict_stands_beside_the_machines(
    session: Session, project: str, diagnosis: DiagnosisRow
) -> None:
    finding = diagnoses.list_findings(session, diagnosis.id)[1]
    diagnoses.override(
        session,
        project,
        finding.id,
        category=RootCause.HARD,
        note="needs two steps",
        key_id="key_1",
        now=NOW,
    )
    shown = reports.build(session, project, diagnosis.id, now=NOW).findings[1]
    assert shown.category is RootCause.UNDETERMINED
    assert shown.override is not None
    assert (shown.override.category, shown.override.note) == (RootCause.HARD, "needs two steps")


def test_a_diagnosis_outside_a_cycle_shows_its_latest_repair(
    session: Session, project: str, diagnosis: DiagnosisRow, version: DatasetVersionRow
) -> None:
    rows = versions.load_examples(session, version.id)
    add_plan(session, project, diagnosis.id, [action(ActionKind.DROP, [rows[3]])], version=version)
    plan = [
        action(ActionKind.DROP, [rows[0]]),
        action(ActionKind.RELABEL, [rows[1]], outputs=["better"], decision=Decision.REJECTED),
    ]
    latest = add_plan(session, project, diagnosis.id, plan, version=version)
    made = applying.apply(session, project, latest.id)
    report = reports.build(session, project, diagnosis.id, now=NOW)
    assert report.repair is not None
    assert (report.repair.id, report.repair.total_actions) == (latest.id, 2)
    assert report.repair.dataset_version_id == made.id
    assert report.repair.counts == {"drop": {"applied": 1}, "relabel": {"rejected": 1}}
    assert [(a.kind, a.after is None) for a in report.repair.actions] == [("drop", True), ("relabel", False)]
    assert "because of relabel" in rendered(report)


def test_a_diagnosis_that_still_runs_or_is_anothers_has_no_report(
    session: Session, project: str, version: DatasetVersionRow, cases: list[BadCaseRow]
) -> None:
    row = diagnoses.create(session, project, dataset_version_id=version.id, case_ids=[cases[0].id])
    with pytest.raises(InvalidInput, match="queued"):
        reports.build(session, project, row.id, now=NOW)
    other = projects.create_project(session, "other").id
    with pytest.raises(NotFound):
        reports.build(session, other, row.id, now=NOW)


def test_a_verdict_on_a_finding_that_was_read_stale_is_refused(
    session: Session, project: str, diagnosis: DiagnosisRow
) -> None:
    finding = diagnoses.list_findings(session, diagnosis.id)[0]
    verdict: dict[str, Any] = {"note": None, "key_id": "key_1", "now": NOW, "if_revision": 1}
    diagnoses.override(session, project, finding.id, category=RootCause.HARD, **verdict)
    with pytest.raises(PreconditionFailed, match="revision 2"):
        diagnoses.override(session, project, finding.id, category=RootCause.OOD, **verdict)
    assert finding.override_category == "hard"


@pytest.fixture
def cycle(session: Session, project: str, version: DatasetVersionRow, cases: list[BadCaseRow]) -> CycleRow:
    """A cycle whose diagnosis is done, in two attempts at most."""
    row = cycles.create(
        session,
        project,
        dataset_version_id=version.id,
        case_ids=[case.id for case in cases],
        base_model=MODEL,
        policy={"target_fix_rate": 1.0},
    )
    taken = claim_stage(session, row)
    diagnosis = session.get_one(DiagnosisRow, taken.subject_id)
    save_diagnosis(session, diagnosis, cases)
    lifecycle.finish(session, work.held(session, taken, to_finish=True), Status.SUCCEEDED)
    return row


def finish_repair(session: Session, cycle: CycleRow, version: DatasetVersionRow) -> None:
    rows = versions.load_examples(session, version.id)
    taken = claim_stage(session, cycle)
    row = session.get_one(RepairRow, taken.subject_id)
    plan = (action(ActionKind.RELABEL, [rows[0]], outputs=["On its way."]),)
    plans.save_plan(session, row, RepairPlan(actions=plan, summary={}))
    lifecycle.finish(session, work.held(session, taken, to_finish=True), Status.SUCCEEDED)


def finish_verification(
    session: Session, cycle: CycleRow, cases: list[BadCaseRow], *, answers: tuple[str, str], retention: bool
) -> None:
    """What the stage writes when the tuned model gives ``answers`` to the two cases."""
    row = work.held(session, claim_stage(session, cycle), to_finish=True)
    assert isinstance(row, VerificationRow)
    asked = [
        AnsweredPrompt(
            id=case.id,
            part=part,
            prompt=f"Where is order {number}?",
            expected_output="On its way.",
            before_output="A cat.",
            after_output=answer,
        )
        for number, (case, part, answer) in enumerate(
            zip(cases, (Part.CASE, Part.HELD_BACK), answers, strict=True)
        )
    ]
    diagnosed = session.get_one(DiagnosisRow, row.diagnosis_id).dataset_version_id
    kept = versions.load_examples(session, diagnosed) if retention else []
    asked += [
        AnsweredPrompt(
            id=e.id,
            part=Part.RETENTION,
            prompt=e.prompt,
            expected_output=e.output,
            before_output=e.output,
            after_output=e.output,
        )
        for e in kept
    ]
    result = compare(asked, rng=np.random.default_rng(0))
    session.add_all(
        VerificationCaseRow(
            verification_id=row.id,
            ordinal=ordinal,
            split=a.part.value,
            bad_case_id=None if a.part is Part.RETENTION else a.id,
            example_id=a.id if a.part is Part.RETENTION else None,
            prompt=a.prompt,
            expected_output=a.expected_output,
            before_output=a.before_output,
            after_output=a.after_output,
            before_score=a.before_score,
            after_score=a.after_score,
            verdict=a.verdict.value,
        )
        for ordinal, a in enumerate(result.answers)
    )
    row.result = {
        "fix_rate": asdict(result.fix_rate),
        "held_back_fix_rate": asdict(result.held_back_fix_rate),
        "retention": asdict(result.retention) if result.retention else None,
        "gate": asdict(result.gate),
    }
    lifecycle.finish(session, row, Status.SUCCEEDED)


def diagnosis_of(cycle: CycleRow) -> str:
    return stage_inputs.result_id(cycle, CycleStage.DIAGNOSE)


def test_a_cycle_tells_everything_from_the_diagnosis_to_the_gate(
    session: Session, project: str, cycle: CycleRow, version: DatasetVersionRow, cases: list[BadCaseRow]
) -> None:
    finish_repair(session, cycle, version)
    finish_until(session, cycle, CycleStage.VERIFY)
    grown = session.get_one(AugmentationRow, stage_inputs.result_id(cycle, CycleStage.AUGMENT))
    grown.summary = {"notes": ["no language model is configured"], "counts": {"pool": 2}}
    job = session.get_one(TrainingJobRow, stage_inputs.result_id(cycle, CycleStage.TRAIN))
    job.metrics = [{"step": 1, "loss": 2.5}, {"step": 2, "loss": 1.5}, {"step": 2, "grad_norm": 0.1}]
    finish_verification(session, cycle, cases, answers=("On its way.", "A cat."), retention=True)
    assert cycle.status == Status.SUCCEEDED

    report = reports.build(session, project, diagnosis_of(cycle), now=NOW)
    assert report.cycle is not None
    assert [(s.name, s.status) for s in report.cycle.stages] == [
        (stage.value, "succeeded") for stage in CycleStage if stage is not CycleStage.QUESTIONS
    ]
    assert all(s.seconds is not None and s.seconds >= 0 for s in report.cycle.stages)
    assert [f.verdict for f in report.findings] == ["fixed", "not_fixed"]
    assert [f.after_output for f in report.findings] == ["On its way.", "A cat."]
    assert report.repair is not None
    assert report.repair.counts == {"relabel": {"applied": 1}}
    assert report.augmentation is not None
    assert report.augmentation.notes == ("no language model is configured",)
    assert report.mixture is not None
    assert report.mixture.counts == {"targeted": 1, "replay": 9}
    assert report.training is not None
    assert report.training.loss_curve == ((1, 2.5), (2, 1.5))
    assert report.training.adapter_id == cycle.adapter_id
    assert report.verification is not None
    assert (report.verification.fix_rate.rate, report.verification.fix_rate.n) == (1.0, 1)
    assert report.verification.held_back_fix_rate is not None
    assert (report.verification.held_back_fix_rate.rate, report.verification.held_back_fix_rate.n) == (0.0, 1)
    assert report.verification.retention is not None
    assert (report.verification.retention.mean, report.verification.retention.n) == (1.0, 4)
    assert report.verification.gate.accepted
    assert [c.part for c in report.verification.cases] == ["case", "held_back"] + ["retention"] * 4
    assert report.verification.total_cases == 6
    page = rendered(report)
    for shown in ("no language model is configured", "because of relabel", "On its way.", cycle.id):
        assert shown in page


def test_a_cycle_on_its_way_shows_what_there_is(
    session: Session, project: str, cycle: CycleRow, version: DatasetVersionRow
) -> None:
    for stage in [stage for stage in CycleStage if stage is not CycleStage.QUESTIONS][1:]:
        assert cycle.stage == stage.value
        report = reports.build(session, project, diagnosis_of(cycle), now=NOW)
        assert report.cycle is not None
        assert (report.cycle.status, report.cycle.stages[-1].name) == (Status.RUNNING, stage.value)
        there = (report.repair, report.augmentation, report.mixture, report.training, report.verification)
        assert [part is not None for part in there].count(True) == len(report.cycle.stages) - 2
        rendered(report)
        finish_stage(session, cycle, fixed=0)


def test_a_cycle_that_failed_says_at_which_stage(session: Session, project: str, cycle: CycleRow) -> None:
    taken = claim_stage(session, cycle)
    problem = {"type": "/problems/x", "title": "x", "status": 422, "detail": "the plan could not be made"}
    lifecycle.finish(session, work.held(session, taken, to_finish=True), Status.FAILED, error=problem)
    report = reports.build(session, project, diagnosis_of(cycle), now=NOW)
    assert report.cycle is not None
    assert report.cycle.status == Status.FAILED
    assert (report.cycle.stages[-1].name, report.cycle.stages[-1].status) == ("repair", "failed")
    assert report.repair is None
    rendered(report)


@pytest.mark.parametrize("best", [1, 2])
def test_a_cycle_with_two_attempts_shows_the_one_whose_adapter_is_kept(
    session: Session,
    project: str,
    cycle: CycleRow,
    cases: list[BadCaseRow],
    best: int,
) -> None:
    good, bad = ("On its way.", "On its way."), ("A cat.", "A cat.")
    for attempt in (1, 2):
        finish_until(session, cycle, CycleStage.VERIFY, mixture_rows=10 * attempt)
        answers = good if attempt == best else bad
        # Without a retention set nothing is proven, so that a good first attempt is tried again as well.
        finish_verification(session, cycle, cases, answers=answers, retention=False)
    assert (cycle.status, cycle.attempt) == (Status.SUCCEEDED, 2)

    report = reports.build(session, project, diagnosis_of(cycle), now=NOW)
    assert [f.verdict for f in report.findings] == ["fixed", "fixed"]
    assert report.mixture is not None
    assert report.mixture.counts["replay"] == 10 * best - 1
    assert report.training is not None
    assert report.training.adapter_id == cycle.adapter_id
    assert report.verification is not None
    assert report.verification.retention is None
    assert not report.verification.gate.accepted
    assert report.cycle is not None
    assert [s.name for s in report.cycle.stages][-3:] == [
        "mix (attempt 2)",
        "train (attempt 2)",
        "verify (attempt 2)",
    ]
    mixture = session.get_one(MixtureRow, str(report.mixture.id))
    assert report.mixture.recipe == mixture.recipe
    assert session.get_one(AdapterRow, cycle.adapter_id).gate == "inconclusive"
    rendered(report)
