"""The stage that plans a repair: what is measured on takes rows out and teaches nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.artifacts import ArtifactStore
from app.db.models import (
    BadCaseRow,
    CycleRow,
    DatasetVersionRow,
    FindingRow,
    MixtureRow,
    RepairActionRow,
    RepairRow,
)
from app.db.repositories.pages import PageRequest
from app.db.session import SessionFactory, transaction
from app.domain.pipeline import CycleStage
from app.domain.records import content_hash_of
from app.domain.repair.draft.row_bands import Veto
from app.domain.repair.row_quality.scores import Use
from app.errors import NotFound
from app.queue import Stage
from app.services.diagnoses import diagnoses
from app.services.repairs import applying, plans
from app.services.versions import versions
from app.settings import Settings
from tests.integration.builders import add_cycle, add_version, finish_until, succeed
from workers.context import Resources
from workers.run_stage import run_stage


@pytest.fixture
def resources(settings: Settings, sessions: SessionFactory, store: ArtifactStore) -> Resources:
    return Resources(settings=settings, sessions=sessions, store=store)


def diagnosed(
    session: Session, project: str, version: DatasetVersionRow, asked: Sequence[tuple[str, bool]]
) -> str:
    """A diagnosis of one case for each (prompt, held back)."""
    cases = []
    for prompt, _ in asked:
        turn = {"role": "user", "content": prompt}
        case = BadCaseRow(
            project_id=project,
            messages=[turn],
            model_output="wrong",
            expected_output="right",
            content_hash=content_hash_of(turn),
        )
        session.add(case)
        cases.append(case)
    session.flush()
    diagnosis = diagnoses.create(
        session, project, dataset_version_id=version.id, case_ids=[case.id for case in cases]
    )
    for ordinal, (case, (_, held_back)) in enumerate(zip(cases, asked, strict=True)):
        session.add(
            FindingRow(
                project_id=project,
                diagnosis_id=diagnosis.id,
                ordinal=ordinal,
                bad_case_id=case.id,
                case_snapshot=diagnoses.snapshot(case),
                category="conflict",
                probabilities={"ood": 0.0, "conflict": 1.0, "hard": 0.0, "serving_mismatch": 0.0},
                confidence=1.0,
                symptoms=[],
                evidence={"neighbors": [], "ood": {}, "conflict": {}, "hard": {}, "serving_mismatch": {}},
                recommended_actions=[],
                held_back=held_back,
            )
        )
    succeed(session, Stage.DIAGNOSE, diagnosis.id)
    return diagnosis.id


def leaks(session: Session, repair_id: str) -> list[tuple[str, str, str]]:
    """(prompt of the row, kind of what it repeats, decision)."""
    found = session.scalars(
        select(RepairActionRow)
        .where(RepairActionRow.repair_id == repair_id)
        .order_by(RepairActionRow.ordinal)
    )
    return [
        (row.before[0]["messages"][0]["content"], row.evidence["protected"], row.decision)
        for row in found
        if row.evidence["rule"].startswith("leakage")
    ]


def test_rows_that_repeat_what_is_measured_on_are_dropped_and_others_stay(
    resources: Resources, sessions: SessionFactory, project: str
) -> None:
    with transaction(sessions) as session:
        version = add_version(session, project, 6)
        evaluation = add_version(session, project, 2, name="evaluation")  # Q0, Q1
        diagnosis_id = diagnosed(session, project, version, [("q3!", True), ("Q5", False)])
        repair_id = plans.create(
            session, project, diagnosis_id=diagnosis_id, evaluation_dataset_version_id=evaluation.id
        ).id
    run_stage(resources, Stage.REPAIR, repair_id)
    with transaction(sessions) as session:
        row = session.get_one(RepairRow, repair_id)
        assert (row.status, row.error) == ("succeeded", None)
        assert row.summary is not None
        assert row.summary["leakage"]["protected"] == {"held_back": 1, "evaluation": 2, "bad_case": 1}
        assert row.summary["leakage"]["rows_of_bad_cases_that_may_stay"] == 1
        assert leaks(session, repair_id) == [
            ("Q0", "evaluation", "approved"),
            ("Q1", "evaluation", "approved"),
            ("Q3", "held_back", "approved"),
        ]
        made = applying.apply(session, project, repair_id)
        assert [e.prompt for e in versions.load_examples(session, made.id)] == ["Q2", "Q4", "Q5"]


def test_a_repair_without_anything_to_protect_is_planned_as_before(
    resources: Resources, sessions: SessionFactory, project: str
) -> None:
    with transaction(sessions) as session:
        version = add_version(session, project, 3)
        diagnosis_id = diagnosed(session, project, version, [("Q0", False)])
        repair_id = plans.create(session, project, diagnosis_id=diagnosis_id).id
    run_stage(resources, Stage.REPAIR, repair_id)
    with sessions() as session:
        assert session.get_one(RepairRow, repair_id).status == "succeeded"
        assert leaks(session, repair_id) == []


def test_every_row_of_the_version_has_a_score_and_a_band_that_can_be_read(
    resources: Resources, sessions: SessionFactory, project: str
) -> None:
    with transaction(sessions) as session:
        version = add_version(session, project, 5)
        diagnosis_id = diagnosed(session, project, version, [("Q0", False)])
        repair_id = plans.create(session, project, diagnosis_id=diagnosis_id).id
    run_stage(resources, Stage.REPAIR, repair_id)
    with sessions() as session:
        ids = [e.id for e in versions.load_examples(session, version.id)]
        first = plans.row_quality(session, repair_id, PageRequest(limit=3), band=None, veto=None)
        rest = plans.row_quality(
            session, repair_id, PageRequest(limit=3, after=first.next_after), band=None, veto=None
        )
        assert [row.id for row in (*first.data, *rest.data)] == ids
        assert all(0 <= row.score <= 1 for row in first.data)
        bands = session.get_one(RepairRow, repair_id).summary["quality"]["bands"]  # pyright: ignore[reportOptionalSubscript]
        used = plans.row_quality(session, repair_id, PageRequest(limit=10), band=Use.USE, veto=None)
        assert (len(used.data), sum(bands.values())) == (bands["use"], 5)
        assert not plans.row_quality(
            session, repair_id, PageRequest(limit=10), band=None, veto=Veto.SECRET
        ).data


def test_the_repair_of_a_cycle_keeps_out_what_the_cycle_is_verified_on(
    session: Session, project: str
) -> None:
    retention = add_version(session, project, 2, name="retention")
    cycle = add_cycle(session, project, retention_dataset_version_id=retention.id)
    finish_until(session, cycle, CycleStage.REPAIR)
    repair = session.get_one(RepairRow, cycle.stages[-1]["result_id"])
    assert repair.evaluation_dataset_version_id == retention.id


def test_an_evaluation_version_that_is_not_there_is_refused(session: Session, project: str) -> None:
    version = add_version(session, project)
    diagnosis_id = diagnosed(session, project, version, [("Q0", False)])
    with pytest.raises(NotFound, match="dv_nowhere"):
        plans.create(session, project, diagnosis_id=diagnosis_id, evaluation_dataset_version_id="dv_nowhere")


def test_the_mixture_of_a_cycle_holds_no_row_that_the_cycle_is_verified_on(
    resources: Resources, sessions: SessionFactory, project: str
) -> None:
    with transaction(sessions) as session:
        retention = add_version(session, project, 2, name="retention")  # Q0, Q1
        cycle = add_cycle(session, project, rows=6, retention_dataset_version_id=retention.id)
        finish_until(session, cycle, CycleStage.MIX)
        cycle_id, mixture_id = cycle.id, cycle.stages[-1]["result_id"]
    run_stage(resources, Stage.MIX, mixture_id)
    with sessions() as session:
        mixture = session.get_one(MixtureRow, mixture_id)
        assert mixture.counts is not None
        assert (mixture.counts["replay"], mixture.counts["held_back"]) == (4, 2)
        assert session.get_one(CycleRow, cycle_id).stage == "train"
