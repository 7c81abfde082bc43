"""An upload becomes a dataset version: all of it in one transaction, or nothing of it."""

from __future__ import annotations

from typing import cast

from app.db.models import ImportRow
from app.db.session import transaction
from app.domain.job_status import Status
from app.errors import StageCancelled, StageError
from app.services.versions import imports
from app.services.work import lifecycle, work
from workers.context import StageContext


def run(context: StageContext) -> None:
    try:
        _import(context)
    except StageError as error:
        with transaction(context.sessions) as session:
            imports.note_failure(cast("ImportRow", work.held(session, context.claim)), error)
        raise


def _import(context: StageContext) -> None:
    with transaction(context.sessions) as session:
        row = session.get_one(ImportRow, context.claim.subject_id)
        imports.run_import(
            session,
            context.store,
            row,
            progress=context.progress,
            should_cancel=lambda: False,  # progress() raises when somebody asked for a stop
            settings=context.settings,
        )
        session.flush()
        held = work.held(session, context.claim, to_finish=True)
        if held.cancel_requested:
            raise StageCancelled(held.id)
        lifecycle.finish(session, held, Status.SUCCEEDED)
