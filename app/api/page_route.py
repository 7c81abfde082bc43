"""The route of pages for people: a cookie instead of a key, forms instead of JSON, and errors that are pages."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any, Final

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError

from app.api import browser
from app.api.request_bodies import BodyRequest, media_type, require_storable
from app.api.transaction_route import TransactionRoute
from app.errors import ServiceError, Unauthenticated, UnsupportedMediaType
from app.reporting import web_pages
from app.reporting.web_pages import Viewer
from app.services.projects import Caller

_FORM_BYTES: Final = 64 << 10


class PageRoute(TransactionRoute):
    """Who is not signed in gets the sign-in page; a write needs the CSRF token of its page."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **{**options, "include_in_schema": False})

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await answer(request)
            except Unauthenticated as error:
                return html(web_pages.sign_in(error.detail, back_to=_asked(request)), 401)
            except ServiceError as error:
                return html(web_pages.problem(error.title, error.detail, _known(request)), error.status_code)
            except RequestValidationError:
                detail = "the address is not one of ours"
                return html(web_pages.problem("No such page", detail, _known(request)), 404)

        return handle

    async def authenticated(self, request: BodyRequest) -> Caller:
        if browser.cookie_of(request) is None:
            raise Unauthenticated("")
        signed_in = await browser.signed_in(request)
        if request.method not in browser.SAFE_METHODS:
            request.state.form = await read_form(request)
            signed_in.require_csrf(request.state.form.get(browser.CSRF_FIELD, ""))
        request.state.viewer = Viewer(role=signed_in.caller.role, csrf_token=signed_in.csrf_token)
        return signed_in.caller


async def read_form(request: BodyRequest) -> dict[str, str]:
    """The fields of a form without files; the last of two that have one name."""
    if media_type(request.headers) != "application/x-www-form-urlencoded":
        raise UnsupportedMediaType("send a form (application/x-www-form-urlencoded)")
    request.body_limit_bytes = _FORM_BYTES
    fields = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    require_storable(fields)
    return fields


def html(page: tuple[str, Mapping[str, str]], status_code: int = 200) -> Response:
    text, headers = page
    return Response(text, status_code, dict(headers), "text/html; charset=utf-8")


def _asked(request: Request) -> str:
    """Where to go on after the sign-in: a page of ours, as it was asked for."""
    if request.method not in browser.SAFE_METHODS:
        return "/"
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _known(request: Request) -> Viewer | None:
    return getattr(request.state, "viewer", None)


async def _viewer(request: Request) -> Viewer:
    return request.state.viewer


async def _form(request: Request) -> dict[str, str]:
    return request.state.form


SignedInViewer = Annotated[Viewer, Depends(_viewer)]
Form = Annotated[dict[str, str], Depends(_form)]
