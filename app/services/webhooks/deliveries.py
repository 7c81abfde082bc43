"""One try of one message: what is sent, and what its answer means. The sending itself is the worker's.

Two transactions around a call: a worker killed between them leaves the message pending, and the queue sends it again
under the same id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from app import queue
from app.db.models import WebhookDeliveryRow, WebhookRow
from app.services.webhooks import signing
from app.services.webhooks.news import DeliveryStatus

FIRST_WAIT_SECONDS: Final = 5
MAX_TRIES: Final = 9
"""Waits of 5 s, then four times as long each: the last try comes 30 hours after the first."""

KEPT_ATTEMPTS: Final = 50
GONE: Final = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """``tries``: how many this round had before; what makes the end of an outdated try void."""

    url: str
    body: bytes
    headers: dict[str, str]
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """``response_code`` None = no answer came. ``error`` None = delivered."""

    response_code: int | None
    error: str | None
    started_at: datetime
    milliseconds: int


def begin(session: Session, delivery_id: str, *, now: datetime) -> Outgoing | None:
    """What to send, or None when there is nothing left to do for this job."""
    row = session.get(WebhookDeliveryRow, delivery_id, with_for_update=True)
    if row is None or row.status != DeliveryStatus.PENDING:
        return None
    webhook = session.get_one(WebhookRow, row.webhook_id)
    if not webhook.enabled:
        row.status, row.next_attempt_at = DeliveryStatus.DEAD.value, None
        return None
    keys = [webhook.secret]
    if webhook.previous_secret and webhook.previous_until and webhook.previous_until > now:
        keys.append(webhook.previous_secret)
    body = row.body.encode()
    headers = {"content-type": "application/json", **signing.headers(row.id, body, keys, now=now)}
    return Outgoing(url=webhook.url, body=body, headers=headers, tries=row.tries)


def end(session: Session, delivery_id: str, outgoing: Outgoing, outcome: Outcome, *, jitter: float) -> None:
    """Write down how a try went; a failed one defers the next. ``jitter`` 0..1 spreads it."""
    row = session.get(WebhookDeliveryRow, delivery_id, with_for_update=True)
    if row is None or row.status != DeliveryStatus.PENDING or row.tries != outgoing.tries:
        return  # deleted, or another worker has taken this try over and ended it
    row.tries += 1
    row.response_code = outcome.response_code
    attempt = {
        "at": outcome.started_at.isoformat(),
        "response_code": outcome.response_code,
        "error": outcome.error,
        "milliseconds": outcome.milliseconds,
    }
    row.attempts = [*row.attempts, attempt][-KEPT_ATTEMPTS:]
    row.next_attempt_at = None
    if outcome.error is None:
        row.status, row.delivered_at = DeliveryStatus.SUCCEEDED.value, datetime.now(UTC)
    elif outcome.response_code == GONE or row.tries >= MAX_TRIES:
        row.status = DeliveryStatus.DEAD.value
    else:
        wait = delay_before(row.tries, jitter=jitter)
        row.next_attempt_at = datetime.now(UTC) + wait
        queue.defer_delivery(session, row.id, delay=wait)
    if outcome.response_code == GONE:
        webhook = session.get_one(WebhookRow, row.webhook_id)
        webhook.enabled, webhook.disabled_reason = False, "it answered 410: gone for good"
    session.flush()


def delay_before(tries: int, *, jitter: float) -> timedelta:
    """Exponential back-off after ``tries`` failed ones (1 or more), spread by up to a tenth either way."""
    return timedelta(seconds=FIRST_WAIT_SECONDS * 4 ** (tries - 1) * (0.9 + 0.2 * jitter))


def defer_lost(session: Session) -> list[str]:
    """Messages on their way that no job in the queue stands for; each gets a new one."""
    lost = session.scalars(
        text(
            "SELECT delivery.id FROM webhook_deliveries AS delivery WHERE delivery.status = 'pending'"
            " AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs AS job"
            " WHERE job.lock = delivery.id AND job.status IN ('todo', 'doing'))"
            " FOR UPDATE OF delivery SKIP LOCKED"
        )
    ).all()
    for delivery_id in lost:
        queue.defer_delivery(session, delivery_id)
    return list(lost)
