"""The first page, and how a browser gets in and out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from app.api import browser
from app.api.dependencies import DatabaseSession, Reader
from app.api.page_route import PageRoute, SignedInViewer, html, read_form
from app.api.request_bodies import BodyRequest
from app.db.session import transaction
from app.errors import ServiceError, Unauthenticated
from app.reporting import web_pages
from app.services import browser_sessions, overview, projects

router = APIRouter(include_in_schema=False, route_class=PageRoute)
doors = APIRouter(include_in_schema=False)


class FrontPageRoute(PageRoute):
    """Programs get JSON and browsers a page; who is not signed in sees how to."""

    def get_route_handler(self) -> Any:
        page = super().get_route_handler()

        async def handle(request: Request) -> Response:
            if "text/html" not in request.headers.get("accept", ""):
                body = {"service": "casemend", "version": request.app.version, "docs": "/docs", "api": "/v1"}
                return JSONResponse(body | {"openapi": "/openapi.json"}, headers={"Vary": "Accept, Cookie"})
            answer = await page(request)
            if answer.status_code == 401:  # the door itself is no error
                answer.status_code = 200
            return answer

        return handle


front = APIRouter(include_in_schema=False, route_class=FrontPageRoute)


@front.get("/")
def home(caller: Reader, viewer: SignedInViewer, session: DatabaseSession) -> Response:
    """What runs, what waits for a person, and the newest of everything."""
    seen = overview.read(session, caller.project_id)
    project = projects.project_of(session, caller)
    return html(
        web_pages.render("home", viewer=viewer, refresh=bool(seen.running), project=project, seen=seen)
    )


@doors.get("/sign-in")
def sign_in(request: Request, token: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Where a link leads: it is used up, and the browser gets a cookie."""
    if not token:
        return html(web_pages.sign_in())
    try:
        with transaction(request.app.state.sessions) as session:
            cookie = browser_sessions.open_by_link(session, token, datetime.now(UTC))
    except Unauthenticated as error:
        return html(web_pages.sign_in(error.detail), error.status_code)
    return _signed_in(request, cookie, "/")


@doors.post("/sign-in")
async def sign_in_with_key(request: Request) -> Response:
    """A key for a cookie."""
    back_to = "/"
    try:
        browser.require_same_origin(request)
        form = await read_form(BodyRequest(request.scope, request.receive, body_limit_bytes=0))
        back_to = form.get("back_to", "/")
        cookie = await run_in_threadpool(_exchanged, request, form.get("key", "").strip())
    except ServiceError as error:
        return html(web_pages.sign_in(error.detail, back_to=back_to), error.status_code)
    return _signed_in(request, cookie, back_to)


def _exchanged(request: Request, secret: str) -> str:
    with transaction(request.app.state.sessions) as session:
        return browser_sessions.open_by_key(session, secret, datetime.now(UTC))


def _signed_in(request: Request, cookie: str, back_to: str) -> Response:
    # a path of ours; "//host" and "/\host" are none
    ours = back_to.startswith("/") and back_to[1:2] not in ("/", "\\") and back_to.isprintable()
    response = RedirectResponse(back_to if ours else "/", 303, {"Cache-Control": "no-store"})
    browser.set_cookie(request, response, cookie)
    return response


@router.post("/sign-out")
def sign_out(request: Request, caller: Reader, session: DatabaseSession) -> Response:  # noqa: ARG001
    browser_sessions.close(session, browser.cookie_of(request) or "")
    response = RedirectResponse("/", 303)
    browser.clear_cookie(request, response)
    return response
