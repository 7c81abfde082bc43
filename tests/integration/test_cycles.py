"""The closed loop: one stage after the other, each opened by the transaction that finished the one before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import pytest
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
from app.db.session import SessionFactory, transaction
from app.domain.job_status import Status
from app.domain.mixing.mixture import MixtureRecipe
from app.domain.pipeline import ORDER, CycleStage
from app.errors import Conflict, InvalidInput, NotFound
from app.queue import QUEUE_OF, Stage
from app.services import projects
from app.services.cycles import advance, cycles
from app.services.training import training
from app.services.work import lifecycle, work
from tests.integration.builders import (
    MODEL,
    add_adapter,
    add_case,
    add_cycle,
    add_version,
    claim_stage,
    event_types,
    finish_stage,
    finish_until,
    jobs,
    stage_of,
)

ROWS = (DiagnosisRow, RepairRow, AugmentationRow, MixtureRow, TrainingJobRow, VerificationRow)


def outline(cycle: CycleRow) -> list[tuple[str, int, str]]:
    """(name, attempt, status) of every stage so far."""
    return [(entry["name"], entry["attempt"], entry["status"]) for entry in cycle.stages]


def counts(session: Session) -> list[int]:
    return [len(session.scalars(select(row.id)).all()) for row in ROWS]


def test_a_cycle_starts_with_the_job_of_its_diagnosis(session: Session, project: str) -> None:
    cycle = add_cycle(session, project, hold_back=0.5, seed=7)
    diagnosis = session.get_one(DiagnosisRow, cycle.stages[0]["result_id"])
    assert jobs(session) == [("cpu", "diagnose", diagnosis.id)]
    assert (cycle.status, cycle.stage, cycle.progress) == (Status.RUNNING, "diagnose", 0.0)
    assert outline(cycle) == [("diagnose", 1, "running")]
    assert diagnosis.options == {"base_model": MODEL, "hold_back": 0.5, "seed": 7}
    assert diagnosis.cycle_id == cycle.id


def test_a_finished_stage_opens_exactly_the_next_one_and_one_job_for_it(
    session: Session, project: str
) -> None:
    cycle = add_cycle(session, project)
    for stage, following in pairwise(ORDER):
        before, queued = counts(session), jobs(session)
        finish_stage(session, cycle)
        assert cycle.stage == following.value
        assert outline(cycle)[-2:] == [(stage.value, 1, "succeeded"), (following.value, 1, "running")]
        opened = cycle.stages[-1]["result_id"]
        queue = QUEUE_OF[Stage(following.value)].value
        assert jobs(session) == [*queued, (queue, following.value, opened)]
        grown = [after - was for after, was in zip(counts(session), before, strict=True)]
        assert grown == [int(s is following) for s in ORDER]
        assert cycle.stages[-2]["finished_at"] is not None
        assert cycle.progress == pytest.approx(ORDER.index(following) / 6)


def test_a_finish_that_is_rolled_back_opens_nothing(sessions: SessionFactory, project: str) -> None:
    def stored(session: Session) -> tuple[object, ...]:
        cycle = session.get_one(CycleRow, cycle_id)
        return counts(session), jobs(session), outline(cycle), cycle.status

    with transaction(sessions) as session:
        cycle_id = add_cycle(session, project).id
    for _ in ORDER:
        with sessions() as session:
            before = stored(session)
        with sessions() as doomed:
            finish_stage(doomed, doomed.get_one(CycleRow, cycle_id), fixed=4)
            assert stored(doomed) != before
            doomed.rollback()
        with sessions() as session:
            assert stored(session) == before
        with transaction(sessions) as session:
            finish_stage(session, session.get_one(CycleRow, cycle_id), fixed=4)
    with sessions() as session:
        assert session.get_one(CycleRow, cycle_id).status == Status.SUCCEEDED


def test_a_cycle_ends_with_the_verdict_of_its_verification(session: Session, project: str) -> None:
    cycle = add_cycle(session, project)
    finish_until(session, cycle, CycleStage.VERIFY)
    queued = jobs(session)
    finish_stage(session, cycle, fixed=4)
    assert (cycle.status, cycle.progress, cycle.attempt) == (Status.SUCCEEDED, 1.0, 1)
    assert jobs(session) == queued
    assert cycle.verdict is not None
    shown = {key: cycle.verdict[key] for key in ("fix_rate", "held_back_fix_rate", "retention", "gate")}
    assert shown == {"fix_rate": 1.0, "held_back_fix_rate": None, "retention": None, "gate": "accepted"}
    verification = session.get_one(VerificationRow, cycle.verdict["verification_id"])
    assert cycle.adapter_id == verification.adapter_id
    assert session.get_one(AdapterRow, cycle.adapter_id).gate == "accepted"
    assert event_types(session, cycle.id)[-1] == "succeeded"
    assert cycle.finished_at is not None


def test_what_each_stage_made_is_what_the_next_one_works_on(session: Session, project: str) -> None:
    cycle = add_cycle(session, project)
    finish_until(session, cycle, CycleStage.VERIFY)
    rows = {entry["name"]: entry["result_id"] for entry in cycle.stages}
    grown = session.get_one(AugmentationRow, rows["augment"])
    assert grown.dataset_version_id == session.get_one(RepairRow, rows["repair"]).result_version_id
    mixture = session.get_one(MixtureRow, rows["mix"])
    assert (mixture.dataset_version_id, mixture.diagnosis_id) == (grown.result_version_id, rows["diagnose"])
    job = session.get_one(TrainingJobRow, rows["train"])
    assert (job.mixture_id, job.base_model) == (mixture.id, MODEL)
    assert session.get_one(VerificationRow, rows["verify"]).adapter_id == job.adapter_id


def at_each_stage(session: Session, project: str, stages: Sequence[CycleStage] = ORDER) -> Iterator[CycleRow]:
    """A fresh cycle at every stage; what a test did to the one before is undone."""
    for stage in stages:
        cycle = add_cycle(session, project)
        finish_until(session, cycle, stage)
        yield cycle
        session.rollback()


def test_a_failed_stage_fails_the_cycle_with_its_own_reason(session: Session, project: str) -> None:
    for cycle in at_each_stage(session, project):
        queued, stage = jobs(session), cycle.stage
        reason = {"type": "/problems/stage-failed", "title": "t", "status": 422, "detail": f"{stage} broke"}
        taken = claim_stage(session, cycle)
        lifecycle.finish(session, work.held(session, taken, to_finish=True), Status.FAILED, error=reason)
        assert (cycle.status, cycle.error) == (Status.FAILED, reason)
        assert outline(cycle)[-1] == (stage, 1, "failed")
        assert jobs(session) == queued
        assert event_types(session, cycle.id)[-1] == "failed"


def test_work_that_kills_its_workers_fails_the_cycle_too(session: Session, project: str) -> None:
    cycle = add_cycle(session, project)
    claim_stage(session, cycle)
    gone = cycle.stages[-1]["result_id"]
    assert lifecycle.claim(session, Stage.DIAGNOSE, gone, run_token="run_2", max_attempts=1) is None
    assert cycle.status == Status.FAILED
    assert cycle.error is not None
    assert cycle.error["type"] == "/problems/attempts-exhausted"


def test_a_cycle_is_cancelled_at_once_while_its_stage_is_queued(session: Session, project: str) -> None:
    for cycle in at_each_stage(session, project):
        cycles.cancel(session, project, cycle.id)
        assert cycle.status == Status.CANCELLED
        assert outline(cycle)[-1] == (cycle.stage, 1, "cancelled")
        subject = cycle.stages[-1]["result_id"]
        assert lifecycle.claim(session, stage_of(cycle), subject, run_token="run_1", max_attempts=5) is None


@pytest.mark.parametrize("end", [Status.CANCELLED, Status.SUCCEEDED])
def test_a_cycle_that_is_cancelled_while_its_stage_runs_opens_no_further_one(
    session: Session, project: str, end: Status
) -> None:
    for cycle in at_each_stage(session, project, ORDER[:-1]):
        taken = claim_stage(session, cycle)
        queued = jobs(session)
        cycles.cancel(session, project, cycle.id)
        assert cycle.status == Status.RUNNING
        assert work.report_progress(session, taken, 0.5)
        lifecycle.finish(session, work.held(session, taken, to_finish=True), end)
        assert cycle.status == Status.CANCELLED
        assert jobs(session) == queued


def test_a_cycle_that_waits_for_a_person_is_cancelled_at_once(session: Session, project: str) -> None:
    cycle = add_cycle(session, project, approval="manual")
    finish_until(session, cycle, CycleStage.REPAIR)
    finish_stage(session, cycle)
    repair_id = cycle.stages[-1]["result_id"]
    queued = jobs(session)
    cycles.cancel(session, project, cycle.id)
    assert cycle.status == Status.CANCELLED
    assert outline(cycle)[-1] == ("repair", 1, "cancelled")
    # The plan itself is still good: it may be applied, and the cycle stays as it is.
    advance.apply_repair(session, project, repair_id)
    assert (cycle.status, jobs(session)) == (Status.CANCELLED, queued)


def test_a_cancelled_stage_cancels_its_cycle(session: Session, project: str) -> None:
    cycle = add_cycle(session, project)
    lifecycle.cancel(session, DiagnosisRow, project, cycle.stages[-1]["result_id"])
    assert cycle.status == Status.CANCELLED


def test_a_cycle_that_is_over_is_not_cancelled_and_not_moved(session: Session, project: str) -> None:
    cycle = add_cycle(session, project)
    cycles.cancel(session, project, cycle.id)
    with pytest.raises(Conflict, match="cancelled"):
        cycles.cancel(session, project, cycle.id)
    other = projects.create_project(session, "other").id
    with pytest.raises(NotFound):
        cycles.cancel(session, other, cycle.id)


def test_manual_approval_waits_and_goes_on_when_the_plan_is_applied(session: Session, project: str) -> None:
    cycle = add_cycle(session, project, approval="manual")
    finish_until(session, cycle, CycleStage.REPAIR)
    queued = jobs(session)
    finish_stage(session, cycle)
    assert (cycle.status, outline(cycle)[-1]) == (Status.RUNNING, ("repair", 1, "awaiting_approval"))
    assert jobs(session) == queued
    assert event_types(session, cycle.id)[-1] == "awaiting_approval"
    advance.apply_repair(session, project, cycle.stages[-1]["result_id"])
    assert outline(cycle)[-2:] == [("repair", 1, "succeeded"), ("augment", 1, "running")]
    assert [stage for _, stage, _ in jobs(session)][len(queued) :] == ["augment"]
    advance.apply_repair(session, project, cycle.stages[-2]["result_id"])
    assert [stage for _, stage, _ in jobs(session)][len(queued) :] == ["augment"]


def two_attempts(
    session: Session, project: str, *, first: int, second: int, mixture_rows: int = 1000, **policy: Any
) -> CycleRow:
    """A cycle after two attempts that fixed ``first`` and ``second`` of 4 cases."""
    cycle = add_cycle(session, project, target_fix_rate=1.0, **policy)
    finish_until(session, cycle, CycleStage.VERIFY, mixture_rows=mixture_rows)
    finish_stage(session, cycle, fixed=first)
    finish_until(session, cycle, CycleStage.VERIFY, mixture_rows=mixture_rows)
    finish_stage(session, cycle, fixed=second)
    return cycle


def results(cycle: CycleRow, stage: CycleStage) -> list[str]:
    return [entry["result_id"] for entry in cycle.stages if entry["name"] == stage.value]


def test_too_few_fixed_cases_go_back_to_the_mixture(session: Session, project: str) -> None:
    cycle = add_cycle(session, project, target_fix_rate=1.0)
    finish_until(session, cycle, CycleStage.VERIFY)
    queued = jobs(session)
    finish_stage(session, cycle, fixed=1)
    assert (cycle.status, cycle.attempt) == (Status.RUNNING, 2)
    assert outline(cycle)[-2:] == [("verify", 1, "succeeded"), ("mix", 2, "running")]
    assert [stage for _, stage, _ in jobs(session)][len(queued) :] == ["mix"]
    assert event_types(session, cycle.id)[-2:] == ["another_attempt", "stage_started"]


def test_an_adapter_that_the_gate_rejects_is_tried_again(session: Session, project: str) -> None:
    cycle = add_cycle(session, project)
    finish_until(session, cycle, CycleStage.VERIFY)
    finish_stage(session, cycle, fixed=4, accepted=False)
    assert (cycle.status, cycle.attempt, cycle.stage) == (Status.RUNNING, 2, "mix")


def test_attempts_are_capped(session: Session, project: str) -> None:
    cycle = two_attempts(session, project, first=0, second=1, max_attempts=2)
    assert (cycle.status, cycle.attempt) == (Status.SUCCEEDED, 2)
    single = add_cycle_of_other_case(session, project)
    finish_until(session, single, CycleStage.VERIFY)
    finish_stage(session, single, fixed=0, accepted=False)
    assert (single.status, single.attempt) == (Status.SUCCEEDED, 1)
    assert single.verdict is not None
    assert single.verdict["gate"] == "rejected"
    assert session.get_one(AdapterRow, single.adapter_id).gate == "rejected"


def add_cycle_of_other_case(session: Session, project: str) -> CycleRow:
    version = add_version(session, project)
    return cycles.create(
        session,
        project,
        dataset_version_id=version.id,
        case_ids=[add_case(session, project, 1).id],
        base_model=MODEL,
        policy={"max_attempts": 1},
    )


@pytest.mark.parametrize("mixture_rows", [10, 1000])
def test_another_attempt_shows_targeted_rows_more_often_and_trains_longer(
    session: Session, project: str, mixture_rows: int
) -> None:
    cycle = two_attempts(session, project, first=1, second=2, mixture_rows=mixture_rows)
    first, second = (session.get_one(MixtureRow, i) for i in results(cycle, CycleStage.MIX))
    assert first.dataset_version_id == second.dataset_version_id
    shares = [MixtureRecipe.from_dict(row.recipe).targeted_share for row in (first, second)]
    assert shares[1] > shares[0]
    assert second.recipe["seed"] != first.recipe["seed"]
    epochs = [
        session.get_one(TrainingJobRow, i).hyperparameters["epochs"] for i in results(cycle, CycleStage.TRAIN)
    ]
    assert epochs[1] == epochs[0] + 1


def test_what_the_user_set_stays_in_every_attempt(session: Session, project: str) -> None:
    cycle = two_attempts(
        session,
        project,
        first=1,
        second=2,
        mixture={"targeted_share": 0.15, "seed": 3},
        training={"epochs": 1.5, "rank": 4},
    )
    recipes = [session.get_one(MixtureRow, i).recipe for i in results(cycle, CycleStage.MIX)]
    assert [(r["targeted_share"], r["seed"]) for r in recipes] == [(0.15, 3)] * 2
    trained = [session.get_one(TrainingJobRow, i).hyperparameters for i in results(cycle, CycleStage.TRAIN)]
    assert [(t["epochs"], t["rank"]) for t in trained] == [(1.5, 4)] * 2


@pytest.mark.parametrize(("first", "second", "best"), [(1, 3, 2), (3, 1, 1), (2, 2, 1)])
def test_the_better_attempts_adapter_is_kept(
    session: Session, project: str, first: int, second: int, best: int
) -> None:
    cycle = two_attempts(session, project, first=first, second=second)
    assert cycle.verdict is not None
    assert (cycle.verdict["attempt"], cycle.verdict["fix_rate"]) == (best, max(first, second) / 4)
    made = [session.get_one(TrainingJobRow, i).adapter_id for i in results(cycle, CycleStage.TRAIN)]
    assert cycle.adapter_id == made[best - 1]
    assert cycle.verdict["verification_id"] == results(cycle, CycleStage.VERIFY)[best - 1]
    assert [session.get_one(AdapterRow, i).gate for i in made] == ["accepted", "accepted"]


def test_every_adapter_carries_the_verdict_of_its_own_gate(session: Session, project: str) -> None:
    cycle = add_cycle(session, project)
    for accepted in (False, True):
        finish_until(session, cycle, CycleStage.VERIFY)
        finish_stage(session, cycle, fixed=4, accepted=accepted)
    made = [session.get_one(TrainingJobRow, i).adapter_id for i in results(cycle, CycleStage.TRAIN)]
    assert [session.get_one(AdapterRow, i).gate for i in made] == ["rejected", "accepted"]
    assert (cycle.status, cycle.adapter_id) == (Status.SUCCEEDED, made[1])


@pytest.mark.parametrize("stage", [CycleStage.MIX, CycleStage.TRAIN, CycleStage.VERIFY])
def test_a_further_attempt_that_fails_leaves_the_verdict_of_the_one_before(
    session: Session, project: str, stage: CycleStage
) -> None:
    cycle = add_cycle(session, project, target_fix_rate=1.0)
    finish_until(session, cycle, CycleStage.VERIFY)
    finish_stage(session, cycle, fixed=2)
    finish_until(session, cycle, stage)
    before, queued = (cycle.verdict, cycle.adapter_id), jobs(session)
    reason = {"type": "/problems/stage-failed", "title": "t", "status": 422, "detail": "out of memory"}
    taken = claim_stage(session, cycle)
    lifecycle.finish(session, work.held(session, taken, to_finish=True), Status.FAILED, error=reason)
    assert (cycle.status, cycle.error) == (Status.SUCCEEDED, None)
    assert ((cycle.verdict, cycle.adapter_id), jobs(session)) == (before, queued)
    assert outline(cycle)[-1] == (stage.value, 2, "failed")
    assert event_types(session, cycle.id)[-2:] == ["attempt_failed", "succeeded"]


def test_late_finishes_do_not_move_a_cycle_twice(session: Session, project: str) -> None:
    cycle = add_cycle(session, project)
    finish_stage(session, cycle)
    before = (outline(cycle), jobs(session))
    done = session.get_one(DiagnosisRow, cycle.stages[0]["result_id"])
    advance.work_finished(session, cycle.id, done)
    assert (outline(cycle), jobs(session)) == before


def test_a_cycle_starts_before_the_adapter_that_failed(session: Session, project: str) -> None:
    failed = add_adapter(session, project)
    cycle = add_cycle(session, project, before_adapter_id=failed.id)
    finish_until(session, cycle, CycleStage.VERIFY)
    row = session.get_one(VerificationRow, cycle.stages[-1]["result_id"])
    assert row.before_adapter_id == failed.id
    assert training.get(session, project, results(cycle, CycleStage.TRAIN)[0]).init_adapter_id is None


@pytest.mark.parametrize(
    ("policy", "named"),
    [
        ({"patience": 1}, "patience"),
        ({"hold_back": 0.9}, "hold_back"),
        ({"repair": {"nonsense": 1}}, "nonsense"),
        ({"mixture": {"targeted_share": 2}}, "targeted_share"),
        ({"training": {"rank": 0}}, "rank"),
        ({"augmentation": {"nonsense": 1}}, "nonsense"),
        ({"verification": {"gate": {"nonsense": 1}}}, "nonsense"),
    ],
)
def test_a_policy_that_a_later_stage_would_refuse_is_refused_at_the_start(
    session: Session, project: str, policy: dict[str, Any], named: str
) -> None:
    with pytest.raises(InvalidInput, match=named):
        add_cycle(session, project, **policy)
    assert jobs(session) == []


@pytest.mark.parametrize(
    "name", ["before_adapter_id", "retention_dataset_version_id", "pool_dataset_version_id"]
)
def test_a_policy_that_names_what_is_not_in_the_project_is_refused(
    session: Session, project: str, name: str
) -> None:
    policy: dict[str, Any] = {name: "not_there"}
    with pytest.raises(NotFound, match="not_there"):
        add_cycle(session, project, **policy)
    assert jobs(session) == []


@pytest.mark.parametrize(("order", "shuffle"), [("easy_to_hard", False), ("shuffled", True)])
def test_a_curriculum_is_trained_in_its_order(
    session: Session, project: str, order: str, shuffle: bool
) -> None:
    cycle = two_attempts(session, project, first=1, second=2, mixture={"order": order})
    trained = [session.get_one(TrainingJobRow, i).hyperparameters for i in results(cycle, CycleStage.TRAIN)]
    assert [t["shuffle"] for t in trained] == [shuffle, shuffle]
