"""The API process: ``uvicorn app.main:create_app --factory``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version

import anyio
import structlog
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from prometheus_client import CollectorRegistry
from starlette.concurrency import run_in_threadpool

from app.api import error_handlers, openapi_schema
from app.api.middleware import RequestContext, RequestMetrics
from app.api.routes import ROUTERS
from app.artifacts import ArtifactStore
from app.db.embedded import database_url
from app.db.session import SessionFactory, make_engine, make_sessions, transaction
from app.logging import configure as configure_logging
from app.logging import get_logger
from app.services import projects, serving
from app.settings import Settings, get_settings

log = get_logger(__name__)

# Fewer than the pool holds: authentication, events and exports need connections beside them.
_OPEN_TRANSACTIONS = 16
_DESCRIPTION = """\
Why does the fine-tuned model fail on this case? Diagnose it, repair the training data, retrain, and prove the fix.

- `Authorization: Bearer <key>`; a key belongs to one project and has a role: reader, contributor, maintainer, admin.
- Lists come in pages: `limit`, and `after` = `next_after` of the page before.
- Errors are `application/problem+json` (RFC 9457). `X-Request-Id` is on every answer.
- A POST with an `Idempotency-Key` is done once: the same key and body gives the first answer again.
- Long work answers 202 with `Location`; its `/events` are a list, or with `Accept: text/event-stream` a stream.
- Bodies may be sent with `Content-Encoding: gzip`.
"""


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application. Nothing is opened before it starts; migrations are the command line's business."""
    settings = settings or get_settings()
    if not structlog.is_configured():  # started by uvicorn itself, not by our command line
        configure_logging(settings)
    registry = CollectorRegistry()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine = make_engine(await run_in_threadpool(database_url, settings))
        app.state.sessions = make_sessions(engine)
        app.state.store = ArtifactStore(settings.artifact_store_url)
        app.state.transaction_gate = anyio.Semaphore(_OPEN_TRANSACTIONS)
        if settings.bootstrap_key is not None:
            await run_in_threadpool(_bootstrap, app.state.sessions, settings.bootstrap_key.get_secret_value())
        log.info("api.started", version=app.version)
        app.state.server = serving.Server(settings, app.state.store)
        yield
        await app.state.server.close()
        engine.dispose()

    # /docs loads nothing from elsewhere: services run where there is no internet.
    app = FastAPIOffline(
        redoc_url=None,
        title="casemend",
        version=_version(),
        description=_DESCRIPTION,
        lifespan=lifespan,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.settings = settings
    app.state.metrics_registry = registry
    app.add_middleware(RequestContext, metrics=RequestMetrics(registry))
    error_handlers.install(app)
    for router in ROUTERS:
        app.include_router(router)
    app.openapi = openapi_schema.describe(app)
    return app


def _bootstrap(sessions: SessionFactory, secret: str) -> None:
    with transaction(sessions) as session:
        if projects.ensure_default_project(session, secret=secret) is not None:
            log.info("project.bootstrapped", project=projects.DEFAULT_PROJECT)


def _version() -> str:
    try:
        return version("casemend")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "0+unknown"
