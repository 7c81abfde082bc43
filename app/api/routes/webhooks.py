"""News out: who hears of what, and how each message fared."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.api.dependencies import Admin, AppSettings, DatabaseSession, Page
from app.api.response_headers import located
from app.api.schemas.common import Id, ListOf
from app.api.schemas.webhooks import Delivery, NewWebhook, Webhook, WebhookChange, WebhookWithSecret
from app.api.transaction_route import TransactionRoute
from app.db.models import WebhookDeliveryRow, WebhookRow
from app.db.repositories.pages import Page as PageOf
from app.services import listings
from app.services.webhooks import webhooks
from app.services.webhooks.news import DeliveryStatus, NewsType

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], route_class=TransactionRoute)


@router.post("", status_code=201, response_model=WebhookWithSecret)
def create_webhook(
    payload: NewWebhook, caller: Admin, settings: AppSettings, session: DatabaseSession, response: Response
) -> WebhookRow:
    """Have a URL called with news, signed as Standard Webhooks says. The secret is in this answer alone."""
    webhooks.check_url(payload.url, allow_private=settings.webhooks_allow_private)
    row = webhooks.create(session, caller.project_id, url=payload.url, types=payload.types)
    return located(response, "/v1/webhooks", row)


@router.get("", response_model=ListOf[Webhook])
def list_webhooks(caller: Admin, session: DatabaseSession, page: Page) -> PageOf[WebhookRow]:
    return listings.in_project(session, caller.project_id, WebhookRow, page)


@router.get("/{webhook_id}/deliveries", response_model=ListOf[Delivery])
def list_webhook_deliveries(
    webhook_id: Id,
    caller: Admin,
    session: DatabaseSession,
    page: Page,
    status: DeliveryStatus | None = None,
    type: NewsType | None = None,
) -> PageOf[WebhookDeliveryRow]:
    """Every message to this webhook; with `status=dead` those that were given up."""
    return webhooks.list_deliveries(session, caller.project_id, webhook_id, page, status=status, type=type)


@router.post("/{webhook_id}/deliveries/{delivery_id}/retry", status_code=202, response_model=Delivery)
def retry_webhook_delivery(
    webhook_id: Id, delivery_id: Id, caller: Admin, session: DatabaseSession
) -> WebhookDeliveryRow:
    """Send a message again, under the same id."""
    return webhooks.retry(session, caller.project_id, webhook_id, delivery_id)


@router.post("/{webhook_id}/rotate-secret", response_model=WebhookWithSecret)
def rotate_webhook_secret(webhook_id: Id, caller: Admin, session: DatabaseSession) -> WebhookRow:
    """A new secret, shown this once. For a day messages carry a signature by the old one as well."""
    return webhooks.rotate_secret(session, caller.project_id, webhook_id)


@router.get("/{webhook_id}", response_model=Webhook)
def read_webhook(webhook_id: Id, caller: Admin, session: DatabaseSession) -> WebhookRow:
    return webhooks.get(session, caller.project_id, webhook_id)


@router.patch("/{webhook_id}", response_model=Webhook)
def change_webhook(
    webhook_id: Id, payload: WebhookChange, caller: Admin, settings: AppSettings, session: DatabaseSession
) -> WebhookRow:
    """Another URL, other types, or off and on again."""
    if payload.url is not None:
        webhooks.check_url(payload.url, allow_private=settings.webhooks_allow_private)
    return webhooks.change(
        session,
        caller.project_id,
        webhook_id,
        url=payload.url,
        types=payload.types,
        enabled=payload.enabled,
    )


@router.delete("/{webhook_id}", status_code=204)
def delete_webhook(webhook_id: Id, caller: Admin, session: DatabaseSession) -> Response:
    """Nothing more is sent to it; its deliveries are forgotten."""
    webhooks.delete(session, caller.project_id, webhook_id)
    return Response(status_code=204)
