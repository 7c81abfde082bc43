"""What goes wrong: the service cannot be reached, refuses a request, or its work fails."""

from __future__ import annotations

from typing import Any, ClassVar

import httpx

from casemend_client.models import Problem, ProblemError


class CasemendError(Exception):
    """Root of all errors of this package; the message says what to do."""


class ServiceUnreachable(CasemendError):
    """No answer came, or it broke off."""


class UnexpectedAnswer(CasemendError):
    """An answer in a shape that this version of the package does not know."""


class WaitTimeout(CasemendError):
    """The work is not final within the time given; it goes on."""


class WorkFailed(CasemendError):
    """Work that was waited for did not succeed. ``work`` is the object as the API shows it."""

    def __init__(self, work: Any) -> None:
        self.work = work
        self.problem = None if work.error is None else problem_in(work.error, status=500)
        reason = f": {self.problem.detail}" if self.problem else ""
        super().__init__(f"{work.object} {work.id} {work.status}{reason}")


class WorkCancelled(WorkFailed):
    """Somebody cancelled the work."""


class ApiError(CasemendError):
    """A request that was refused; ``problem`` is the answer (RFC 9457)."""

    statuses: ClassVar[tuple[int, ...]] = ()

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem

    @property
    def status(self) -> int:
        return self.problem.status

    @property
    def code(self) -> str:
        """The kind of problem in one word, for example ``not-found``."""
        return self.problem.type.rsplit("/", 1)[-1]

    @property
    def errors(self) -> list[ProblemError]:
        """What is wrong with the input, item by item."""
        return self.problem.errors or []


class Unauthenticated(ApiError):
    """The key is missing or unknown."""

    statuses = (401,)


class Forbidden(ApiError):
    """The key's role does not allow this."""

    statuses = (403,)


class NotFound(ApiError):
    """No such object in the key's project."""

    statuses = (404,)


class Conflict(ApiError):
    """The object's state does not allow this."""

    statuses = (409,)


class PreconditionFailed(ApiError):
    """The object has changed since it was read (``if_match``)."""

    statuses = (412,)


class InvalidInput(ApiError):
    """The input is not valid; ``errors`` says where."""

    statuses = (400, 413, 415, 422)


class RateLimited(ApiError):
    """Too many requests, also after the retries."""

    statuses = (429,)


class ServiceUnavailable(ApiError):
    """The service cannot answer now, also after the retries."""

    statuses = (502, 503, 504)


_BY_STATUS = {status: kind for kind in ApiError.__subclasses__() for status in kind.statuses}


def problem_in(body: Any, *, status: int) -> Problem:
    """The problem that a body tells of; also of bodies in OpenAI's shape, and of none at all."""
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        inner = body["error"]
        body = {"type": str(inner.get("code") or inner.get("type")), "detail": str(inner.get("message"))}
    if not isinstance(body, dict):
        body = {"detail": str(body)[:500]}
    known = {"type": "about:blank", "title": "", "status": status, "detail": body.get("title") or ""}
    return Problem.model_validate({**known, **body})


def from_response(response: httpx.Response) -> ApiError:
    """The error of an answer whose body has been read."""
    try:
        body = response.json()
    except ValueError:
        body = response.text or response.reason_phrase
    return _BY_STATUS.get(response.status_code, ApiError)(problem_in(body, status=response.status_code))
