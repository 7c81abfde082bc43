"""Errors that a caller can fix. Each carries its HTTP status and its problem type (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class ServiceError(Exception):
    """Root of all errors that are answers, not accidents."""

    status_code = 400
    type = "bad-request"
    title = "The request cannot be carried out"
    code: str | None = None
    """What OpenAI's clients know this error by, where they do."""

    def __init__(self, detail: str, *, errors: Sequence[Mapping[str, str]] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)

    def as_problem(self) -> dict[str, Any]:
        problem: dict[str, Any] = {
            "type": f"/problems/{self.type}",
            "title": self.title,
            "status": self.status_code,
            "detail": self.detail,
        }
        if self.errors:
            problem["errors"] = [dict(e) for e in self.errors]
        return problem


class Unauthenticated(ServiceError):
    status_code = 401
    type = "unauthenticated"
    code = "invalid_api_key"
    title = "A valid API key is needed"


class NotFound(ServiceError):
    status_code = 404
    type = "not-found"
    title = "No such object in this project"


class Conflict(ServiceError):
    status_code = 409
    type = "conflict"
    title = "The object's state does not allow this"


class PreconditionFailed(ServiceError):
    status_code = 412
    type = "precondition-failed"
    title = "The object has changed since it was read"


class ContentTooLarge(ServiceError):
    status_code = 413
    type = "content-too-large"
    title = "The body is too large"


class UnsupportedMediaType(ServiceError):
    status_code = 415
    type = "unsupported-media-type"
    title = "The body's content type or encoding is not supported"


class InvalidInput(ServiceError):
    status_code = 422
    type = "invalid-input"
    title = "The input is not valid"


class StageError(Exception):
    """A stage cannot succeed, whatever the number of tries: the job fails with this reason."""

    def __init__(self, detail: str, *, type: str = "stage-failed", title: str = "The job failed") -> None:
        super().__init__(detail)
        self.detail = detail
        self.type = type
        self.title = title

    def as_problem(self) -> dict[str, Any]:
        return {"type": f"/problems/{self.type}", "title": self.title, "status": 422, "detail": self.detail}


class StageCancelled(Exception):
    """Somebody asked for the running stage to stop."""
