"""Errors in OpenAI's shape, and the route of the endpoints that OpenAI's clients call."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.api import problems
from app.api.transaction_route import TransactionRoute
from app.errors import ServiceError

_RETRY_AFTER_SECONDS = 2


def error_body(
    message: str, *, kind: str = "invalid_request_error", param: str | None = None, code: str | None = None
) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def validation_error(_: Request, error: Exception) -> Response:
    """The first thing that is wrong with a body, by the name of its field."""
    assert isinstance(error, RequestValidationError)
    place, *path = error.errors()[0]["loc"]
    found = error.errors()[0]
    param = ".".join(map(str, path)) or None
    message = "is required" if found["type"] == "missing" else str(found["msg"]).removeprefix("Value error, ")
    body = error_body(f"{param}: {message}" if param else message, param=param)
    return JSONResponse(body, 404 if place == "path" else 400)


def service_error(error: ServiceError) -> Response:
    server = error.status_code >= 500
    # what is not valid is a 400 to OpenAI's clients, which know no 422
    status = 400 if error.status_code == 422 else error.status_code
    headers = {"Retry-After": str(_RETRY_AFTER_SECONDS)} if status == 503 else None
    kind = "server_error" if server else "invalid_request_error"
    pointer = error.errors[0].get("pointer", "") if error.errors else ""
    param = pointer.removeprefix("/").replace("/", ".") or None
    return JSONResponse(
        error_body(error.detail, kind=kind, param=param, code=error.code), status, headers=headers
    )


class ErrorDetail(BaseModel):
    message: str
    type: str
    param: str | None = Field(description="The field at fault.")
    code: str | None


class OpenAIError(BaseModel):
    """What went wrong, as OpenAI's clients read it."""

    error: ErrorDetail


class OpenAIRoute(TransactionRoute):
    """A route whose errors are OpenAI's; else as every route under ``/v1``."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        statuses = problems.statuses_of(options.get("methods") or ("GET",), path) - {422} | {400, 404}
        errors = {s: {"model": OpenAIError, "description": problems.MEANING[s]} for s in sorted(statuses)}
        options["responses"] = {**errors, **(options.get("responses") or {})}
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await endpoint(request)
            except RequestValidationError as error:
                return validation_error(request, error)
            except ServiceError as error:
                return service_error(error)

        return handle
