"""What is worth telling: written down for every webhook that asked for it, in the transaction that made it happen.

What is sent is a part of the object as the API shows it: ids, states and figures. Texts of users stay here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import queue
from app.db.base import LongWork
from app.db.models import (
    CycleRow,
    DiagnosisRow,
    RepairRow,
    TrainingJobRow,
    VerificationRow,
    WebhookDeliveryRow,
    WebhookRow,
)
from app.domain.job_status import Status


class NewsType(StrEnum):
    DIAGNOSIS_SUCCEEDED = "diagnosis.succeeded"
    DIAGNOSIS_FAILED = "diagnosis.failed"
    REPAIR_AWAITING_APPROVAL = "repair.awaiting_approval"
    TRAINING_JOB_SUCCEEDED = "training_job.succeeded"
    TRAINING_JOB_FAILED = "training_job.failed"
    VERIFICATION_SUCCEEDED = "verification.succeeded"
    VERIFICATION_FAILED = "verification.failed"
    CYCLE_SUCCEEDED = "cycle.succeeded"
    CYCLE_FAILED = "cycle.failed"


class DeliveryStatus(StrEnum):
    """``dead``: given up; somebody may ask for another round."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    DEAD = "dead"


_SHOWN: Final[dict[type[LongWork], tuple[str, ...]]] = {
    DiagnosisRow: ("dataset_version_id", "cycle_id", "cases"),
    RepairRow: ("diagnosis_id", "dataset_version_id", "cycle_id", "revision"),
    TrainingJobRow: ("dataset_version_id", "mixture_id", "cycle_id", "base_model", "adapter_id"),
    VerificationRow: ("diagnosis_id", "cycle_id", "adapter_id", "before_adapter_id", "retention_version_id"),
    CycleRow: ("dataset_version_id", "base_model", "stage", "attempt", "before_adapter_id", "adapter_id"),
}
"""Fields beside those of all work. Names and numbers only."""

_NOUN: Final[dict[type[LongWork], str]] = {
    DiagnosisRow: "diagnosis",
    RepairRow: "repair",
    TrainingJobRow: "training_job",
    VerificationRow: "verification",
    CycleRow: "cycle",
}


def ended(session: Session, row: LongWork) -> None:
    """Work came to its end. Nothing is told of what no type stands for, such as work that was cancelled."""
    if isinstance(row, RepairRow) and row.status == Status.SUCCEEDED and row.cycle_id is None:
        tell(
            session, NewsType.REPAIR_AWAITING_APPROVAL, row
        )  # a cycle's plan: the cycle knows whether it waits
    told = f"{_NOUN.get(type(row))}.{row.status}"
    if told in set(NewsType):
        tell(session, NewsType(told), row)


def tell(session: Session, type: NewsType, row: Any) -> None:
    webhooks = session.scalars(
        select(WebhookRow).where(
            WebhookRow.project_id == row.project_id,
            WebhookRow.enabled,
            WebhookRow.types.contains([type.value]),  # pyright: ignore[reportArgumentType]
        )
    ).all()
    if not webhooks:
        return
    now = datetime.now(UTC)
    message = {"type": type.value, "timestamp": _text(now), "data": shown(row)}
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    for webhook in webhooks:
        delivery = WebhookDeliveryRow(
            webhook_id=webhook.id,
            type=type.value,
            subject_id=row.id,
            body=body,
            status=DeliveryStatus.PENDING.value,
            next_attempt_at=now,
        )
        session.add(delivery)
        session.flush()
        queue.defer_delivery(session, delivery.id)


def shown(row: Any) -> dict[str, Any]:
    data: dict[str, Any] = {
        "id": row.id,
        "object": _NOUN[type(row)],
        "created_at": _text(row.created_at),
        "status": Status(row.status).value,
        "finished_at": _text(row.finished_at),
        # what went wrong in words may quote a row
        "error": row.error and {key: row.error.get(key) for key in ("type", "title", "status")},
        **{name: getattr(row, name) for name in _SHOWN[type(row)]},
    }
    if isinstance(row, DiagnosisRow):
        data["summary"] = row.summary and {"by_category": row.summary.get("by_category")}
    elif isinstance(row, VerificationRow):
        data["result"] = row.result and {"gate": {"accepted": (row.result.get("gate") or {}).get("accepted")}}
    elif isinstance(row, CycleRow):
        data["verdict"] = _figures(row.verdict)
    return data


def _figures(verdict: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A verdict without its reasons, which are sentences."""
    names = ("fix_rate", "held_back_fix_rate", "retention", "gate", "verification_id", "attempt")
    return {name: verdict.get(name) for name in names} if verdict else None


def _text(when: datetime | None) -> str | None:
    return None if when is None else when.astimezone(UTC).isoformat().replace("+00:00", "Z")
