"""A fine-tuning job's files become dataset versions and are audited; a training is queued. What a worker saves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.artifacts import ArtifactNotFound, ArtifactStore
from app.db.base import new_id
from app.db.models import (
    DatasetVersionRow,
    ExampleRow,
    FineTuningJobRow,
    ImportRow,
    RepairRow,
    VersionChangeRow,
    VersionExampleRow,
)
from app.db.repositories.pages import PageRequest
from app.domain.job_status import Status
from app.domain.repair.plan import RepairPlan
from app.errors import StageError
from app.services.fine_tuning import audit, files, job_events, jobs, training_side
from app.services.repairs import applying, open_questions, plans
from app.services.versions import datasets, imports, version_diff, versions
from app.services.versions.upload_reading import AUTO
from app.services.versions.versions import Change, ChangeKind
from app.services.work import work
from app.settings import Settings

SHOWN: Final = 20


class InvalidFile(StageError):
    """A file of the job is at fault; ``param`` names the job's field."""

    def __init__(self, detail: str, *, type: str, param: str) -> None:
        super().__init__(detail, type=type, title="The file cannot be used")
        self.param = param

    def as_problem(self) -> dict[str, Any]:
        return {**super().as_problem(), "param": self.param}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a job that names a file, and the column that keeps the version of it."""

    file: str
    version: str


TRAINING: Final = Field(file="training_file", version="training_version_id")
VALIDATION: Final = Field(file="validation_file", version="validation_version_id")


def import_file(
    session: Session,
    store: ArtifactStore,
    job: FineTuningJobRow,
    field: Field,
    *,
    progress: Callable[[float], None],
    now: datetime,
    settings: Settings,
) -> str:
    """The id of the version that the file becomes, in the caller's transaction. Raises InvalidFile."""
    file_id = str(getattr(job, field.file))
    file = files.find(session, job.project_id, file_id, now)
    if file is None:
        raise InvalidFile(
            f"{file_id} was deleted before it was read", type="file-not-found", param=field.file
        )
    dataset = datasets.create(session, job.project_id, name=f"{file.filename[:150]} ({file.id})")
    row = ImportRow(
        project_id=job.project_id,
        dataset_id=dataset.id,
        upload_uri=file.uri,
        upload_bytes=file.bytes,
        format=AUTO,
        status=Status.SUCCEEDED.value,
        progress=1.0,
        started_at=now,
    )
    session.add(row)
    session.flush()
    try:
        imports.run_import(
            session, store, row, progress=progress, should_cancel=lambda: False, settings=settings
        )
    except ArtifactNotFound:
        detail = f"the bytes of {file_id} are no longer kept; upload it again"
        raise InvalidFile(detail, type="file-not-found", param=field.file) from None
    except StageError as error:
        raise InvalidFile(f"{file_id}: {error.detail}", type=error.type, param=field.file) from error
    row.finished_at = work.now()
    version_id = str(row.dataset_version_id)
    _require_pairs(session, job, field, version_id)
    _tell_import(session, job, field, row)
    return version_id


def _require_pairs(session: Session, job: FineTuningJobRow, field: Field, version_id: str) -> None:
    """Preference training needs rows with two answers."""
    pairs, rows = session.execute(
        select(func.count(ExampleRow.rejected), func.count())
        .join(VersionExampleRow, VersionExampleRow.example_id == ExampleRow.id)
        .where(VersionExampleRow.version_id == version_id)
    ).one()
    name = getattr(job, field.file)
    if job.method == "dpo" and not pairs:
        raise InvalidFile(
            f"{name}: no row has two answers; a row for dpo has the keys input, preferred_output and "
            "non_preferred_output",
            type="no-good-rows",
            param=field.file,
        )
    if job.method == "dpo" and pairs < rows:
        said = f"{rows - pairs} of {rows} rows of {name} have one answer only and are not learnt from"
        job_events.say(session, job, said, level="warn", field=field.file, rows=rows - pairs)


def _tell_import(session: Session, job: FineTuningJobRow, field: Field, row: ImportRow) -> None:
    name = getattr(job, field.file)
    if row.rows_rejected:
        first = row.errors[0]
        job_events.say(
            session,
            job,
            f"{row.rows_rejected} of {row.rows_total} rows of {name} cannot be used and are left out; line "
            f"{first['line']}: {first['message']}",
            level="warn",
            topic="rejected_rows",
            field=field.file,
            rows=row.rows_rejected,
            examples=row.errors[:SHOWN],
            url=f"/v1/imports/{row.id}",
        )
    said = f"{row.rows_accepted} rows of {name} read as {row.format}"
    job_events.say(
        session,
        job,
        said,
        field=field.file,
        rows=row.rows_accepted,
        dataset_version_id=row.dataset_version_id,
    )


def planned_repair(job: FineTuningJobRow) -> RepairRow:
    """The plan's row, to be filled and stored: the training version is held against the validation version."""
    return RepairRow(
        id=new_id("rp"),
        project_id=job.project_id,
        dataset_version_id=job.training_version_id,
        evaluation_dataset_version_id=job.validation_version_id,
        policy={},
    )


def save(session: Session, job: FineTuningJobRow, repair: RepairRow, plan: RepairPlan) -> None:
    """Store the plan, tell what it found, apply it where the job asks for that, and queue the training."""
    repair.status, repair.progress = Status.SUCCEEDED.value, 1.0
    repair.started_at = repair.finished_at = work.now()
    session.add(repair)
    session.flush()
    plans.save_plan(session, repair, plan)
    job.repair_id = repair.id
    told = list(audit.told(plan.actions, repair.id))
    for found in told:
        job_events.say(
            session, job, found.message, level="warn" if found.topic.warns else "info", **found.data
        )
    if not told:
        job_events.say(session, job, "The audit found nothing to change", url=f"/repairs/{repair.id}")
    version = versions.require_alive(session, str(job.training_version_id))
    if job.repair:
        version = _repaired(session, job, repair, version)
    job.trained_version_id = version.id
    made = training_side.start(
        session, job, dataset_version_id=version.id, hyperparameters=jobs.config_of(job)
    )
    job.training_job_id = made.id
    session.flush()


def _repaired(
    session: Session, job: FineTuningJobRow, repair: RepairRow, parent: DatasetVersionRow
) -> DatasetVersionRow:
    """What the policy decided is applied; rows in question stay out of the training until a person answers."""
    version = applying.apply(session, job.project_id, repair.id)
    became = {
        change.previous_example_id: change.example_id
        for change in _changes(session, version)
        if change.kind == ChangeKind.CHANGED
    }
    questions = open_questions.of_repair(session, repair.id)
    waiting = versions.load_by_ids(session, version.id, [became.get(i) or i for i in questions.kept_out])
    if waiting and len(waiting) == version.rows:
        raise StageError(
            f"the plan asks a person about every row that is left; answer at /repairs/{repair.id}",
            type="no-good-rows",
        )
    kept_out = [
        Change(
            kind=ChangeKind.REMOVED.value,
            previous_example_id=row.id,
            reason="left out until the question about it is answered",
        )
        for row in waiting
    ]
    if kept_out:
        recipe = {"kind": "open_questions", "repair_id": repair.id}
        version = versions.create_child(session, version, changes=kept_out, recipe=recipe)
    _tell_repair(session, job, repair, parent, version, len(kept_out))
    return version


def _tell_repair(
    session: Session,
    job: FineTuningJobRow,
    repair: RepairRow,
    parent: DatasetVersionRow,
    version: DatasetVersionRow,
    kept_out: int,
) -> None:
    if version.id == parent.id:
        job_events.say(session, job, "Repair: no row was changed", repair_id=repair.id)
        return
    found = version_diff.diff(session, job.project_id, version.id, parent.id, PageRequest(limit=SHOWN))
    counts = ", ".join(f"{count} {kind}" for kind, count in found.counts.items())
    changes = [*found.removed, *found.changed, *found.added]
    job_events.say(
        session,
        job,
        f"Repaired before the training: of {parent.rows} rows {counts}; {kept_out} of those removed wait for the "
        "answer to a question",
        rows=version.rows,
        counts=found.counts,
        rows_in_question=kept_out,
        changes=[{"kind": c.kind, "reason": c.reason, "before": c.before, "after": c.after} for c in changes],
        repair_id=repair.id,
        dataset_version_id=version.id,
        url=f"/v1/dataset-versions/{version.id}/diff?against={parent.id}",
    )


def _changes(session: Session, version: DatasetVersionRow) -> list[VersionChangeRow]:
    return list(
        session.scalars(
            select(VersionChangeRow)
            .where(VersionChangeRow.version_id == version.id)
            .order_by(VersionChangeRow.ordinal)
        )
    )
