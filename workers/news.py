"""Messages to webhooks, sent: many wait at once for slow endpoints, in the event loop, and hold no stage up."""

from __future__ import annotations

import asyncio
import random
import time
from datetime import UTC, datetime
from typing import Final

import httpx
import procrastinate

from app.db.session import transaction
from app.logging import get_logger
from app.outside_urls import AsyncPublicTransport, RefusedUrl
from app.queue import DELIVER, NEWS_QUEUE
from app.services.webhooks import deliveries
from app.services.webhooks.deliveries import Outcome, Outgoing
from app.settings import Settings
from workers.context import Resources

log = get_logger(__name__)

ANSWER_SECONDS: Final = 15.0
"""From the look-up of the name to the head of the answer; its body is not read."""

SENT_AT_ONCE: Final = 8


def add_task(app: procrastinate.App, resources: Resources, retry: procrastinate.BaseRetryStrategy) -> None:
    @app.task(name=DELIVER, retry=retry)
    async def deliver(*, delivery_id: str) -> None:
        await deliver_once(resources, delivery_id)


async def run(app: procrastinate.App, settings: Settings) -> None:
    """Send until cancelled."""
    await app.run_worker_async(
        name="news",
        queues=[NEWS_QUEUE],
        concurrency=SENT_AT_ONCE,
        fetch_job_polling_interval=1.0,
        update_heartbeat_interval=settings.heartbeat_seconds,
        stalled_worker_timeout=settings.stalled_seconds,
        listen_notify=False,
        install_signal_handlers=False,
        delete_jobs="successful",
        shutdown_graceful_timeout=1.0,
    )


async def deliver_once(resources: Resources, delivery_id: str) -> None:
    def begin() -> Outgoing | None:
        with transaction(resources.sessions) as session:
            return deliveries.begin(session, delivery_id, now=datetime.now(UTC))

    outgoing = await asyncio.to_thread(begin)
    if outgoing is None:
        return
    outcome = await send(outgoing, allow_private=resources.settings.webhooks_allow_private)
    log.info("webhook.sent", delivery=delivery_id, status=outcome.response_code, error=outcome.error)

    def end() -> None:
        with transaction(resources.sessions) as session:
            deliveries.end(session, delivery_id, outgoing, outcome, jitter=random.random())  # noqa: S311

    await asyncio.to_thread(end)


async def send(outgoing: Outgoing, *, allow_private: bool, answer_seconds: float = ANSWER_SECONDS) -> Outcome:
    """Call the URL once. Any answer of 200 to 299 is a receipt; a redirect is none."""
    started_at, started = datetime.now(UTC), time.monotonic()
    code: int | None = None
    error: str | None = None
    try:
        async with (
            asyncio.timeout(answer_seconds),
            httpx.AsyncClient(
                transport=AsyncPublicTransport(allow_private=allow_private), timeout=answer_seconds
            ) as client,
            client.stream("POST", outgoing.url, content=outgoing.body, headers=outgoing.headers) as answer,
        ):
            code = answer.status_code
        if not 200 <= code < 300:
            error = f"it answered {code}" + ("; redirects are not followed" if 300 <= code < 400 else "")
    except TimeoutError:
        error = f"no answer within {answer_seconds:g} s"
    except RefusedUrl as refused:
        error = refused.detail
    except httpx.HTTPError as failed:
        error = f"the call failed: {type(failed).__name__}"
    return Outcome(
        response_code=code,
        error=error,
        started_at=started_at,
        milliseconds=round((time.monotonic() - started) * 1000),
    )
