"""A repair plan as a web page. The frame is served to everybody; what it shows comes with a key or a cookie."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from app.api import browser
from app.api.action_filter import AskedActions
from app.api.dependencies import After, DatabaseSession, Reader
from app.api.schemas.common import Id
from app.api.transaction_route import TransactionRoute
from app.db.repositories.pages import Order, PageRequest
from app.errors import Unauthenticated
from app.reporting.repair_page import render_frame, render_plan
from app.reporting.web_pages import Viewer
from app.services.repairs import page_data

_HTML: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A document without script.",
        "content": {"text/html": {"schema": {"type": "string"}}},
    }
}

router = APIRouter(tags=["repairs"])
pages = APIRouter(prefix="/v1", tags=["repairs"], route_class=TransactionRoute)


@router.get("/repairs/{repair_id}", include_in_schema=False)
async def repair_frame(repair_id: Id, request: Request) -> Response:  # noqa: ARG001 - its script reads the address
    """The page to open in a browser; who is not signed in is asked for a key."""
    try:
        signed_in = await browser.signed_in(request)
    except Unauthenticated:
        text, headers = render_frame()
    else:
        text, headers = render_frame(Viewer(role=signed_in.caller.role, csrf_token=signed_in.csrf_token))
    return Response(text, media_type="text/html; charset=utf-8", headers=headers)


@pages.get("/repairs/{repair_id}/page", responses=_HTML, response_class=Response)
def read_repair_page(
    repair_id: Id,
    request: Request,
    caller: Reader,
    session: DatabaseSession,
    chosen: AskedActions,
    limit: Annotated[int, Query(ge=1, le=200, description="At most this many actions.")] = 40,
    after: After = None,
) -> Response:
    """The plan as HTML: what is proposed by which rule, before and after side by side."""
    wanted = PageRequest(limit=limit, after=after, order=Order.ASC)
    read = page_data.read(session, caller.project_id, repair_id, chosen, wanted)
    text, headers = render_plan(read, dict(request.query_params))
    return Response(text, media_type="text/html; charset=utf-8", headers=headers)
