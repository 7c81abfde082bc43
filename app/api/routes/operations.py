"""For whoever runs the service: is it up, is it ready, how busy is it. No key needed."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from app.api import problems
from app.db.session import SessionFactory
from app.services.operations import Backlog, NotReady, read_backlog, require_ready

router = APIRouter(tags=["operations"])


class Health(BaseModel):
    status: Literal["ok"] = "ok"


@router.get("/healthz")
def healthz() -> Health:
    """The process is up."""
    return Health()


@router.get("/readyz", response_model=Health, responses=problems.documented([503]))
def readyz(request: Request) -> Any:
    """The database answers, its schema is the one this version needs, and the queue is there."""
    try:
        require_ready(request.app.state.sessions)
    except NotReady as error:
        problem = {
            "type": "/problems/not-ready",
            "title": "The service is not ready",
            "status": 503,
            "detail": str(error),
        }
        return problems.answer(request, problem, {"Retry-After": "2"})
    return Health()


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"description": "Prometheus text.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    },
)
def metrics(request: Request) -> Response:
    """Requests, latencies, the queues' depths and the workers alive, for Prometheus."""
    sessions: SessionFactory = request.app.state.sessions
    text = generate_latest(request.app.state.metrics_registry) + _backlog_text(read_backlog(sessions))
    return Response(text, media_type=CONTENT_TYPE_LATEST)


def _backlog_text(backlog: Backlog | None) -> bytes:
    lines = [
        "# HELP casemend_database_up Whether the database answered just now.",
        "# TYPE casemend_database_up gauge",
        f"casemend_database_up {0 if backlog is None else 1}",
    ]
    if backlog is not None:
        lines += ["# HELP casemend_jobs Jobs by queue and state.", "# TYPE casemend_jobs gauge"]
        lines += [
            f'casemend_jobs{{queue="{q}",status="{s}"}} {n}' for (q, s), n in sorted(backlog.jobs.items())
        ]
        lines += [
            "# HELP casemend_workers_alive Workers heard from in the last half minute.",
            "# TYPE casemend_workers_alive gauge",
            f"casemend_workers_alive {backlog.workers_alive}",
        ]
    return ("\n".join(lines) + "\n").encode()
