"""A real Label Studio: it sends, updates and deletes; it is pulled from and pushed to."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import uvicorn

from app.db.session import SessionFactory, transaction
from app.main import create_app
from app.settings import Settings
from tests.conftest import ADMIN_KEY, bearer
from tests.integration.reviewed import add_finding, add_question
from tests.model.studio import LEGACY_TOKEN, Studio
from tests.pipeline.processes import Worker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

INTERFACE = (
    '<View><Text name="prompt" value="$prompt"/><Text name="response" value="$response"/>'
    '<Choices name="verdict" toName="prompt"><Choice value="good"/><Choice value="bad"/></Choices>'
    '<Choices name="cause" toName="prompt"><Choice value="conflict"/><Choice value="ood"/></Choices>'
    '<TextArea name="expected" toName="prompt"/></View>'
)
MAPPING = {
    "fields": {
        "prompt": "data.prompt",
        "model_output": "data.response",
        "expected_output": "result.expected",
        "failure_type": "result.cause",
        "external_id": "data.external_id",
    },
    "bad_when": {"path": "result.verdict", "values": ["bad"]},
}


@pytest.fixture
def service(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """The API on a real port with a worker beside it; a client with the admin's key."""
    monkeypatch.setenv("CASEMEND_INTEGRATIONS_ALLOW_PRIVATE", "true")
    allowed = settings.model_copy(update={"integrations_allow_private": True})
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(allowed), log_config=None, lifespan="on"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.05)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with Worker(settings, queues="cpu"), httpx.Client(base_url=url, headers=bearer(ADMIN_KEY)) as client:
            yield client
        server.should_exit = True
        thread.join(timeout=20)


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.2)


def annotation(expected: str, verdict: str = "bad") -> dict[str, Any]:
    def said(name: str, type: str, value: dict[str, Any]) -> dict[str, Any]:
        return {"from_name": name, "to_name": "prompt", "type": type, "value": value}

    return {
        "result": [
            said("verdict", "choices", {"choices": [verdict]}),
            said("expected", "textarea", {"text": [expected]}),
        ]
    }


def test_a_real_label_studio(
    studio: Studio, service: httpx.Client, sessions: SessionFactory, project: str
) -> None:
    number = studio.call("POST", "/api/projects/", {"title": "cases", "label_config": INTERFACE})["id"]
    made = service.post(
        "/v1/integrations",
        json={
            "tool": "label-studio",
            "mapping": MAPPING,
            "url": studio.url,
            "token": studio.personal_token,
            "source_project": str(number),
        },
    ).json()
    hook = studio.call(
        "POST",
        "/api/webhooks/",
        {
            "url": str(service.base_url.join(made["webhook_path"])),
            "headers": {"X-Casemend-Secret": made["secret"]},
            "project": number,
            "send_payload": True,
            "send_for_all_actions": True,
        },
    )
    rows = [
        {"prompt": f"What is {i} + {i}?", "response": "7", "external_id": f"sum-{i}"} for i in range(1, 5)
    ]
    studio.call("POST", f"/api/projects/{number}/import", rows)
    tasks = {
        t["data"]["external_id"]: t["id"]
        for t in studio.call("GET", f"/api/tasks/?project={number}")["tasks"]
    }

    def cases() -> dict[str, str]:
        listed = service.get("/v1/bad-cases").json()["data"]
        return {c["external_id"]: c["expected_output"] for c in listed}

    def annotate(external_id: str, expected: str) -> int:
        answer = studio.call("POST", f"/api/tasks/{tasks[external_id]}/annotations/", annotation(expected))
        return int(answer["id"])

    first = annotate("sum-1", "3")
    second = annotate("sum-2", "4")
    until(lambda: cases() == {"sum-1": "3", "sum-2": "4"})
    studio.call("PATCH", f"/api/annotations/{first}/", annotation("2"))
    until(lambda: cases() == {"sum-1": "2", "sum-2": "4"})
    studio.call("DELETE", f"/api/annotations/{second}/")
    until(lambda: cases() == {"sum-1": "2"})

    # what it could not tell, a pull brings: by a token of either kind
    studio.call("PATCH", f"/api/webhooks/{hook['id']}/", {"is_active": False})
    annotate("sum-3", "6")
    assert finished(service, "POST", f"/v1/integrations/{made['id']}/pull")["counts"] == {
        "records": 2,
        "created": 1,
        "unchanged": 1,
    }
    studio.call("DELETE", f"/api/annotations/{first}/")
    assert service.patch(f"/v1/integrations/{made['id']}", json={"token": LEGACY_TOKEN}).is_success
    pulled = finished(service, "POST", f"/v1/integrations/{made['id']}/pull")
    assert (pulled["counts"]["withdrawn"], cases()) == (1, {"sum-3": "6"})

    # findings and questions go back: one on the task that is known, the others as tasks with predictions
    with transaction(sessions) as session:
        from app.db.models import BadCaseRow

        case = session.query(BadCaseRow).filter_by(external_id="sum-3").one()
        diagnosis_id = add_finding(session, project, case)
    push = f"/v1/integrations/{made['id']}/push"
    assert finished(service, "POST", push, {"diagnosis_id": diagnosis_id})["counts"]["pushed"] == 1
    predictions = studio.call("GET", f"/api/predictions/?task={tasks['sum-3']}")
    assert [p["model_version"] for p in predictions] == [f"casemend {diagnosis_id}"]
    assert {r["from_name"] for r in predictions[0]["result"]} == {"verdict", "cause", "expected"}
    with transaction(sessions) as session:
        service.delete(f"/v1/bad-cases/{session.query(BadCaseRow).filter_by(external_id='c-0').one().id}")
        repair_id = add_question(session, project)
    assert finished(service, "POST", push, {"repair_id": repair_id})["counts"]["pushed"] == 1
    listed = studio.call("GET", f"/api/tasks/?project={number}&fields=all")["tasks"]
    (question,) = [t for t in listed if "casemend" in t["data"]]
    assert question["data"]["prompt"] == "When do you open?"
    assert question["data"]["casemend"]["repair_id"] == repair_id
    assert question["total_predictions"] == 1


def finished(service: httpx.Client, method: str, path: str, body: object = None) -> dict[str, Any]:
    answer = service.request(method, path, json=body)
    assert answer.status_code == 202, answer.text
    place = answer.headers["location"]
    until(lambda: service.get(place).json()["state"] != "received")
    done = service.get(place).json()
    assert done["state"] == "applied", done
    return done
