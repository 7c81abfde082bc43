"""Labelling and tracing tools: their webhooks and files in, what became of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response, Security
from fastapi.security import APIKeyHeader
from starlette.concurrency import run_in_threadpool
from starlette.convertors import StringConvertor, register_url_convertor

from app.api.dependencies import (
    Admin,
    AppSettings,
    Contributor,
    DatabaseSession,
    Maintainer,
    Page,
    Reader,
    Store,
)
from app.api.request_bodies import BodyRequest
from app.api.response_headers import located
from app.api.schemas.common import Id, ListOf
from app.api.schemas.integrations import (
    DryRun,
    Integration,
    IntegrationChange,
    IntegrationDelivery,
    IntegrationWithSecret,
    NewIntegration,
    Preview,
    PromptfooSuite,
    PushRequest,
    Receipt,
    delivered,
    shown,
)
from app.api.transaction_route import TransactionRoute
from app.artifacts import Artifact
from app.db.base import WorkStatus
from app.db.models import IntegrationDeliveryRow, IntegrationRow
from app.db.session import SessionFactory
from app.errors import InvalidInput, NotFound, Unauthenticated
from app.services import listings
from app.services.integrations import deliveries, dry_run, integrations, pushing, suites
from app.services.integrations.deliveries import Origin
from app.services.projects import Caller, Role

SECRET_HEADER = "x-casemend-secret"  # noqa: S105 - the header's name
_secret = APIKeyHeader(
    name="X-Casemend-Secret",
    auto_error=False,
    scheme_name="IntegrationSecret",
    description="The secret of an integration.",
)


class WebhookRoute(TransactionRoute):
    """Opened by an integration's secret instead of a key."""

    async def authenticated(self, request: BodyRequest) -> Caller:
        return await run_in_threadpool(_by_secret, request, request.app.state.sessions)


def _by_secret(request: Request, sessions: SessionFactory) -> Caller:
    secret = request.headers.get(SECRET_HEADER, "")
    if not secret:
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        secret = secret if scheme.lower() == "bearer" else ""
    if not secret.strip():
        raise Unauthenticated("send the integration's secret in the header 'X-Casemend-Secret'")
    with sessions() as session:
        row = integrations.authenticate(session, request.path_params["tool"], secret.strip())
        request.state.integration_id = row.id
        return Caller(project_id=row.project_id, key_id=row.id, role=Role.CONTRIBUTOR)


router = APIRouter(prefix="/v1/integrations", tags=["integrations"], route_class=TransactionRoute)
webhooks = APIRouter(prefix="/v1/integrations", tags=["integrations"], route_class=WebhookRoute)

ToolTag = Annotated[str, Path(max_length=40, description="Such as `label-studio` or `generic`.")]
IntegrationId = Annotated[
    str | None, Query(max_length=100, description="Which one, where the tool has several.")
]
_ANY_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The body as the tool writes it: JSON; for `generic` also CSV and JSON lines, gzipped or not.",
        "content": {
            "application/json": {"schema": {}},
            **{
                kind: {"schema": {"type": "string", "format": "binary"}}
                for kind in ("application/x-ndjson", "text/csv", "application/octet-stream")
            },
        },
    }
}


async def _webhook_body(
    request: Request, _: Annotated[object, Security(_secret)], store: Store, settings: AppSettings
) -> Artifact:
    assert isinstance(request, BodyRequest)
    request.body_limit_bytes = settings.integration_body_limit_bytes
    return await run_in_threadpool(store.put_bytes, await request.body())


async def _file_body(request: Request, _: Contributor, store: Store) -> Artifact:
    body = await request.body()
    if not body:
        raise InvalidInput("the body is empty; send the file that the tool wrote")
    return await run_in_threadpool(store.put_bytes, body)


class _IntegrationId(StringConvertor):
    """``/deliveries`` beside it is no integration, whatever the method."""

    regex = "(?!deliveries(?:/|$))[^/]+"


register_url_convertor("integration", _IntegrationId())


@webhooks.post("/{tool}/webhook", response_model=Receipt, openapi_extra=_ANY_BODY)
def receive_webhook(
    tool: ToolTag,  # noqa: ARG001 - the route has compared it with the secret's integration
    request: Request,
    body: Annotated[Artifact, Depends(_webhook_body)],
    session: DatabaseSession,
) -> dict[str, Any]:
    """What a tool calls. Stores the body and answers; a worker reads it. A body that cannot be read is answered 200,
    too: it is kept, and the delivery says what is wrong with it."""
    integration = session.get_one(IntegrationRow, request.state.integration_id)
    row = deliveries.receive(session, integration, body, origin=Origin.WEBHOOK, headers=request.headers)
    return {"id": row.id, "state": deliveries.state_of(row)}


@router.post("", status_code=201, response_model=IntegrationWithSecret)
def create_integration(
    payload: NewIntegration,
    caller: Admin,
    settings: AppSettings,
    session: DatabaseSession,
    response: Response,
) -> dict[str, Any]:
    """Let a tool in. The answer holds the secret of its webhook, this once."""
    integrations.tool_of(payload.tool)
    if payload.url is not None:
        integrations.check_url(payload.url, allow_private=settings.integrations_allow_private)
    made = integrations.create(session, caller.project_id, **_given(payload))
    located(response, "/v1/integrations", made.row)
    return shown(made.row, secret=made.secret)


@router.get("", response_model=ListOf[Integration])
def list_integrations(caller: Reader, session: DatabaseSession, page: Page) -> Any:
    found = listings.in_project(session, caller.project_id, IntegrationRow, page)
    return replace(found, data=[shown(row) for row in found.data])


@router.get("/deliveries", response_model=ListOf[IntegrationDelivery])
def list_integration_deliveries(
    caller: Reader,
    session: DatabaseSession,
    page: Page,
    integration_id: IntegrationId = None,
    tool: Annotated[str | None, Query(max_length=40)] = None,
    status: WorkStatus | None = None,
) -> Any:
    """Everything that came, the newest first."""
    found = listings.in_project(
        session,
        caller.project_id,
        IntegrationDeliveryRow,
        page,
        integration_id=integration_id,
        tool=tool,
        status=status and status.value,
    )
    return replace(found, data=[delivered(row) for row in found.data])


@router.get("/deliveries/{delivery_id}", response_model=IntegrationDelivery)
def read_integration_delivery(delivery_id: Id, caller: Reader, session: DatabaseSession) -> dict[str, Any]:
    """What came, and what became of each record."""
    return delivered(deliveries.get(session, caller.project_id, delivery_id))


@router.get(
    "/deliveries/{delivery_id}/body",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "The body, byte for byte."}},
)
def read_integration_delivery_body(
    delivery_id: Id, caller: Reader, session: DatabaseSession, store: Store
) -> Response:
    """The body as it came; of a pull and a push, what was fetched and what was sent."""
    row = deliveries.get(session, caller.project_id, delivery_id)
    if row.uri is None:
        raise NotFound(f"{delivery_id} has no body yet")
    with store.open(row.uri) as file:
        return Response(file.read(), media_type="application/octet-stream")


@router.post("/deliveries/{delivery_id}/replay", status_code=202, response_model=IntegrationDelivery)
def replay_integration_delivery(
    delivery_id: Id, caller: Contributor, session: DatabaseSession, response: Response
) -> dict[str, Any]:
    """Read the same body again, with the mapping of today; a pull and a push are made anew."""
    row = deliveries.replay(session, caller.project_id, delivery_id)
    located(response, "/v1/integrations/deliveries", row)
    return delivered(row)


@router.post(
    "/{tool}/deliveries", status_code=202, response_model=IntegrationDelivery, openapi_extra=_ANY_BODY
)
def upload_integration_delivery(
    tool: ToolTag,
    request: Request,
    body: Annotated[Artifact, Depends(_file_body)],
    caller: Contributor,
    session: DatabaseSession,
    response: Response,
    integration_id: IntegrationId = None,
) -> dict[str, Any]:
    """A file of the tool: an export, results, traces, a table. Where the tool has no integration, one is made with
    the default mapping."""
    integration = integrations.chosen(session, caller.project_id, tool, integration_id)
    row = deliveries.receive(session, integration, body, origin=Origin.UPLOAD, headers=request.headers)
    located(response, "/v1/integrations/deliveries", row)
    return delivered(row)


@router.post("/{tool}/dry-run", response_model=Preview)
def dry_run_integration(
    tool: ToolTag, payload: DryRun, caller: Contributor, session: DatabaseSession
) -> dry_run.Preview:
    """What a body would become, row by row; nothing is stored. A mapping that names no field of the sample is refused
    with the fields there are."""
    return dry_run.preview(
        session,
        caller.project_id,
        tool,
        payload.sample,
        integration_id=payload.integration_id,
        mapping=payload.mapping,
    )


@router.get("/promptfoo/suite", response_model=PromptfooSuite)
def read_promptfoo_suite(
    caller: Reader,
    session: DatabaseSession,
    cycle_id: Annotated[str | None, Query(max_length=100, description="The cases that it fixed.")] = None,
    bad_case_id: Annotated[
        list[str] | None, Query(max_length=1000, description="Once for each case.")
    ] = None,
) -> dict[str, Any]:
    """Cases as a configuration of promptfoo: save it as `promptfooconfig.json` and add your `providers`."""
    return suites.promptfoo_suite(session, caller.project_id, cycle_id=cycle_id, bad_case_ids=bad_case_id)


@router.get("/{integration_id:integration}", response_model=Integration)
def read_integration(integration_id: Id, caller: Reader, session: DatabaseSession) -> dict[str, Any]:
    return shown(integrations.get(session, caller.project_id, integration_id))


@router.patch("/{integration_id:integration}", response_model=Integration)
def change_integration(
    integration_id: Id,
    payload: IntegrationChange,
    caller: Admin,
    settings: AppSettings,
    session: DatabaseSession,
) -> dict[str, Any]:
    """Another mapping (the whole of it), URL, token or project. Another URL forgets the token, which was for the old
    one."""
    if payload.url is not None:
        integrations.check_url(payload.url, allow_private=settings.integrations_allow_private)
    return shown(integrations.change(session, caller.project_id, integration_id, **_given(payload)))


@router.post("/{integration_id:integration}/rotate-secret", response_model=IntegrationWithSecret)
def rotate_integration_secret(integration_id: Id, caller: Admin, session: DatabaseSession) -> dict[str, Any]:
    """A new secret, shown this once; the old one opens nothing from now on."""
    made = integrations.rotate_secret(session, caller.project_id, integration_id)
    return shown(made.row, secret=made.secret)


@router.post("/{integration_id:integration}/pull", status_code=202, response_model=IntegrationDelivery)
def pull_integration(
    integration_id: Id, caller: Contributor, session: DatabaseSession, response: Response
) -> dict[str, Any]:
    """Fetch what the tool has now: what a lost webhook missed comes, what was deleted there goes."""
    integration = integrations.get(session, caller.project_id, integration_id)
    pushing.check_called(integration)
    row = deliveries.start(session, integration, Origin.PULL, {})
    located(response, "/v1/integrations/deliveries", row)
    return delivered(row)


@router.post("/{integration_id:integration}/push", status_code=202, response_model=IntegrationDelivery)
def push_to_integration(
    integration_id: Id,
    payload: PushRequest,
    caller: Maintainer,
    session: DatabaseSession,
    response: Response,
) -> dict[str, Any]:
    """Give findings or open questions to people in the tool, as pre-annotated tasks."""
    integration = integrations.get(session, caller.project_id, integration_id)
    pushing.check(session, integration, payload.diagnosis_id, payload.repair_id)
    row = deliveries.start(session, integration, Origin.PUSH, payload.model_dump(exclude_none=True))
    located(response, "/v1/integrations/deliveries", row)
    return delivered(row)


@router.delete("/{integration_id:integration}", status_code=204)
def delete_integration(integration_id: Id, caller: Admin, session: DatabaseSession) -> Response:
    """Its webhook is closed and its deliveries are forgotten; the bad cases stay."""
    integrations.delete(session, caller.project_id, integration_id)
    return Response(status_code=204)


def _given(payload: NewIntegration | IntegrationChange) -> dict[str, Any]:
    return {name: getattr(payload, name) for name in payload.model_fields_set}
