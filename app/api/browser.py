"""The cookie of a signed-in browser, and where its requests come from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app.services import browser_sessions
from app.services.browser_sessions import SignedIn, WrongCsrfToken

CSRF_HEADER: Final = "x-csrf-token"
CSRF_FIELD: Final = "csrf"
SAFE_METHODS: Final = frozenset({"GET", "HEAD"})


def _cookie_name(request: Request) -> str:
    # Browsers keep one jar for all ports of a machine: two services on it must not sign each other out.
    return f"casemend_session_{request.app.state.settings.port}"


def cookie_of(request: Request) -> str | None:
    return request.cookies.get(_cookie_name(request))


async def signed_in(request: Request) -> SignedIn:
    """Who the browser is signed in as; raises Unauthenticated."""

    def look() -> SignedIn:
        with request.app.state.sessions() as session:
            return browser_sessions.signed_in(session, cookie_of(request) or "", datetime.now(UTC))

    return await run_in_threadpool(look)


def set_cookie(request: Request, response: Response, token: str) -> None:
    response.set_cookie(
        _cookie_name(request),
        token,
        max_age=int(browser_sessions.SESSION_LASTS.total_seconds()),
        httponly=True,
        samesite="lax",  # strict would sign out whoever follows a link to a report from a chat
        secure=request.url.scheme == "https",
    )


def clear_cookie(request: Request, response: Response) -> None:
    response.delete_cookie(
        _cookie_name(request), httponly=True, samesite="lax", secure=request.url.scheme == "https"
    )


def require_same_origin(request: Request) -> None:
    """Before the sign-in there is no token to ask for: the browser itself says where a form was sent from."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin", "")
    from_here = site == "same-origin" if site else urlsplit(origin).netloc == request.headers.get("host")
    if not origin or not from_here:
        raise WrongCsrfToken("this form can only be sent from the page that shows it")
