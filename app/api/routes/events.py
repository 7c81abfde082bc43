"""What happened to a piece of long work: as a list, or as a stream that ends when the work does."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from app.api.dependencies import DatabaseSession, Limit, Reader, Sessions
from app.api.schemas.common import Id, ListOf
from app.api.schemas.datasets import Event
from app.api.transaction_route import TransactionRoute
from app.db.models import EventRow
from app.db.session import SessionFactory
from app.errors import InvalidInput
from app.services import events

router = APIRouter(prefix="/v1", tags=["events"], route_class=TransactionRoute)

_EVENT_STREAM = "text/event-stream"
_POLL_SECONDS = 0.5
_KEEP_ALIVE_SECONDS = 15.0
_BATCH_EVENTS = 500
_LARGEST_ID = 2**63 - 1
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "model": ListOf[Event],
        "description": "The events so far, or with Accept: text/event-stream every event as it happens.",
        "content": {_EVENT_STREAM: {"schema": {"type": "string"}}},
    }
}


def _event_id(name: str, value: str | None) -> int:
    if value is None or value == "":
        return 0
    if not (value.isascii() and value.isdigit()) or len(value) > 19 or int(value) > _LARGEST_ID:
        detail = f"{name} is no event id; send the last one that you got"
        raise InvalidInput(detail, errors=[{"pointer": f"/{name}", "message": detail}])
    return int(value)


def _endpoint(noun: str) -> Callable[..., Response]:
    def list_events(
        subject_id: Id,
        caller: Reader,
        session: DatabaseSession,
        sessions: Sessions,
        limit: Limit = 100,
        after: Annotated[str | None, Query(max_length=20)] = None,
        accept: Annotated[str, Header(include_in_schema=False)] = "",
        last_event_id: Annotated[str | None, Header(max_length=20)] = None,
    ) -> Response:
        events.require_subject(session, caller.project_id, noun, subject_id)
        if _EVENT_STREAM in accept.lower():
            start = _event_id("Last-Event-ID", last_event_id) or _event_id("after", after)
            stream = _stream(sessions, noun, subject_id, start)
            headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
            return StreamingResponse(stream, media_type=_EVENT_STREAM, headers=headers)
        rows = events.after(session, subject_id, after_id=_event_id("after", after), limit=limit + 1)
        page = ListOf[Event](
            data=[Event.model_validate(row) for row in rows[:limit]],
            has_more=len(rows) > limit,
            next_after=str(rows[limit - 1].id) if len(rows) > limit else None,
        )
        return Response(page.model_dump_json(), media_type="application/json")

    return list_events


for _noun in events.SUBJECTS:
    router.add_api_route(
        f"/{_noun}/{{subject_id}}/events",
        _endpoint(_noun),
        methods=["GET"],
        responses=_RESPONSES,
        name=f"list_events_of_{_noun.replace('-', '_')}",
        summary=f"Events of {_noun}",
        response_class=Response,
    )


def _read(sessions: SessionFactory, noun: str, subject_id: str, after_id: int) -> tuple[list[EventRow], bool]:
    """The next events, and whether there will be no more."""
    with sessions() as session:
        # Asked first: an event written between the two questions is then still found.
        ended = events.is_final(session, noun, subject_id)
        rows = list(events.after(session, subject_id, after_id=after_id, limit=_BATCH_EVENTS))
        return rows, ended and len(rows) < _BATCH_EVENTS


async def _stream(
    sessions: SessionFactory, noun: str, subject_id: str, after_id: int
) -> AsyncIterator[bytes]:
    """Server-sent events. Between two looks nothing is held: no thread, no connection."""
    spoke_at = time.monotonic()
    yield b"retry: 2000\n\n"
    while True:
        rows, ended = await run_in_threadpool(_read, sessions, noun, subject_id, after_id)
        for row in rows:
            after_id = row.id
            data = Event.model_validate(row).model_dump(mode="json")
            text = json.dumps(data, ensure_ascii=False)
            yield f"id: {row.id}\nevent: {row.type}\ndata: {text}\n\n".encode()
        if ended:
            return
        if rows:
            spoke_at = time.monotonic()
        elif time.monotonic() - spoke_at > _KEEP_ALIVE_SECONDS:
            spoke_at = time.monotonic()
            yield b": still here\n\n"
        await anyio.sleep(_POLL_SECONDS)
