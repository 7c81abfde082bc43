"""Integrations and their deliveries over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from app.api.schemas.common import Body, LongWork, Name, Resource
from app.db.models import IntegrationDeliveryRow, IntegrationRow
from app.domain.integrations.mapping import FieldMapping
from app.services.integrations import deliveries, integrations
from app.services.integrations.deliveries import DeliveryState, Origin

Url = Annotated[str, Field(min_length=1, max_length=2000, description="Where the tool answers.")]
Token = Annotated[
    str,
    Field(min_length=1, max_length=4000, description="Its API token, of either kind; never shown again."),
]
ProjectNumber = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,200}$")]
SourceProject = Annotated[ProjectNumber, Field(description="The project's id in the tool.")]


class NewIntegration(Body):
    tool: Annotated[str, Field(min_length=1, max_length=40)]
    name: Name = integrations.DEFAULT_NAME
    mapping: FieldMapping | None = None
    url: Url | None = None
    token: Token | None = None
    source_project: SourceProject | None = None


class IntegrationChange(Body):
    mapping: FieldMapping | None = None
    url: Url | None = None
    token: Token | None = None
    source_project: SourceProject | None = None


class Integration(Resource):
    object: Literal["integration"] = "integration"
    id: str
    tool: str
    name: str
    mapping: dict[str, Any] = Field(description="In use: what you set, over what the tool has by default.")
    webhook_path: str = Field(description="Where the tool posts; with the secret in the header.")
    url: str | None
    has_token: bool
    source_project: str | None
    created_at: datetime


class IntegrationWithSecret(Integration):
    secret: str = Field(
        description="Sent by the tool as `X-Casemend-Secret`, or as a bearer token; shown this once."
    )


def shown(row: IntegrationRow, **more: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "tool": row.tool,
        "name": row.name,
        "mapping": integrations.mapping_of(row).as_dict(),
        "webhook_path": f"/v1/integrations/{row.tool}/webhook",
        "url": row.url,
        "has_token": row.token is not None,
        "source_project": row.source_project,
        "created_at": row.created_at,
        **more,
    }


class DeliveredRow(Resource):
    record: str = Field(description="Its key in the tool; empty where it could not be read.")
    status: str = Field(
        description="created, updated, unchanged, withdrawn, rejected, skipped, outdated or unreadable."
    )
    external_id: str | None
    bad_case_id: str | None
    reason: str | None


class IntegrationDelivery(LongWork):
    object: Literal["integration_delivery"] = "integration_delivery"
    integration_id: str
    tool: str
    origin: Origin
    state: DeliveryState
    note: str | None = Field(description="Why there was nothing to do.")
    counts: dict[str, int] = Field(description="How many records, and what became of them.")
    rows: list[DeliveredRow] = Field(description="The first hundred, what went wrong before the rest.")
    headers: dict[str, str]
    size_bytes: int
    replay_of: str | None
    received_at: datetime


def delivered(row: IntegrationDeliveryRow) -> dict[str, Any]:
    names = [*LongWork.model_fields, "integration_id", "tool", "origin", "note", "counts", "rows", "headers"]
    fields = {name: getattr(row, name) for name in [*names, "size_bytes", "replay_of"]}
    return {**fields, "state": deliveries.state_of(row), "received_at": row.created_at}


class Receipt(Resource):
    """What a tool hears: the body is stored; whether it could be read, the delivery tells."""

    object: Literal["integration_delivery"] = "integration_delivery"
    id: str
    state: DeliveryState


class DryRun(Body):
    """``sample``: the body as JSON, or as a text where it is CSV or JSON lines."""

    sample: Any
    integration_id: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    mapping: FieldMapping | None = Field(default=None, description="Tried instead of the integration's.")


class PushRequest(Body):
    """One of the two: the findings of a diagnosis, or the open questions of a plan."""

    diagnosis_id: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    repair_id: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    source_project: ProjectNumber | None = Field(
        default=None, description="Another project than the integration's."
    )


class PromptfooTest(Resource):
    description: str
    metadata: dict[str, str]
    vars: dict[str, Any] = Field(description="`messages` of the prompt, and the `accepted` answers.")
    assert_: list[dict[str, Any]] = Field(alias="assert")


class PromptfooSuite(Resource):
    description: str
    prompts: list[str]
    defaultTest: dict[str, Any]
    tests: list[PromptfooTest]


class PreviewRow(Resource):
    record: str
    status: str = Field(description="case, withdrawn, rejected, skipped or unreadable.")
    external_id: str | None
    reason: str | None
    case: dict[str, Any] | None = Field(description="As `POST /v1/bad-cases` would take it.")


class Preview(Resource):
    object: Literal["integration_preview"] = "integration_preview"
    counts: dict[str, int]
    rows: list[PreviewRow]
    note: str | None
    mapping: dict[str, Any] = Field(description="The mapping in use.")
    fields: list[str] = Field(description="Paths that the sample has, for a mapping to name.")
