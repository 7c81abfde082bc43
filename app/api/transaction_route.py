"""One request is one transaction, committed before the answer goes out.

The route authenticates the key, hands the endpoint a session, remembers the answer of a request that
carries an Idempotency-Key, and commits when the answer is a success. A client that reads "201" can rely
on it: the commit has happened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
from fastapi.routing import APIRoute
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app.api import problems
from app.api.request_bodies import BodyRequest, is_json, text_problem
from app.db.session import SessionFactory
from app.errors import ContentTooLarge, InvalidInput, Unauthenticated, UnsupportedMediaType
from app.services import idempotency, projects
from app.services.idempotency import Answer
from app.services.projects import Caller

_REMEMBERED_HEADERS = ("content-type", "location", "etag")
_MAX_KEY_CHARACTERS = 255


class _Replay(Exception):
    """The request was answered before: here is that answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class RequestTransaction:
    """The transaction of one request; opened by the first who needs it."""

    def __init__(self, request: BodyRequest, sessions: SessionFactory, gate: anyio.Semaphore) -> None:
        self._request = request
        self._sessions = sessions
        self._gate = gate
        self._idempotency_key = _idempotency_key(request)
        self._session: Session | None = None

    async def session(self) -> Session:
        """Opened on first use; by then an upload has been taken in, so it is never open while one waits."""
        if self._session is None:
            fingerprint = await self._fingerprint() if self._idempotency_key else ""
            # More open transactions than connections would fill all threads with waiting ones, and leave
            # none to those that could finish.
            await self._gate.acquire()
            self._session = self._sessions()
            if self._idempotency_key:
                await run_in_threadpool(self._claim, self._session, self._idempotency_key, fingerprint)
        return self._session

    async def finish(self, response: Response) -> None:
        if self._session is not None:
            await run_in_threadpool(self._finish, self._session, response)

    async def close(self) -> None:
        """Whatever is not committed by now is rolled back."""
        session, self._session = self._session, None
        if session is not None:
            with anyio.CancelScope(shield=True):
                try:
                    await run_in_threadpool(session.close)
                finally:
                    self._gate.release()

    async def _fingerprint(self) -> str:
        """SHA-256 over what is asked: method, path, query and body."""
        body_hash = getattr(self._request.state, "upload_sha256", None)
        if body_hash is None:
            body_hash = hashlib.sha256(await self._request.body()).hexdigest()
        url = self._request.url
        return hashlib.sha256(
            "\n".join((self._request.method, url.path, url.query, body_hash)).encode("utf-8", "surrogatepass")
        ).hexdigest()

    def _claim(self, session: Session, key: str, fingerprint: str) -> None:
        earlier = idempotency.claim(session, self._request.state.caller, key, fingerprint)
        if earlier is not None:
            raise _Replay(earlier)

    def _finish(self, session: Session, response: Response) -> None:
        if response.status_code >= 400:
            session.rollback()
            return
        if self._idempotency_key:
            headers = {n: v for n in _REMEMBERED_HEADERS if (v := response.headers.get(n)) is not None}
            answer = Answer(
                status_code=response.status_code, headers=headers, body=bytes(response.body).decode()
            )
            idempotency.remember(session, self._request.state.caller, self._idempotency_key, answer)
        session.commit()


class TransactionRoute(APIRoute):
    """The route of every endpoint under ``/v1``."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        common = problems.documented(problems.statuses_of(options.get("methods") or ("GET",), path))
        options["responses"] = {**common, **(options.get("responses") or {})}
        super().__init__(path, endpoint, **options)

    @staticmethod
    def authenticate(request: Request, sessions: SessionFactory) -> Caller:
        """Who asks; raises Unauthenticated."""
        return _authenticate(request, sessions)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint = super().get_route_handler()
        has_json_body = self.body_field is not None

        async def handle(request: Request) -> Response:
            state = request.app.state
            limited = BodyRequest(
                request.scope, request.receive, body_limit_bytes=state.settings.body_limit_bytes
            )
            _require_storable_url(limited)
            limited.state.caller = await run_in_threadpool(self.authenticate, limited, state.sessions)
            transaction = RequestTransaction(limited, state.sessions, state.transaction_gate)
            limited.state.transaction = transaction
            try:
                if has_json_body:
                    await _read_json(limited)
                response = await endpoint(limited)
                await transaction.finish(response)
            except _Replay as replay:
                response = _replayed(replay.answer)
            except ContentTooLarge:
                await limited.drain()
                raise
            finally:
                await transaction.close()
            return response

        return handle


async def _read_json(request: BodyRequest) -> None:
    """Parse the body before FastAPI does: it would turn our errors into its own."""
    if not await request.body():
        return
    if not is_json(request.headers):
        raise UnsupportedMediaType("send the body as application/json")
    await request.json()


def _authenticate(request: Request, sessions: SessionFactory) -> Caller:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthenticated("send the header 'Authorization: Bearer <key>'")
    with sessions() as session:
        return projects.authenticate(session, secret.strip())


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is None or request.method != "POST":
        return None
    if not key or len(key) > _MAX_KEY_CHARACTERS or not key.isascii() or not key.isprintable():
        detail = f"Idempotency-Key: send 1 to {_MAX_KEY_CHARACTERS} printable ASCII characters"
        raise InvalidInput(
            detail, errors=[{"pointer": "/Idempotency-Key", "message": detail, "in": "header"}]
        )
    return key


def _require_storable_url(request: Request) -> None:
    texts = [("path", request.url.path), *((f"/{n}", v) for n, v in request.query_params.multi_items())]
    for name, value in texts:
        problem = text_problem(value)
        if problem:
            raise InvalidInput(
                f"the request's {'path' if name == 'path' else 'query'} {problem}",
                errors=[{"pointer": name if not text_problem(name) else "/", "message": problem}],
            )


def _replayed(answer: Answer) -> Response:
    headers = {**answer.headers, "Idempotency-Replayed": "true"}
    return Response(answer.body, status_code=answer.status_code, headers=headers)
