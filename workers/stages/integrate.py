"""A delivery of another tool becomes bad cases, its body kept before it is read; a push goes the other way."""

from __future__ import annotations

import json
from dataclasses import asdict

from app.db.models import IntegrationDeliveryRow, IntegrationRow
from app.db.session import transaction
from app.domain.integrations import label_studio_tasks
from app.domain.integrations.mapping import FieldMapping
from app.errors import StageError
from app.services.integrations import applying, integrations, pushing
from app.services.integrations.applying import SHOWN_ROWS, Applied, Became
from app.services.integrations.deliveries import CHANGED, Origin
from app.services.work import work
from workers.context import StageContext
from workers.integrations.label_studio import LabelStudio


class NothingApplied(Exception):
    """Records came, and not one of them could be read or accepted."""

    def __init__(self, applied: Applied) -> None:
        super().__init__()
        self.applied = applied


def run(context: StageContext) -> None:
    with context.reading() as session:
        delivery = session.get_one(IntegrationDeliveryRow, context.claim.subject_id)
        integration = session.get_one(IntegrationRow, delivery.integration_id)
    if delivery.origin == Origin.PUSH:
        _push(context, delivery, integration)
        return
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
    is_pull = delivery.origin == Origin.PULL
    body = _pulled(context, integration) if is_pull else _body(context, delivery)
    reading = applying.read(integrations.tool_of(integration.tool), body)
    user_mapping = FieldMapping.from_dict(integration.mapping)
    understood = applying.understand(reading, integrations.mapping_of(integration), user_mapping, integration)
    with context.saving() as (session, row):
        assert isinstance(row, IntegrationDeliveryRow)
        applied = applying.apply(session, integration.id, understood, reading, is_everything=is_pull)
        if _problems(applied) and not any(applied.counts.get(name) for name in CHANGED):
            raise NothingApplied(applied)
        _note(row, applied)
        row.note = row.note or applying.missing_note(user_mapping, reading)


def _pulled(context: StageContext, integration: IntegrationRow) -> bytes:
    """What the tool has now; kept before it is read, as what it sends is."""
    context.progress(0.0, "calling the tool")
    body = _tool(context, integration).export(str(integration.source_project))
    _keep(context, body)
    return body


def _push(context: StageContext, delivery: IntegrationDeliveryRow, integration: IntegrationRow) -> None:
    options = delivery.options or {}
    project = str(options.get("source_project") or integration.source_project)
    with context.reading() as session:
        diagnosis_id, repair_id = options.get("diagnosis_id"), options.get("repair_id")
        items = (
            pushing.of_diagnosis(session, integration, diagnosis_id)
            if diagnosis_id
            else pushing.of_repair(session, str(repair_id))
        )
    context.progress(0.1, "calling the tool")
    tool = _tool(context, integration)
    try:
        push = label_studio_tasks.push_of(
            items,
            integrations.mapping_of(integration),
            tool.project(project),
            model_version=f"casemend {diagnosis_id or repair_id}",
        )
    except label_studio_tasks.CannotPush as error:
        raise StageError(str(error), type="cannot-push", title="The project cannot show this") from error
    _keep(context, json.dumps(asdict(push), ensure_ascii=False).encode())
    if push.tasks:
        tool.add_tasks(project, push.tasks)
    if push.predictions:
        tool.add_predictions(project, push.predictions)
    with context.saving() as (_, row):
        assert isinstance(row, IntegrationDeliveryRow)
        row.counts = {"records": len(items), "pushed": len(push.tasks) + len(push.predictions)}
        row.note = None if items else "there is nothing to ask a person about"


def _tool(context: StageContext, integration: IntegrationRow) -> LabelStudio:
    return LabelStudio(
        url=str(integration.url),
        token=str(integration.token),
        allow_private=context.settings.integrations_allow_private,
        max_bytes=context.settings.body_limit_bytes,
    )


def _keep(context: StageContext, body: bytes) -> None:
    artifact = context.store.put_bytes(body)
    with transaction(context.sessions) as session:
        row = work.held(session, context.claim)
        assert isinstance(row, IntegrationDeliveryRow)
        row.uri, row.size_bytes = artifact.uri, artifact.size_bytes


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
