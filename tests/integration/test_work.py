"""Long work: claimed by one run at a time, finished once, stopped when asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app import queue
from app.db.models import CycleRow, DiagnosisRow, EventRow, ImportRow, TrainingJobRow
from app.db.session import SessionFactory, transaction
from app.domain.job_status import IllegalMove, Status
from app.errors import Conflict, NotFound
from app.queue import Stage
from app.services import projects
from app.services.diagnoses import diagnoses
from app.services.training import training
from app.services.work import lifecycle, work
from app.services.work.work import OutdatedRun
from tests.integration.builders import (
    add_cycle,
    add_diagnosis,
    add_version,
    claim,
    claim_stage,
    event_types,
    jobs,
    succeed,
)
from tests.integration.waiting import in_thread, until_blocked_or_done


@pytest.fixture
def diagnosis_id(sessions: SessionFactory, project: str) -> str:
    """A queued diagnosis."""
    with transaction(sessions) as session:
        return add_diagnosis(session, project).id


def test_a_row_and_its_job_are_stored_together_or_not_at_all(
    sessions: SessionFactory, session: Session, project: str
) -> None:
    with sessions() as doomed:
        row = add_diagnosis(doomed, project)
        assert jobs(doomed) == [("cpu", "diagnose", row.id)]
        doomed.rollback()
    assert session.get(DiagnosisRow, row.id) is None
    assert jobs(session) == []


def test_a_claim_runs_the_row_and_a_finish_ends_it(session: Session, diagnosis_id: str) -> None:
    taken = claim(session, Stage.DIAGNOSE, diagnosis_id)
    row = session.get_one(DiagnosisRow, diagnosis_id)
    assert (row.status, row.attempts, row.run_token) == (Status.RUNNING, 1, taken.run_token)
    assert row.started_at is not None
    lifecycle.finish(session, work.held(session, taken, to_finish=True), Status.SUCCEEDED)
    assert (row.status, row.progress, row.error) == (Status.SUCCEEDED, 1.0, None)
    assert row.finished_at is not None
    assert event_types(session, diagnosis_id) == ["queued", "running", "succeeded"]


def test_what_an_outdated_run_made_is_thrown_away(sessions: SessionFactory, diagnosis_id: str) -> None:
    with transaction(sessions) as session:
        first = claim(session, Stage.DIAGNOSE, diagnosis_id)
    with transaction(sessions) as session:
        second = claim(session, Stage.DIAGNOSE, diagnosis_id)
    for to_finish in (False, True):
        with pytest.raises(OutdatedRun), transaction(sessions) as session:
            work.held(session, first, to_finish=to_finish)
    with pytest.raises(OutdatedRun), transaction(sessions) as session:
        work.report_progress(session, first, 0.9, "nearly")
    with pytest.raises(OutdatedRun), transaction(sessions) as session:
        work.back_to_queue(session, first, "broke")
    with transaction(sessions) as session:
        row = session.get_one(DiagnosisRow, diagnosis_id)
        assert (row.status, row.progress, row.attempts) == (Status.RUNNING, 0.0, 2)
        assert row.run_token == second.run_token
        assert event_types(session, diagnosis_id) == ["queued", "running", "taken_over"]
        lifecycle.finish(session, work.held(session, second, to_finish=True), Status.SUCCEEDED)


def test_a_finished_row_is_no_longer_held_by_its_own_run(session: Session, diagnosis_id: str) -> None:
    taken = claim(session, Stage.DIAGNOSE, diagnosis_id)
    row = work.held(session, taken, to_finish=True)
    lifecycle.finish(session, row, Status.SUCCEEDED)
    with pytest.raises(OutdatedRun):
        work.held(session, taken)
    with pytest.raises(IllegalMove):
        lifecycle.finish(session, row, Status.FAILED)


@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.FAILED, Status.CANCELLED])
def test_final_work_is_not_claimed_again(session: Session, diagnosis_id: str, status: Status) -> None:
    taken = claim(session, Stage.DIAGNOSE, diagnosis_id)
    lifecycle.finish(session, work.held(session, taken), status)
    assert lifecycle.claim(session, Stage.DIAGNOSE, diagnosis_id, run_token="run_2", max_attempts=5) is None
    assert session.get_one(DiagnosisRow, diagnosis_id).attempts == 1


def test_a_job_whose_row_is_gone_has_nothing_to_do(session: Session) -> None:
    for stage in Stage:
        assert lifecycle.claim(session, stage, "dg_gone", run_token="run_1", max_attempts=5) is None


def test_a_row_that_kills_its_workers_is_failed_with_a_reason(session: Session, diagnosis_id: str) -> None:
    for _ in range(3):
        claim(session, Stage.DIAGNOSE, diagnosis_id, max_attempts=3)
    assert lifecycle.claim(session, Stage.DIAGNOSE, diagnosis_id, run_token="run_4", max_attempts=3) is None
    row = session.get_one(DiagnosisRow, diagnosis_id)
    assert row.status == Status.FAILED
    assert row.error is not None
    assert row.error["type"] == "/problems/attempts-exhausted"
    assert "3 times" in row.error["detail"]
    assert row.finished_at is not None


def test_queued_work_is_cancelled_at_once_and_never_starts(
    session: Session, project: str, diagnosis_id: str
) -> None:
    row = lifecycle.cancel(session, DiagnosisRow, project, diagnosis_id)
    assert (row.status, row.attempts) == (Status.CANCELLED, 0)
    assert lifecycle.claim(session, Stage.DIAGNOSE, diagnosis_id, run_token="run_1", max_attempts=5) is None
    assert event_types(session, diagnosis_id) == ["queued", "cancelled"]


def test_running_work_hears_of_a_cancel_with_its_next_progress(
    session: Session, project: str, diagnosis_id: str
) -> None:
    taken = claim(session, Stage.DIAGNOSE, diagnosis_id)
    assert not work.report_progress(session, taken, 0.2)
    assert lifecycle.cancel(session, DiagnosisRow, project, diagnosis_id).status == Status.RUNNING
    assert work.report_progress(session, taken, 0.4, "neighbours")
    assert session.get_one(DiagnosisRow, diagnosis_id).progress == 0.4


def test_work_whose_worker_died_after_a_cancel_is_cancelled_by_the_next_one(
    session: Session, project: str, diagnosis_id: str
) -> None:
    claim(session, Stage.DIAGNOSE, diagnosis_id)
    lifecycle.cancel(session, DiagnosisRow, project, diagnosis_id)
    assert lifecycle.claim(session, Stage.DIAGNOSE, diagnosis_id, run_token="run_2", max_attempts=5) is None
    assert session.get_one(DiagnosisRow, diagnosis_id).status == Status.CANCELLED


def test_a_cancel_of_work_that_waits_for_another_try_ends_it(
    session: Session, project: str, diagnosis_id: str
) -> None:
    taken = claim(session, Stage.DIAGNOSE, diagnosis_id)
    work.back_to_queue(session, taken, "the database went away")
    row = lifecycle.cancel(session, DiagnosisRow, project, diagnosis_id)
    assert row.status == Status.CANCELLED
    assert event_types(session, diagnosis_id) == ["queued", "running", "retrying", "cancelled"]


def test_final_work_is_not_cancelled(session: Session, project: str, diagnosis_id: str) -> None:
    succeed(session, Stage.DIAGNOSE, diagnosis_id)
    with pytest.raises(Conflict, match="succeeded"):
        lifecycle.cancel(session, DiagnosisRow, project, diagnosis_id)


def test_work_of_another_project_is_not_there(session: Session, diagnosis_id: str) -> None:
    other = projects.create_project(session, "other").id
    for project_id, subject_id in ((other, diagnosis_id), (other, "dg_gone")):
        with pytest.raises(NotFound):
            lifecycle.cancel(session, DiagnosisRow, project_id, subject_id)
    assert session.get_one(DiagnosisRow, diagnosis_id).status == Status.QUEUED


@pytest.mark.parametrize(("said", "stored"), [(-0.5, 0.0), (0.25, 0.25), (1.5, 1.0)])
def test_progress_stays_within_its_range(
    session: Session, diagnosis_id: str, said: float, stored: float
) -> None:
    work.report_progress(session, claim(session, Stage.DIAGNOSE, diagnosis_id), said)
    assert session.get_one(DiagnosisRow, diagnosis_id).progress == stored


def test_a_step_is_an_event_and_bare_progress_is_not(session: Session, diagnosis_id: str) -> None:
    taken = claim(session, Stage.DIAGNOSE, diagnosis_id)
    work.report_progress(session, taken, 0.1)
    work.report_progress(session, taken, 0.2, "embedding")
    assert event_types(session, diagnosis_id) == ["queued", "running", "progress"]


def test_two_workers_with_the_same_job_get_two_claims_of_which_one_counts(
    sessions: SessionFactory, diagnosis_id: str
) -> None:
    def take(session: Session) -> work.Claim:
        return claim(session, Stage.DIAGNOSE, diagnosis_id)

    with ThreadPoolExecutor(2) as pool:
        claims = [f.result() for f in [in_thread(pool, sessions, take) for _ in range(2)]]
    assert sorted(c.attempts for c in claims) == [1, 2]
    first, last = sorted(claims, key=lambda c: c.attempts)
    with transaction(sessions) as session:
        assert work.held(session, last).attempts == 2
        with pytest.raises(OutdatedRun):
            work.held(session, first)


def test_a_cancel_waits_for_a_finish_that_is_being_saved(
    sessions: SessionFactory, project: str, diagnosis_id: str
) -> None:
    with transaction(sessions) as session:
        taken = claim(session, Stage.DIAGNOSE, diagnosis_id)
    with ThreadPoolExecutor(1) as pool:
        with transaction(sessions) as saving:
            row = work.held(saving, taken, to_finish=True)
            cancelled = in_thread(
                pool, sessions, lambda s: lifecycle.cancel(s, DiagnosisRow, project, diagnosis_id)
            )
            until_blocked_or_done(sessions, cancelled)
            lifecycle.finish(saving, row, Status.SUCCEEDED)
        with pytest.raises(Conflict):
            cancelled.result(timeout=10)


def test_a_cancel_of_a_cycles_work_and_its_worker_do_not_wait_for_each_other(
    sessions: SessionFactory, project: str
) -> None:
    with transaction(sessions) as session:
        cycle = add_cycle(session, project)
        diagnosis_id = cycle.stages[-1]["result_id"]
    with ThreadPoolExecutor(1) as pool:
        with transaction(sessions) as worker:
            work.lock_cycle(worker, cycle.id)
            cancelled = in_thread(
                pool, sessions, lambda s: lifecycle.cancel(s, DiagnosisRow, project, diagnosis_id)
            )
            until_blocked_or_done(sessions, cancelled)
            # Both take the cycle first and then its row; the other order would be a deadlock here.
            claim_stage(worker, cycle)
        assert cancelled.result(timeout=10).cancel_requested
    with sessions() as session:
        assert session.get_one(DiagnosisRow, diagnosis_id).cancel_requested
        assert session.get_one(CycleRow, cycle.id).status == Status.RUNNING


def test_an_import_is_work_like_any_other(session: Session, project: str) -> None:
    version = add_version(session, project)
    row = ImportRow(
        project_id=project,
        dataset_id=version.dataset_id,
        upload_uri="sha256:0",
        upload_bytes=0,
        format="auto",
    )
    work.enqueue(session, Stage.IMPORT, row)
    assert jobs(session) == [("cpu", "import", row.id)]
    succeed(session, Stage.IMPORT, row.id)
    assert row.status == Status.SUCCEEDED


def test_work_that_lost_its_job_is_found_and_other_work_is_left_alone(session: Session, project: str) -> None:
    lost, waiting, done = (add_version(session, project, name=name) for name in ("lost", "waiting", "done"))
    rows = {
        version.id: diagnoses.create(session, project, dataset_version_id=version.id, case_ids=["bc_1"])
        for version in (lost, waiting, done)
    }
    succeed(session, Stage.DIAGNOSE, rows[done.id].id)
    assert work.without_job(session) == []
    for version in (lost, done):
        session.execute(
            text("DELETE FROM procrastinate_jobs WHERE lock = :lock"), {"lock": rows[version.id].id}
        )
    assert work.without_job(session) == [(Stage.DIAGNOSE, rows[lost.id].id)]


def test_a_job_is_replaced_only_when_its_worker_is_dead(session: Session, diagnosis_id: str) -> None:
    worker = session.scalar(text("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id"))
    job = session.scalar(
        text("UPDATE procrastinate_jobs SET status = 'doing', worker_id = :worker RETURNING id"),
        {"worker": worker},
    )
    assert isinstance(job, int)

    def rescued() -> bool:
        return queue.defer_again_for_dead_worker(
            session, job, Stage.DIAGNOSE, diagnosis_id, stalled_seconds=30
        )

    assert not rescued()
    session.execute(text("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'"))
    assert rescued()
    assert jobs(session) == [("cpu", "diagnose", diagnosis_id)]
    assert not rescued()
    assert session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) == 1


def add_training(session: Session, project: str, cycle_id: str | None = None) -> str:
    version = add_version(session, project)
    return training.create(
        session, project, base_model="tiny", dataset_version_id=version.id, cycle_id=cycle_id
    ).id


def test_a_queued_training_is_parked_at_once_and_started_only_when_it_is_resumed(
    session: Session, project: str
) -> None:
    job_id = add_training(session, project)
    paused = lifecycle.pause(session, project, job_id)
    assert (paused.status, paused.paused_at is not None) == (Status.QUEUED, True)
    assert lifecycle.claim(session, Stage.TRAIN, job_id, run_token="run_1", max_attempts=5) is None
    session.execute(text("DELETE FROM procrastinate_jobs"))  # the worker's answer to a job with nothing to do
    assert work.without_job(session) == []  # nobody wakes it up but its user
    resumed = lifecycle.resume(session, project, job_id)
    assert (resumed.status, resumed.paused_at) == (Status.QUEUED, None)
    assert jobs(session) == [("gpu", "train", job_id)]
    assert claim(session, Stage.TRAIN, job_id).attempts == 1
    assert event_types(session, job_id) == ["queued", "paused", "resumed", "running"]


def test_a_running_training_hears_of_a_pause_and_is_parked_without_counting_the_try(
    session: Session, project: str
) -> None:
    job_id = add_training(session, project)
    taken = claim(session, Stage.TRAIN, job_id)
    assert lifecycle.pause(session, project, job_id).status == Status.RUNNING
    lifecycle.pause(session, project, job_id)  # asked twice, it is one pause
    assert work.report_progress(session, taken, 0.3) is work.Asked.PAUSE
    lifecycle.stopped(session, taken)
    row = session.get_one(TrainingJobRow, job_id)
    assert (row.status, row.attempts, row.pause_requested) == (Status.QUEUED, 0, False)
    assert row.paused_at is not None
    assert event_types(session, job_id) == ["queued", "running", "pause_requested", "paused"]


def test_a_pause_that_is_taken_back_before_the_stop_lets_the_training_go_on(
    session: Session, project: str
) -> None:
    job_id = add_training(session, project)
    taken = claim(session, Stage.TRAIN, job_id)
    lifecycle.pause(session, project, job_id)
    lifecycle.resume(session, project, job_id)
    session.execute(text("DELETE FROM procrastinate_jobs"))
    lifecycle.stopped(session, taken)  # the stage had heard of the pause already
    row = session.get_one(TrainingJobRow, job_id)
    assert (row.status, row.paused_at) == (Status.QUEUED, None)
    assert jobs(session) == [("gpu", "train", job_id)]


def test_a_paused_training_is_cancelled_at_once(session: Session, project: str) -> None:
    job_id = add_training(session, project)
    lifecycle.pause(session, project, job_id)
    row = lifecycle.cancel(session, TrainingJobRow, project, job_id)
    assert (row.status, row.paused_at) == (Status.CANCELLED, None)
    for move in (lifecycle.pause, lifecycle.resume):
        with pytest.raises(Conflict, match="cancelled already"):
            move(session, project, job_id)


def test_a_cancel_wins_over_a_pause(session: Session, project: str) -> None:
    job_id = add_training(session, project)
    taken = claim(session, Stage.TRAIN, job_id)
    lifecycle.pause(session, project, job_id)
    lifecycle.cancel(session, TrainingJobRow, project, job_id)
    assert work.report_progress(session, taken, 0.3) is work.Asked.CANCEL
    with pytest.raises(Conflict, match="being cancelled"):
        lifecycle.pause(session, project, job_id)
    lifecycle.stopped(session, taken)
    assert session.get_one(TrainingJobRow, job_id).status == Status.CANCELLED


def test_what_is_not_paused_is_not_resumed_and_other_projects_have_no_say(
    session: Session, project: str
) -> None:
    job_id = add_training(session, project)
    with pytest.raises(Conflict, match="not paused"):
        lifecycle.resume(session, project, job_id)
    other = projects.create_project(session, "other").id
    for move in (lifecycle.pause, lifecycle.resume):
        with pytest.raises(NotFound):
            move(session, other, job_id)


def test_the_readers_of_a_cycle_hear_of_the_progress_and_the_pause_of_its_stage(
    session: Session, project: str
) -> None:
    cycle_id = add_cycle(session, project).id
    job_id = add_training(session, project, cycle_id)
    before = len(event_types(session, cycle_id))
    taken = claim(session, Stage.TRAIN, job_id)
    work.report_progress(session, taken, 0.1, "training")
    assert work.report_alive(session, taken, 0.1, "training", seconds=4.0)
    lifecycle.pause(session, project, job_id)
    lifecycle.stopped(session, taken)
    assert event_types(session, cycle_id)[before:] == ["progress", "progress", "training_paused"]
    last = session.scalars(
        select(EventRow).where(EventRow.subject_id == cycle_id, EventRow.type == "progress")
    )
    assert [event.data for event in last][-1] == {
        "stage": "train",
        "subject_id": job_id,
        "progress": 0.1,
        "step": "training",
        "seconds": 4.0,
    }
    assert not work.report_alive(session, taken, 0.1, "training", seconds=8.0)  # it is nobody's now
