"""A delivery of another tool becomes bad cases. Its body lies in the store since it came."""

from __future__ import annotations

from dataclasses import asdict

from app.db.models import IntegrationDeliveryRow, IntegrationRow
from app.db.session import transaction
from app.domain.integrations.mapping import FieldMapping
from app.errors import StageError
from app.services.integrations import applying, integrations
from app.services.integrations.applying import SHOWN_ROWS, Applied, Became
from app.services.integrations.deliveries import CHANGED
from app.services.work import work
from workers.context import StageContext


class NothingApplied(Exception):
    """Records came, and not one of them could be read or accepted."""

    def __init__(self, applied: Applied) -> None:
        super().__init__()
        self.applied = applied


def run(context: StageContext) -> None:
    with context.reading() as session:
        delivery = session.get_one(IntegrationDeliveryRow, context.claim.subject_id)
        integration = session.get_one(IntegrationRow, delivery.integration_id)
    try:
        _apply(context, delivery, integration)
    except NothingApplied as error:
        with transaction(context.sessions) as session:
            row = work.held(session, context.claim)
            assert isinstance(row, IntegrationDeliveryRow)
            _note(row, error.applied)
        raise StageError(
            _first_problem(error.applied), type="nothing-accepted", title="No record was accepted"
        ) from error


def _apply(context: StageContext, delivery: IntegrationDeliveryRow, integration: IntegrationRow) -> None:
    reading = applying.read(integrations.tool_of(integration.tool), _body(context, delivery))
    understood = applying.understand(
        reading,
        integrations.mapping_of(integration),
        FieldMapping.from_dict(integration.mapping),
        integration,
    )
    with context.saving() as (session, row):
        assert isinstance(row, IntegrationDeliveryRow)
        applied = applying.apply(session, integration.id, understood, reading)
        if _problems(applied) and not any(applied.counts.get(name) for name in CHANGED):
            raise NothingApplied(applied)
        _note(row, applied)


def _body(context: StageContext, delivery: IntegrationDeliveryRow) -> bytes:
    assert delivery.uri is not None
    with context.store.open(delivery.uri) as file:
        return file.read()


def _note(row: IntegrationDeliveryRow, applied: Applied) -> None:
    row.counts = {"records": len(applied.rows), **applied.counts}
    # What went wrong comes first: a long list is cut.
    ordered = sorted(applied.rows, key=lambda r: r.status not in (Became.REJECTED, Became.UNREADABLE))
    row.rows = [{k: v for k, v in asdict(r).items() if k != "case"} for r in ordered[:SHOWN_ROWS]]
    row.note = applied.note


def _problems(applied: Applied) -> int:
    return applied.counts.get(Became.REJECTED, 0) + applied.counts.get(Became.UNREADABLE, 0)


def _first_problem(applied: Applied) -> str:
    first = next(r for r in applied.rows if r.status in (Became.REJECTED, Became.UNREADABLE))
    return (
        f"{_problems(applied)} of {len(applied.rows)} records could not be taken; the first: {first.reason}"
    )
