"""News out: written down with what happened, signed, tried again, given up, and shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from itertools import count, pairwise
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from standardwebhooks import WebhookVerificationError

from app.artifacts import ArtifactStore
from app.db.models import WebhookDeliveryRow
from app.db.session import SessionFactory, transaction
from app.domain.job_status import Status
from app.domain.pipeline import CycleStage
from app.queue import Stage
from app.services.diagnoses import diagnoses
from app.services.webhooks import deliveries
from app.services.webhooks.news import NewsType
from app.services.work import lifecycle, work
from app.settings import Settings
from tests.conftest import bearer
from tests.integration.builders import (
    add_cycle,
    add_diagnosis,
    add_repair,
    add_version,
    claim,
    finish_until,
    succeed,
)
from tests.integration.receiver import Receiver, plainly, slowly, with_body_of
from workers import news
from workers.context import Resources

numbers = count()
ALL = [t.value for t in NewsType]
pytestmark = pytest.mark.usefixtures("project")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"webhooks_allow_private": True})


@pytest.fixture
def resources(settings: Settings, sessions: SessionFactory, store: ArtifactStore) -> Resources:
    return Resources(settings=settings, sessions=sessions, store=store)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def made(client: TestClient, receiver: Receiver, types: list[str] = ALL) -> dict[str, Any]:
    answer = client.post("/v1/webhooks", json={"url": receiver.url, "types": types})
    assert answer.status_code == 201, answer.text
    return answer.json()


def waiting(sessions: SessionFactory) -> list[str]:
    with sessions() as session:
        rows = text(
            "SELECT lock FROM procrastinate_jobs WHERE queue_name = 'news' AND status = 'todo' ORDER BY id"
        )
        return list(session.scalars(rows))


def deliver(resources: Resources, delivery_id: str) -> None:
    """What the queue does with a job, whenever it is due."""
    with transaction(resources.sessions) as session:
        session.execute(text("DELETE FROM procrastinate_jobs WHERE lock = :lock"), {"lock": delivery_id})
    asyncio.run(news.deliver_once(resources, delivery_id))


def fail_diagnosis(sessions: SessionFactory, project: str) -> str:
    with transaction(sessions) as session:
        version = add_version(session, project, name=f"version {next(numbers)}")
        row = diagnoses.create(session, project, dataset_version_id=version.id, case_ids=["bc_1"])
        held = work.held(session, claim(session, Stage.DIAGNOSE, row.id), to_finish=True)
        problem = {"type": "/problems/x", "title": "It failed", "status": 422, "detail": "row 'my secret'"}
        lifecycle.finish(session, held, Status.FAILED, error=problem)
        return row.id


def shown(client: TestClient, webhook_id: str, **filters: str) -> list[dict[str, Any]]:
    answer = client.get(f"/v1/webhooks/{webhook_id}/deliveries", params=filters)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_a_message_is_signed_and_says_what_the_api_shows_without_texts(
    client: TestClient, sessions: SessionFactory, project: str, resources: Resources, receiver: Receiver
) -> None:
    webhook = made(client, receiver)
    diagnosis_id = fail_diagnosis(sessions, project)
    (delivery_id,) = waiting(sessions)
    deliver(resources, delivery_id)

    message = receiver.verified(webhook["secret"])
    assert message["type"] == "diagnosis.failed"
    headers, body = receiver.received[0]
    assert headers["webhook-id"] == delivery_id
    assert headers["content-type"] == "application/json"
    assert b"my secret" not in body
    told: Any = message["data"]
    api = client.get(f"/v1/diagnoses/{diagnosis_id}").json()
    assert told["error"].items() <= api["error"].items()
    assert all(told[name] == api[name] for name in told if name not in ("error", "summary"))
    with pytest.raises(WebhookVerificationError):
        receiver.verified("whsec_" + "A" * 43 + "=")

    (delivery,) = shown(client, webhook["id"])
    assert delivery["status"] == "succeeded"
    assert delivery["response_code"] == 204
    assert [a["response_code"] for a in delivery["attempts"]] == [204]
    assert "secret" not in client.get(f"/v1/webhooks/{webhook['id']}").json()
    assert waiting(sessions) == []


def test_news_are_written_with_what_happened_or_not_at_all(
    client: TestClient, sessions: SessionFactory, project: str, receiver: Receiver
) -> None:
    made(client, receiver)
    with sessions() as session:
        row = add_diagnosis(session, project)
        succeed(session, Stage.DIAGNOSE, row.id)
        session.rollback()
    assert waiting(sessions) == []


def test_only_what_was_asked_for_is_told_and_only_to_those_who_may_know(
    client: TestClient, sessions: SessionFactory, project: str, receiver: Receiver, other_project_key: str
) -> None:
    body = {"url": receiver.url, "types": ["diagnosis.failed"]}
    assert client.post("/v1/webhooks", json=body, headers=bearer(other_project_key)).status_code == 201
    made(client, receiver, ["diagnosis.succeeded"])
    off = made(client, receiver)
    assert client.patch(f"/v1/webhooks/{off['id']}", json={"enabled": False}).status_code == 200
    fail_diagnosis(sessions, project)
    assert waiting(sessions) == []


def types_told(session: Session) -> list[str]:
    return list(session.scalars(select(WebhookDeliveryRow.type).order_by(WebhookDeliveryRow.created_at)))


def test_a_cycle_tells_of_its_parts_of_a_plan_that_waits_and_of_its_end(
    client: TestClient, session: Session, project: str, receiver: Receiver
) -> None:
    made(client, receiver)
    cycle = add_cycle(session, project, approval="manual")
    finish_until(session, cycle, CycleStage.REPAIR)
    succeed(session, Stage.REPAIR, cycle.stages[-1]["result_id"])
    assert types_told(session) == ["diagnosis.succeeded", "repair.awaiting_approval"]


def test_a_cycle_that_fails_tells_of_both(
    client: TestClient, session: Session, project: str, receiver: Receiver
) -> None:
    made(client, receiver)
    failing = add_cycle(session, project)
    held = work.held(session, claim(session, Stage.DIAGNOSE, failing.stages[-1]["result_id"]), to_finish=True)
    lifecycle.finish(session, held, Status.FAILED, error={"title": "no"})
    assert types_told(session) == ["diagnosis.failed", "cycle.failed"]


def test_a_plan_of_no_cycle_waits_for_a_person(
    client: TestClient, session: Session, project: str, receiver: Receiver
) -> None:
    made(client, receiver)
    version = add_version(session, project)
    repair = add_repair(session, project, [], version=version)
    assert types_told(session) == ["diagnosis.succeeded", "repair.awaiting_approval"]
    row = session.scalars(select(WebhookDeliveryRow).where(WebhookDeliveryRow.subject_id == repair.id)).one()
    assert json.loads(row.body)["data"]["object"] == "repair"


def test_a_failed_try_is_repeated_under_the_same_id_with_growing_waits_until_it_is_dead(
    client: TestClient, sessions: SessionFactory, project: str, resources: Resources, receiver: Receiver
) -> None:
    webhook = made(client, receiver)
    fail_diagnosis(sessions, project)
    receiver.answer = plainly(500)
    (delivery_id,) = waiting(sessions)
    for tried in range(1, deliveries.MAX_TRIES + 1):
        assert waiting(sessions) == [delivery_id]
        deliver(resources, delivery_id)
        (delivery,) = shown(client, webhook["id"])
        assert len(delivery["attempts"]) == tried
    assert waiting(sessions) == []
    assert {h["webhook-id"] for h, _ in receiver.received} == {delivery_id}
    assert len({body for _, body in receiver.received}) == 1
    (dead,) = shown(client, webhook["id"], status="dead")
    assert dead["attempts"][-1]["error"] == "it answered 500"
    assert dead["next_attempt_at"] is None

    receiver.answer = Receiver.OK
    again = client.post(f"/v1/webhooks/{webhook['id']}/deliveries/{delivery_id}/retry")
    assert again.status_code == 202
    assert again.json()["status"] == "pending"
    assert client.post(f"/v1/webhooks/{webhook['id']}/deliveries/{delivery_id}/retry").status_code == 409
    deliver(resources, delivery_id)
    assert receiver.verified(webhook["secret"])["type"] == "diagnosis.failed"
    assert shown(client, webhook["id"], status="dead") == []


def test_waits_grow_to_about_a_day() -> None:
    waits = [deliveries.delay_before(n, jitter=0.5).total_seconds() for n in range(1, deliveries.MAX_TRIES)]
    assert waits[0] == 5
    assert all(later == 4 * earlier for earlier, later in pairwise(waits))
    assert 20 * 3600 < waits[-1] < 24 * 3600
    assert deliveries.delay_before(1, jitter=0.0) < deliveries.delay_before(1, jitter=1.0)


@pytest.mark.parametrize(
    ("answer", "code", "error"),
    [
        (plainly(302, Location="http://127.0.0.1:9/"), 302, "it answered 302; redirects are not followed"),
        (plainly(404), 404, "it answered 404"),
        (slowly(3), None, "no answer within 0.5 s"),
        (with_body_of(10 * 2**20), 200, None),
    ],
    ids=["redirect", "not found", "slow", "10 MB"],
)
def test_every_kind_of_endpoint_costs_one_bounded_try(
    receiver: Receiver, answer: Any, code: int | None, error: str | None
) -> None:
    receiver.answer = answer
    outgoing = deliveries.Outgoing(url=receiver.url, body=b"{}", headers={"webhook-id": "msg_1"}, tries=0)
    outcome = asyncio.run(news.send(outgoing, allow_private=True, answer_seconds=0.5))
    assert (outcome.response_code, outcome.error) == (code, error)
    assert outcome.milliseconds < 2_000
    assert len(receiver.received) == 1


def test_a_private_address_is_not_called_even_where_the_webhook_names_one(receiver: Receiver) -> None:
    outgoing = deliveries.Outgoing(url=receiver.url, body=b"{}", headers={}, tries=0)
    outcome = asyncio.run(news.send(outgoing, allow_private=False))
    assert outcome.response_code is None
    assert outcome.error is not None
    assert "no public address" in outcome.error
    assert receiver.received == []


def test_an_endpoint_that_is_away_is_told_by_its_kind() -> None:
    outgoing = deliveries.Outgoing(url="http://127.0.0.1:9/", body=b"{}", headers={}, tries=0)
    outcome = asyncio.run(news.send(outgoing, allow_private=True))
    assert outcome.error == "the call failed: ConnectError"


def test_gone_for_good_disables_the_webhook(
    client: TestClient, sessions: SessionFactory, project: str, resources: Resources, receiver: Receiver
) -> None:
    webhook = made(client, receiver)
    fail_diagnosis(sessions, project)
    fail_diagnosis(sessions, project)
    first, second = waiting(sessions)
    receiver.answer = plainly(410)
    deliver(resources, first)
    deliver(resources, second)
    assert len(receiver.received) == 1, "what was on its way dies unsent"
    assert {d["status"] for d in shown(client, webhook["id"])} == {"dead"}
    now = client.get(f"/v1/webhooks/{webhook['id']}").json()
    assert now["enabled"] is False
    assert "410" in now["disabled_reason"]
    assert client.post(f"/v1/webhooks/{webhook['id']}/deliveries/{first}/retry").status_code == 409
    client.patch(f"/v1/webhooks/{webhook['id']}", json={"enabled": True})
    assert client.post(f"/v1/webhooks/{webhook['id']}/deliveries/{first}/retry").status_code == 202


def test_both_secrets_verify_after_a_rotation(
    client: TestClient, sessions: SessionFactory, project: str, resources: Resources, receiver: Receiver
) -> None:
    webhook = made(client, receiver)
    rotated = client.post(f"/v1/webhooks/{webhook['id']}/rotate-secret").json()
    assert rotated["secret"] != webhook["secret"]
    fail_diagnosis(sessions, project)
    deliver(resources, waiting(sessions)[0])
    assert receiver.verified(webhook["secret"]) == receiver.verified(rotated["secret"])
    with transaction(sessions) as session:
        session.execute(text("UPDATE webhooks SET previous_until = now()"))
    fail_diagnosis(sessions, project)
    deliver(resources, waiting(sessions)[0])
    receiver.verified(rotated["secret"])
    with pytest.raises(WebhookVerificationError):
        receiver.verified(webhook["secret"])


def test_a_worker_killed_after_it_sent_sends_again_and_ends_once(
    client: TestClient, sessions: SessionFactory, project: str, resources: Resources, receiver: Receiver
) -> None:
    webhook = made(client, receiver)
    fail_diagnosis(sessions, project)
    (delivery_id,) = waiting(sessions)
    with transaction(sessions) as session:
        begun = deliveries.begin(session, delivery_id, now=work.now())
    assert begun is not None
    slow = asyncio.run(news.send(begun, allow_private=True))  # and is killed; or is only slow
    receiver.answer = plainly(500)
    deliver(resources, delivery_id)
    assert [h["webhook-id"] for h, _ in receiver.received] == [delivery_id, delivery_id]
    with transaction(sessions) as session:
        deliveries.end(session, delivery_id, begun, slow, jitter=0.5)
    (delivery,) = shown(client, webhook["id"])
    assert len(delivery["attempts"]) == 1
    assert waiting(sessions) == [delivery_id]


def test_a_message_without_a_job_gets_one(
    client: TestClient, sessions: SessionFactory, project: str, receiver: Receiver
) -> None:
    made(client, receiver)
    fail_diagnosis(sessions, project)
    (delivery_id,) = waiting(sessions)
    with transaction(sessions) as session:
        assert deliveries.defer_lost(session) == []
        session.execute(text("DELETE FROM procrastinate_jobs WHERE queue_name = 'news'"))
        assert deliveries.defer_lost(session) == [delivery_id]
    assert waiting(sessions) == [delivery_id]


@pytest.mark.parametrize(
    "body",
    [
        {"url": "https://127.0.0.1/", "types": ["cycle.failed"]},
        {"url": "https://[::ffff:10.0.0.1]/", "types": ["cycle.failed"]},
        {"url": "http://93.184.216.34/", "types": ["cycle.failed"]},
        {"url": "https://no-such-host.invalid/", "types": ["cycle.failed"]},
        {"url": "nonsense", "types": ["cycle.failed"]},
        {"url": "https://93.184.216.34/", "types": []},
        {"url": "https://93.184.216.34/", "types": ["cycle.exploded"]},
        {"url": "https://93.184.216.34/", "types": ["cycle.failed"], "secret": "mine"},
    ],
)
def test_what_cannot_be_called_is_refused_when_it_is_named(
    refusing_client: TestClient, body: dict[str, Any]
) -> None:
    answer = refusing_client.post("/v1/webhooks", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_webhook_is_its_projects_alone(
    client: TestClient, receiver: Receiver, other_project_key: str
) -> None:
    path = f"/v1/webhooks/{made(client, receiver)['id']}"
    other = bearer(other_project_key)
    assert client.get(path, headers=other).status_code == 404
    assert client.patch(path, json={"enabled": False}, headers=other).status_code == 404
    assert client.post(f"{path}/rotate-secret", headers=other).status_code == 404
    assert client.get(f"{path}/deliveries", headers=other).status_code == 404
    assert client.delete(path, headers=other).status_code == 404
    assert client.get("/v1/webhooks", headers=other).json()["data"] == []
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
