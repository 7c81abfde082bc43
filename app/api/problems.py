"""Errors over HTTP: ``application/problem+json`` (RFC 9457), and which statuses an endpoint documents."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"


class ProblemError(BaseModel):
    """One thing that is wrong with the input."""

    model_config = ConfigDict(extra="allow")

    pointer: str = Field(description="JSON pointer into the body, or the name of the parameter.")
    message: str


class Problem(BaseModel):
    """What went wrong and how to fix it (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    errors: list[ProblemError] | None = None
    request_id: str | None = None


MEANING: dict[int, str] = {
    400: "The body cannot be read",
    401: "A valid API key is needed",
    403: "The key's role does not allow this",
    404: "No such object in this project",
    405: "The path does not support this method",
    409: "The object's state does not allow this",
    412: "The object has changed since it was read",
    413: "The body is too large",
    507: "The server has no room for the content",
    415: "The body's content type or encoding is not supported",
    422: "The input is not valid",
    503: "The database cannot be reached; try again",
}


def documented(statuses: Collection[int]) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of an endpoint that may answer with these statuses."""
    reference = {"$ref": "#/components/schemas/Problem"}
    return {
        s: {"description": MEANING[s], "content": {MEDIA_TYPE: {"schema": reference}}}
        for s in sorted(statuses)
    }


def statuses_of(methods: Collection[str], path: str) -> set[int]:
    """What every authenticated endpoint with these methods may answer besides success."""
    statuses = {401, 403, 422, 503}
    if "{" in path:
        statuses.add(404)
    if set(methods) & {"POST", "PUT", "PATCH"}:
        statuses |= {400, 404, 409, 413, 415, 507}
    if "DELETE" in methods:
        statuses.add(409)
    return statuses


def answer(
    request: Request, problem: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> JSONResponse:
    body = {**problem, "instance": _printable(request.url.path)}
    request_id = request.scope.get("state", {}).get("request_id")
    if request_id:
        body["request_id"] = request_id
    return JSONResponse(
        body, status_code=int(problem["status"]), headers=dict(headers or {}), media_type=MEDIA_TYPE
    )


def _printable(text: str) -> str:
    # A path may hold what no JSON reader wants back; lone surrogates cannot even be encoded.
    return text.encode("ascii", "backslashreplace").decode("ascii").replace("\0", "\\x00")[:500]
