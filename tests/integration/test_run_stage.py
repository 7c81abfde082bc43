"""One stage from claim to result: finished once, tried again after a passing failure, stopped when asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from procrastinate.exceptions import JobAborted
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.artifacts import ArtifactStore, StorageFull
from app.db.models import CycleRow, DiagnosisRow, EventRow
from app.db.session import SessionFactory, transaction
from app.domain.job_status import Status
from app.errors import NotFound, StageCancelled, StageError
from app.queue import Queue, Stage
from app.services.work import lifecycle, work
from app.settings import Settings
from tests.integration.builders import add_cycle, add_diagnosis, claim, event_types, jobs
from workers import heartbeat
from workers.context import Resources, StageContext
from workers.main import work as run_worker
from workers.run_stage import run_stage
from workers.stages import RUN

StageFunction = Callable[[StageContext], None]
UseStage = Callable[[StageFunction], None]


@pytest.fixture
def resources(settings: Settings, sessions: SessionFactory, store: ArtifactStore) -> Resources:
    return Resources(settings=settings, sessions=sessions, store=store)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> UseStage:
    """Puts a function in the place of the diagnosis."""
    return lambda stage: monkeypatch.setitem(RUN, Stage.DIAGNOSE, stage)


@pytest.fixture
def diagnosis_id(sessions: SessionFactory, project: str) -> str:
    with transaction(sessions) as session:
        return add_diagnosis(session, project).id


def run(resources: Resources, subject_id: str) -> None:
    run_stage(resources, Stage.DIAGNOSE, subject_id)


def with_tries(resources: Resources, stage_attempts: int) -> Resources:
    settings = resources.settings.model_copy(update={"stage_attempts": stage_attempts})
    return replace(resources, settings=settings)


def write_result(context: StageContext) -> None:
    with context.saving() as (_, row):
        assert isinstance(row, DiagnosisRow)
        row.summary = {"by": context.claim.run_token}


def crash(context: StageContext) -> None:
    raise ZeroDivisionError("a secret of the customer")


def test_a_result_is_written_with_the_end_of_the_row(
    resources: Resources, session: Session, diagnosis_id: str, use: UseStage
) -> None:
    use(write_result)
    run(resources, diagnosis_id)
    row = session.get_one(DiagnosisRow, diagnosis_id)
    assert (row.status, row.progress, row.attempts) == (Status.SUCCEEDED, 1.0, 1)
    assert row.summary == {"by": row.run_token}


def test_a_stage_that_is_run_again_after_its_end_does_nothing(
    resources: Resources, session: Session, diagnosis_id: str, use: UseStage
) -> None:
    runs: list[str] = []

    def stage(context: StageContext) -> None:
        runs.append(context.claim.run_token)
        write_result(context)

    use(stage)
    for _ in range(3):
        run(resources, diagnosis_id)
    run(resources, "dg_gone")
    assert len(runs) == 1
    assert session.get_one(DiagnosisRow, diagnosis_id).summary == {"by": runs[0]}


def test_a_result_that_cannot_be_written_whole_is_not_written(
    resources: Resources, session: Session, diagnosis_id: str, use: UseStage
) -> None:
    def stage(context: StageContext) -> None:
        with context.saving() as (inside, row):
            assert isinstance(row, DiagnosisRow)
            row.summary = {"half": True}
            inside.flush()
            raise ConnectionResetError

    use(stage)
    with pytest.raises(ConnectionResetError):
        run(resources, diagnosis_id)
    row = session.get_one(DiagnosisRow, diagnosis_id)
    assert (row.summary, row.status) == (None, Status.QUEUED)


@pytest.mark.parametrize("end", [write_result, crash], ids=["succeeds", "crashes"])
def test_what_an_outdated_run_makes_changes_nothing(
    resources: Resources,
    sessions: SessionFactory,
    session: Session,
    diagnosis_id: str,
    use: UseStage,
    end: StageFunction,
) -> None:
    taken: list[work.Claim] = []

    def stage(context: StageContext) -> None:
        with transaction(sessions) as other:  # another worker takes the row over meanwhile
            taken.append(claim(other, Stage.DIAGNOSE, diagnosis_id))
        end(context)

    use(stage)
    run(resources, diagnosis_id)
    row = session.get_one(DiagnosisRow, diagnosis_id)
    assert (row.status, row.run_token, row.summary) == (Status.RUNNING, taken[0].run_token, None)
    assert event_types(session, diagnosis_id) == ["queued", "running", "taken_over"]


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (
            StageError("the dataset is gone", type="dataset-deleted", title="Gone"),
            {
                "type": "/problems/dataset-deleted",
                "title": "Gone",
                "status": 422,
                "detail": "the dataset is gone",
            },
        ),
        (
            NotFound("no dataset version dsv_1 in this project"),
            {
                "type": "/problems/not-found",
                "title": NotFound.title,
                "status": 404,
                "detail": "no dataset version dsv_1 in this project",
            },
        ),
    ],
)
def test_what_no_further_try_can_mend_fails_at_once_with_its_reason(
    resources: Resources,
    session: Session,
    diagnosis_id: str,
    use: UseStage,
    error: Exception,
    problem: dict[str, Any],
) -> None:
    def stage(context: StageContext) -> None:
        raise error

    use(stage)
    run(resources, diagnosis_id)
    row = session.get_one(DiagnosisRow, diagnosis_id)
    assert (row.status, row.error, row.attempts) == (Status.FAILED, problem, 1)


def test_a_crash_goes_back_to_the_queue_and_the_next_try_may_succeed(
    resources: Resources, session: Session, diagnosis_id: str, use: UseStage
) -> None:
    use(crash)
    with pytest.raises(ZeroDivisionError):
        run(resources, diagnosis_id)
    row = session.get_one(DiagnosisRow, diagnosis_id)
    assert (row.status, row.error) == (Status.QUEUED, None)
    session.rollback()
    use(write_result)
    run(resources, diagnosis_id)
    session.refresh(row)
    assert (row.status, row.attempts) == (Status.SUCCEEDED, 2)
    assert event_types(session, diagnosis_id) == ["queued", "running", "retrying", "running", "succeeded"]


def test_the_last_try_fails_with_what_happened_and_without_the_data_it_happened_on(
    resources: Resources, session: Session, diagnosis_id: str, use: UseStage
) -> None:
    use(crash)
    run(with_tries(resources, 1), diagnosis_id)
    row = session.get_one(DiagnosisRow, diagnosis_id)
    assert row.status == Status.FAILED
    assert row.error is not None
    assert row.error["type"] == "/problems/stage-crashed"
    assert "ZeroDivisionError" in row.error["detail"]
    assert "secret" not in str(row.error)


def test_a_full_disk_is_tried_again_and_named_in_the_end(
    resources: Resources, session: Session, diagnosis_id: str, use: UseStage
) -> None:
    def stage(context: StageContext) -> None:
        raise StorageFull("no room for 5 bytes")

    use(stage)
    with pytest.raises(StorageFull):
        run(with_tries(resources, 2), diagnosis_id)
    run(with_tries(resources, 2), diagnosis_id)
    row = session.get_one(DiagnosisRow, diagnosis_id)
    assert row.status == Status.FAILED
    assert row.error is not None
    assert row.error["type"] == "/problems/storage-exhausted"


def test_progress_stops_a_stage_that_was_asked_to_stop(
    resources: Resources, sessions: SessionFactory, session: Session, project: str, use: UseStage
) -> None:
    diagnosis_id = _committed_diagnosis(sessions, project)
    heard: list[str] = []

    def stage(context: StageContext) -> None:
        context.progress(0.1, "loading")
        with transaction(sessions) as person:
            lifecycle.cancel(person, DiagnosisRow, project, diagnosis_id)
        with pytest.raises(StageCancelled):
            context.progress(0.2, "embedding")
        heard.append("cancel")
        assert context.should_cancel()
        context.progress(0.3)
        raise AssertionError("a stage that was told to stop went on")

    use(stage)
    run(resources, diagnosis_id)
    row = session.get_one(DiagnosisRow, diagnosis_id)
    assert heard == ["cancel"]
    assert (row.status, row.error, row.summary) == (Status.CANCELLED, None, None)


def test_a_stage_that_never_looks_up_is_cancelled_before_its_result_is_kept(
    resources: Resources, sessions: SessionFactory, session: Session, project: str, use: UseStage
) -> None:
    diagnosis_id = _committed_diagnosis(sessions, project)

    def stage(context: StageContext) -> None:
        with transaction(sessions) as person:
            lifecycle.cancel(person, DiagnosisRow, project, diagnosis_id)
        write_result(context)

    use(stage)
    run(resources, diagnosis_id)
    row = session.get_one(DiagnosisRow, diagnosis_id)
    assert (row.status, row.summary) == (Status.CANCELLED, None)


def test_a_cancelled_stage_that_crashes_is_cancelled_by_the_next_try(
    resources: Resources, sessions: SessionFactory, session: Session, project: str, use: UseStage
) -> None:
    diagnosis_id = _committed_diagnosis(sessions, project)

    def stage(context: StageContext) -> None:
        with transaction(sessions) as person:
            lifecycle.cancel(person, DiagnosisRow, project, diagnosis_id)
        crash(context)

    use(stage)
    with pytest.raises(ZeroDivisionError):
        run(resources, diagnosis_id)
    run(resources, diagnosis_id)
    assert session.get_one(DiagnosisRow, diagnosis_id).status == Status.CANCELLED


def test_a_worker_that_is_told_to_end_puts_its_stage_back_without_counting_the_try(
    resources: Resources, session: Session, diagnosis_id: str, use: UseStage
) -> None:
    told: list[bool] = []

    def stage(context: StageContext) -> None:
        context.progress(0.1)
        told.append(True)
        assert context.should_cancel()
        context.progress(0.2)
        raise AssertionError("a stage that was told to stop went on")

    use(stage)
    with pytest.raises(JobAborted):
        run_stage(resources, Stage.DIAGNOSE, diagnosis_id, should_stop=lambda: bool(told))
    row = session.get_one(DiagnosisRow, diagnosis_id)
    assert (row.status, row.attempts, row.error, row.cancel_requested) == (Status.QUEUED, 0, None, False)
    session.rollback()
    use(write_result)
    run(resources, diagnosis_id)
    session.refresh(row)
    assert (row.status, row.attempts) == (Status.SUCCEEDED, 1)


def test_a_row_that_kills_its_worker_every_time_is_not_run_for_ever(
    resources: Resources, session: Session, diagnosis_id: str, use: UseStage
) -> None:
    runs: list[int] = []

    def stage(context: StageContext) -> None:
        runs.append(context.claim.attempts)
        raise KeyboardInterrupt  # nobody is left to write anything, as after a kill

    use(stage)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            run(with_tries(resources, 2), diagnosis_id)
    run(with_tries(resources, 2), diagnosis_id)
    row = session.get_one(DiagnosisRow, diagnosis_id)
    assert (runs, row.status) == ([1, 2], Status.FAILED)
    assert row.error is not None
    assert row.error["type"] == "/problems/attempts-exhausted"


def test_progress_reaches_the_database_once_a_second_and_with_every_step(
    resources: Resources, session: Session, diagnosis_id: str, use: UseStage
) -> None:
    seen: list[float] = []

    def stage(context: StageContext) -> None:
        half = context.span(0.0, 0.5)
        for fraction in (0.2, 0.4, 0.6):
            half(fraction)
            seen.append(session.get_one(DiagnosisRow, diagnosis_id, populate_existing=True).progress)
            session.rollback()
        context.progress(0.9, "saving")
        seen.append(session.get_one(DiagnosisRow, diagnosis_id, populate_existing=True).progress)
        session.rollback()
        assert not context.should_cancel()
        write_result(context)

    use(stage)
    run(resources, diagnosis_id)
    assert seen == [0.1, 0.1, 0.1, 0.9]
    assert event_types(session, diagnosis_id) == ["queued", "running", "progress", "succeeded"]


def test_a_stage_of_a_cycle_opens_the_next_one_and_a_broken_one_fails_it(
    resources: Resources, sessions: SessionFactory, session: Session, project: str, use: UseStage
) -> None:
    with transaction(sessions) as other:
        cycle_id = add_cycle(other, project).id
    use(write_result)
    cycle = session.get_one(CycleRow, cycle_id)
    run(resources, cycle.stages[0]["result_id"])
    session.refresh(cycle)
    assert (cycle.status, cycle.stage) == (Status.RUNNING, "repair")
    assert [stage for _, stage, _ in jobs(session)] == ["diagnose", "repair"]


def test_a_cycle_whose_stage_crashes_for_the_last_time_fails_with_that_reason(
    resources: Resources, sessions: SessionFactory, session: Session, project: str, use: UseStage
) -> None:
    with transaction(sessions) as other:
        cycle = add_cycle(other, project)
    use(crash)
    run(with_tries(resources, 1), cycle.stages[0]["result_id"])
    row = session.get_one(CycleRow, cycle.id)
    assert row.status == Status.FAILED
    assert row.error is not None
    assert row.error["type"] == "/problems/stage-crashed"


@pytest.mark.parametrize(("wait", "waits"), [(2, [2, 4, 8]), (3, [3, 6, 12])])
def test_a_worker_tries_again_after_waits_that_double_and_gives_up_with_the_reason(
    settings: Settings, session: Session, diagnosis_id: str, use: UseStage, wait: int, waits: list[int]
) -> None:
    use(crash)
    patient = settings.model_copy(update={"stage_attempts": 4, "retry_wait_seconds": wait})
    waited: list[int] = []
    for _ in range(4):
        asyncio.run(run_worker(patient, str(settings.database_url), [Queue.CPU], until_idle=True))
        left = session.scalar(
            text("SELECT scheduled_at - clock_timestamp() FROM procrastinate_jobs WHERE status = 'todo'")
        )
        if left is not None:
            assert isinstance(left, timedelta)
            waited.append(round(left.total_seconds() + 0.2))
            row = session.get_one(DiagnosisRow, diagnosis_id, populate_existing=True)
            assert (row.status, row.error) == (Status.QUEUED, None)
            session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = now()"))
        session.commit()
    row = session.get_one(DiagnosisRow, diagnosis_id, populate_existing=True)
    assert (row.status, row.attempts) == (Status.FAILED, 4)
    assert row.error is not None
    assert row.error["type"] == "/problems/stage-crashed"
    assert jobs(session) == []
    assert waited == waits


def _committed_diagnosis(sessions: SessionFactory, project: str) -> str:
    with transaction(sessions) as session:
        return add_diagnosis(session, project).id


def test_a_stage_that_says_nothing_for_long_is_heard_of_all_the_same(
    resources: Resources, session: Session, diagnosis_id: str, use: UseStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "EVERY_SECONDS", 0.05)

    def stage(context: StageContext) -> None:
        context.progress(0.4, "fitting")
        deadline = time.monotonic() + 30
        while event_types(session, diagnosis_id).count("progress") < 3 and time.monotonic() < deadline:
            session.rollback()
            time.sleep(0.02)
        write_result(context)

    use(stage)
    run(resources, diagnosis_id)
    session.rollback()
    told = event_types(session, diagnosis_id)
    assert told[:2] == ["queued", "running"]
    assert told[-1] == "succeeded"  # nothing is said after the end
    assert told.count("progress") >= 3
    rows = session.scalars(
        select(EventRow).where(EventRow.subject_id == diagnosis_id, EventRow.type == "progress")
    )
    beats = [row.data for row in rows if "seconds" in row.data]
    assert {(beat["step"], beat["progress"]) for beat in beats} == {("fitting", 0.4)}
    assert [beat["seconds"] for beat in beats] == sorted(beat["seconds"] for beat in beats)
