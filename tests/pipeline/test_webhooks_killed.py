"""Real worker processes send messages to webhooks, and one is killed while it waits for the answer."""

from __future__ import annotations

import time

import pytest
from fastapi.testclient import TestClient

from app.db.session import SessionFactory, transaction
from app.queue import Stage
from app.settings import Settings
from tests.integration.builders import add_diagnosis, succeed
from tests.integration.receiver import Receiver, slowly
from tests.pipeline.processes import Worker


@pytest.mark.kill
def test_a_message_survives_the_worker_that_was_sending_it(
    client: TestClient,
    settings: Settings,
    sessions: SessionFactory,
    project: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CASEMEND_WEBHOOKS_ALLOW_PRIVATE", "true")
    client.app.state.settings.webhooks_allow_private = True  # type: ignore[attr-defined]
    receiver = Receiver()
    receiver.answer = slowly(30)
    body = {"url": receiver.url, "types": ["diagnosis.succeeded"]}
    webhook = client.post("/v1/webhooks", json=body).json()
    with transaction(sessions) as session:
        succeed(session, Stage.DIAGNOSE, add_diagnosis(session, project).id)

    def until(count: int) -> None:
        end = time.monotonic() + 60
        while len(receiver.received) < count:
            assert time.monotonic() < end
            time.sleep(0.05)

    with Worker(settings, queues="cpu") as first:
        until(1)
        first.kill()
    receiver.answer = Receiver.OK
    with Worker(settings, queues="cpu"):
        until(2)
        end = time.monotonic() + 20
        path = f"/v1/webhooks/{webhook['id']}/deliveries?status=succeeded"
        while not (told := client.get(path).json()["data"]):
            assert time.monotonic() < end
            time.sleep(0.05)
    receiver.close()
    assert {headers["webhook-id"] for headers, _ in receiver.received} == {told[0]["id"]}
    assert receiver.verified(webhook["secret"])["type"] == "diagnosis.succeeded"
    assert len(told[0]["attempts"]) == 1, "the attempt that was killed has no end"
