"""May this file be trained on? A fine-tuning job in; its files as versions, what is wrong in them, a training out."""

from __future__ import annotations

from app.db.models import FineTuningJobRow
from app.db.session import transaction
from app.services.fine_tuning import validation
from app.services.fine_tuning.validation import TRAINING, VALIDATION, Field
from app.services.work import work
from workers import planning
from workers.context import StageContext


def run(context: StageContext) -> None:
    for field in (VALIDATION, TRAINING):
        import_file(context, field)
    repair = validation.planned_repair(load(context))
    plan = planning.plan_of(context, repair)
    with context.saving() as (session, row):
        assert isinstance(row, FineTuningJobRow)
        validation.save(session, row, repair, plan)


def load(context: StageContext) -> FineTuningJobRow:
    with context.reading() as session:
        return session.get_one(FineTuningJobRow, context.claim.subject_id)


def import_file(context: StageContext, field: Field) -> None:
    """The file as a version, once: a run that takes over finds it."""
    job = load(context)
    if getattr(job, field.file) is None or getattr(job, field.version) is not None:
        return
    context.progress(0.0, f"reading {field.file.replace('_', ' ')}")
    with transaction(context.sessions) as session:
        version_id = validation.import_file(
            session,
            context.store,
            session.get_one(FineTuningJobRow, job.id),
            field,
            progress=context.span(0.0, 0.05),
            now=work.now(),
            settings=context.settings,
        )
        held = work.held(session, context.claim)
        setattr(held, field.version, version_id)
