"""Webhooks and their deliveries over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from app.api.schemas.common import Body, Resource
from app.services.webhooks.news import DeliveryStatus, NewsType

Url = Annotated[
    str, Field(min_length=1, max_length=2000, description="Called with POST; no redirect is followed.")
]
Types = Annotated[list[Annotated[NewsType, Field(strict=False)]], Field(min_length=1, max_length=100)]


class NewWebhook(Body):
    url: Url
    types: Types


class WebhookChange(Body):
    url: Url | None = None
    types: Types | None = None
    enabled: bool | None = None


class Webhook(Resource):
    object: Literal["webhook"] = "webhook"
    id: str
    url: str
    types: list[NewsType]
    enabled: bool
    disabled_reason: str | None = Field(description="Why this service stopped calling it.")
    created_at: datetime
    previous_until: datetime | None = Field(
        description="Until then messages are also signed with the secret before the last rotation."
    )


class WebhookWithSecret(Webhook):
    secret: str = Field(description="`whsec_` and base64; shown this once. Verify messages with it.")


class DeliveryAttempt(Resource):
    at: datetime
    response_code: int | None = Field(description="Null where no answer came.")
    error: str | None
    milliseconds: int


class Delivery(Resource):
    """A message to a webhook. ``id`` is its `webhook-id`, the same on every attempt."""

    object: Literal["webhook_delivery"] = "webhook_delivery"
    id: str
    webhook_id: str
    type: NewsType
    subject_id: str = Field(description="What the message is about.")
    status: DeliveryStatus
    response_code: int | None = Field(description="Of the last attempt.")
    attempts: list[DeliveryAttempt] = Field(description="The latest, oldest first.")
    next_attempt_at: datetime | None
    delivered_at: datetime | None
    created_at: datetime
