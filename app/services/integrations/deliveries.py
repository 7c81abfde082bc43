"""Deliveries: stored before they are understood, listed, shown, and replayed."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from sqlalchemy.orm import Session

from app.artifacts import Artifact
from app.db.models import IntegrationDeliveryRow, IntegrationRow
from app.domain.job_status import Status
from app.errors import Conflict, NotFound
from app.queue import Stage
from app.services.work import work

_KEPT_HEADERS: Final = ("content-type", "content-encoding", "user-agent", "x-request-id")


class Origin(StrEnum):
    WEBHOOK = "webhook"
    UPLOAD = "upload"
    PULL = "pull"
    PUSH = "push"


class DeliveryState(StrEnum):
    """``received``: not understood yet. ``ignored``: well formed, and nothing in it was for us."""

    RECEIVED = "received"
    APPLIED = "applied"
    IGNORED = "ignored"
    FAILED = "failed"


CHANGED: Final = ("created", "updated", "unchanged", "withdrawn", "pushed")


def state_of(row: IntegrationDeliveryRow) -> DeliveryState:
    status = Status(row.status)
    if not status.is_final:
        return DeliveryState.RECEIVED
    if status is not Status.SUCCEEDED:
        return DeliveryState.FAILED
    did = any(row.counts.get(name) for name in CHANGED)
    return DeliveryState.APPLIED if did else DeliveryState.IGNORED


def receive(
    session: Session,
    integration: IntegrationRow,
    body: Artifact,
    *,
    origin: Origin,
    headers: Mapping[str, str],
) -> IntegrationDeliveryRow:
    """Write a body down that lies in the store, and have it read."""
    row = _new(integration, origin)
    row.uri, row.size_bytes = body.uri, body.size_bytes
    row.headers = {name: headers[name][:500] for name in _KEPT_HEADERS if name in headers}
    work.enqueue(session, Stage.INTEGRATE, row)
    return row


def start(
    session: Session, integration: IntegrationRow, origin: Origin, options: Mapping[str, Any]
) -> IntegrationDeliveryRow:
    """A pull or a push: the body comes with the call that the worker makes."""
    row = _new(integration, origin)
    row.options = dict(options)
    work.enqueue(session, Stage.INTEGRATE, row)
    return row


def get(session: Session, project_id: str, delivery_id: str) -> IntegrationDeliveryRow:
    row = session.get(IntegrationDeliveryRow, delivery_id)
    if row is None or row.project_id != project_id:
        raise NotFound(f"no delivery {delivery_id} in this project")
    return row


def replay(session: Session, project_id: str, delivery_id: str) -> IntegrationDeliveryRow:
    """The same body once more, as a delivery of its own, read with the mapping of today."""
    old = get(session, project_id, delivery_id)
    if not Status(old.status).is_final:
        raise Conflict(f"{delivery_id} is {old.status}: it has not been read yet")
    integration = session.get_one(IntegrationRow, old.integration_id)
    row = _new(integration, Origin(old.origin))
    row.uri, row.size_bytes, row.headers = old.uri, old.size_bytes, dict(old.headers)
    row.options, row.replay_of = old.options, old.id
    work.enqueue(session, Stage.INTEGRATE, row)
    return row


def _new(integration: IntegrationRow, origin: Origin) -> IntegrationDeliveryRow:
    return IntegrationDeliveryRow(
        project_id=integration.project_id,
        integration_id=integration.id,
        tool=integration.tool,
        origin=origin.value,
        headers={},
        size_bytes=0,
        counts={},
        rows=[],
    )
