"""Webhooks as a user sets them up, and their deliveries as a user sees them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import queue
from app.db.models import WebhookDeliveryRow, WebhookRow
from app.db.repositories.pages import Page, PageRequest, by_creation
from app.errors import Conflict, NotFound
from app.outside_urls import RefusedUrl, check_public
from app.services.webhooks import signing
from app.services.webhooks.news import DeliveryStatus, NewsType

BOTH_SECRETS_FOR: Final = timedelta(hours=24)
MAX_WEBHOOKS: Final = 50


def check_url(url: str, *, allow_private: bool) -> None:
    """Raises RefusedUrl. Resolves the host: call it before the transaction has begun."""
    if not url.startswith("https://") and not allow_private:
        raise RefusedUrl(
            "url: only https:// is called; the operator of this service can allow http:// as well"
        )
    check_public(url, allow_private=allow_private)


def create(session: Session, project_id: str, *, url: str, types: Sequence[NewsType]) -> WebhookRow:
    existing = session.scalars(select(WebhookRow.id).where(WebhookRow.project_id == project_id)).all()
    if len(existing) >= MAX_WEBHOOKS:
        raise Conflict(f"a project has at most {MAX_WEBHOOKS} webhooks; delete one first")
    row = WebhookRow(
        project_id=project_id,
        url=url,
        types=[t.value for t in dict.fromkeys(types)],
        secret=signing.new_secret(),
    )
    session.add(row)
    session.flush()
    return row


def get(session: Session, project_id: str, webhook_id: str) -> WebhookRow:
    row = session.get(WebhookRow, webhook_id)
    if row is None or row.project_id != project_id:
        raise NotFound(f"no webhook {webhook_id} in this project")
    return row


def change(
    session: Session,
    project_id: str,
    webhook_id: str,
    *,
    url: str | None = None,
    types: Sequence[NewsType] | None = None,
    enabled: bool | None = None,
) -> WebhookRow:
    """Set what is given. What is on its way to a webhook follows it to a new URL, and dies where it is disabled."""
    row = get(session, project_id, webhook_id)
    if url is not None:
        row.url = url
    if types is not None:
        row.types = [t.value for t in dict.fromkeys(types)]
    if enabled is not None:
        row.enabled = enabled
        row.disabled_reason = None
    session.flush()
    return row


def rotate_secret(session: Session, project_id: str, webhook_id: str) -> WebhookRow:
    """A new secret; the one before it signs beside it for a day."""
    row = get(session, project_id, webhook_id)
    row.previous_secret, row.previous_until = row.secret, datetime.now(UTC) + BOTH_SECRETS_FOR
    row.secret = signing.new_secret()
    session.flush()
    return row


def delete(session: Session, project_id: str, webhook_id: str) -> None:
    session.delete(get(session, project_id, webhook_id))
    session.flush()


def list_deliveries(
    session: Session,
    project_id: str,
    webhook_id: str,
    page: PageRequest,
    *,
    status: DeliveryStatus | None = None,
    type: NewsType | None = None,
) -> Page[WebhookDeliveryRow]:
    get(session, project_id, webhook_id)
    row = WebhookDeliveryRow
    statement = select(row).where(row.webhook_id == webhook_id)
    if status is not None:
        statement = statement.where(row.status == status.value)
    if type is not None:
        statement = statement.where(row.type == type.value)
    return by_creation(session, statement, row, page)


def retry(session: Session, project_id: str, webhook_id: str, delivery_id: str) -> WebhookDeliveryRow:
    """Send a message again that was delivered or given up: another round of tries, from now."""
    webhook = get(session, project_id, webhook_id)
    row = session.get(WebhookDeliveryRow, delivery_id, with_for_update=True)
    if row is None or row.webhook_id != webhook.id:
        raise NotFound(f"no delivery {delivery_id} of this webhook")
    if row.status == DeliveryStatus.PENDING:
        raise Conflict(f"{delivery_id} is on its way; its next try is at {row.next_attempt_at}")
    if not webhook.enabled:
        raise Conflict(f"webhook {webhook_id} is disabled; enable it first")
    row.status, row.tries, row.next_attempt_at = DeliveryStatus.PENDING.value, 0, datetime.now(UTC)
    queue.defer_delivery(session, row.id)
    return row
