"""Every exception becomes a problem with the status it deserves; none shows what is inside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import procrastinate.exceptions
import psycopg
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from sqlalchemy import exc as sqlalchemy_errors
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from app.api import problems
from app.artifacts import ArtifactTooLarge, StorageFull
from app.errors import Conflict, ContentTooLarge, InvalidInput, ServiceError, StageError
from app.logging import get_logger

log = get_logger(__name__)

_MAX_ERRORS_SHOWN = 100
_RETRY_AFTER_SECONDS = 2

# SQLSTATE classes, PostgreSQL manual appendix A.
_REFERENCED_OR_TAKEN = ("23503", "23505")  # foreign key, unique: somebody was faster
_BAD_DATA = ("22", "54")  # data exception, program limit exceeded (a value or a row too large)
_ROLLED_BACK = "40"  # deadlock, serialization failure
_DISK_FULL = "53100"


class StorageExhausted(ServiceError):
    """Full disk; nothing was kept of the request."""

    status_code = 507
    type = "storage-exhausted"
    title = "The server has no room left for this content"


def install(app: FastAPI) -> None:
    app.add_exception_handler(ServiceError, _service_error)
    app.add_exception_handler(StageError, _stage_error)
    app.add_exception_handler(StorageFull, _storage_full)
    app.add_exception_handler(ArtifactTooLarge, _artifact_too_large)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(ClientDisconnect, _disconnected)
    app.add_exception_handler(sqlalchemy_errors.SQLAlchemyError, _database_error)
    app.add_exception_handler(psycopg.Error, _database_error)
    app.add_exception_handler(procrastinate.exceptions.ConnectorException, _database_error)


def _service_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)
    headers = {"WWW-Authenticate": "Bearer"} if error.status_code == 401 else {}
    return problems.answer(request, error.as_problem(), headers)


def _stage_error(request: Request, error: Exception) -> Response:
    """What would fail a job, met inside a request: the dataset is gone, say."""
    assert isinstance(error, StageError)
    return problems.answer(request, {**error.as_problem(), "status": Conflict.status_code})


def _storage_full(request: Request, error: Exception) -> Response:
    log.error("storage.full", error=str(error))
    detail = "the server's disk is full; nothing of this request was kept. Free space, then send it again"
    return problems.answer(request, StorageExhausted(detail).as_problem())


def _artifact_too_large(request: Request, error: Exception) -> Response:
    return problems.answer(request, ContentTooLarge(str(error)).as_problem())


def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [_input_error(e) for e in error.errors()[:_MAX_ERRORS_SHOWN]]
    shown = "; ".join(f"{e['pointer'] or 'the body'}: {e['message']}" for e in errors[:3])
    more = f" (and {len(error.errors()) - 3} more)" if len(error.errors()) > 3 else ""
    return problems.answer(request, InvalidInput(f"{shown}{more}", errors=errors).as_problem())


def _input_error(error: dict[str, Any]) -> dict[str, str]:
    place, *path = error["loc"]
    pointer = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')[:80]}" for part in path)
    # The value itself is not repeated: it may be long, and it may be secret.
    message = "is required" if error["type"] == "missing" else str(error["msg"])
    return {"pointer": _plain(pointer), "message": _plain(message[:500]), "in": str(place)}


def _plain(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _http_error(request: Request, error: Exception) -> Response:
    """Starlette's own: no such path, no such method."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    detail = str(error.detail)
    if error.status_code == 404:
        detail = "no such path; the API's description is at /openapi.json"
    elif error.status_code == 405:
        allowed = _allowed_methods(request)
        headers["Allow"] = ", ".join(allowed)
        detail = f"{request.method} is not supported here; use {' or '.join(allowed)}"
    problem = {
        "type": "/problems/not-found" if error.status_code == 404 else "about:blank",
        "title": problems.MEANING.get(error.status_code, "The request cannot be carried out"),
        "status": error.status_code,
        "detail": detail,
    }
    return problems.answer(request, problem, headers)


def _allowed_methods(request: Request) -> list[str]:
    """Of all routes that share the path, not only of the first one."""
    path = request.url.path
    methods: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        pattern = getattr(route, "path_regex", None)
        if pattern is not None and pattern.match(path):
            methods |= set(route.methods or ())
    return sorted(methods)


def _disconnected(request: Request, _: Exception) -> Response:
    """Nobody reads this answer; the log has it."""
    return problems.answer(request, ServiceError("the client went away").as_problem())


def _database_error(request: Request, error: Exception) -> Response:
    sqlstate = next((e.sqlstate for e in _chain(error) if isinstance(e, psycopg.Error) and e.sqlstate), "")
    translated = _translated(sqlstate)
    if translated is not None:
        log.warning("database.refused", sqlstate=sqlstate, path=request.url.path)
        return problems.answer(request, translated.as_problem())
    if _is_ours_to_fix(error, sqlstate):
        raise error
    log.error("database.unreachable", sqlstate=sqlstate, error=type(error).__name__)
    return problems.answer(
        request,
        {
            "type": "/problems/database-unavailable",
            "title": problems.MEANING[503],
            "status": 503,
            "detail": f"the database cannot be reached; nothing was kept. Try again in {_RETRY_AFTER_SECONDS} s",
        },
        {"Retry-After": str(_RETRY_AFTER_SECONDS)},
    )


def _translated(sqlstate: str) -> ServiceError | None:
    """What the database refused because of what it was asked, not because of its own state."""
    if sqlstate == _DISK_FULL:
        return StorageExhausted("the database's disk is full; nothing of this request was kept")
    if sqlstate.startswith(_BAD_DATA):
        return InvalidInput("a value is too large, or of a kind that the database cannot store")
    if sqlstate in _REFERENCED_OR_TAKEN:
        return Conflict("another request changed what this one needs; read it again and retry")
    if sqlstate.startswith(_ROLLED_BACK):
        return Conflict("another request changed the same objects at the same time; retry")
    return None


def _is_ours_to_fix(error: Exception, sqlstate: str) -> bool:
    """A wrong statement or a wrong use of the session, as against a database that is away."""
    if isinstance(error, sqlalchemy_errors.TimeoutError):  # no free connection
        return False
    unreachable = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.AdminShutdown)
    return not any(isinstance(e, unreachable) for e in _chain(error)) and not sqlstate.startswith(
        ("08", "53", "57")
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        original = getattr(current, "orig", None)
        current = (
            original if isinstance(original, BaseException) else current.__cause__ or current.__context__
        )
