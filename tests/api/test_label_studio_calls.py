"""Label Studio pulled from and pushed to, by a stand-in: what it has, and when it is slow, gone, or redirects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.artifacts import ArtifactStore
from app.db.models import BadCaseRow
from app.db.session import SessionFactory, transaction
from app.queue import Stage
from app.settings import Settings
from tests.api.test_integrations import MAPPING, cases, recorded
from tests.integration.builders import add_case
from tests.integration.reviewed import add_finding, add_question
from tests.integration.studio import PERSONAL_TOKEN, StandIn
from workers.context import Resources
from workers.integrations import label_studio
from workers.run_stage import run_stage

EXPORT = ("GET", "/api/projects/4/export")
PROJECT = ("GET", "/api/projects/4/")
IMPORT = ("POST", "/api/projects/4/import")
PREDICTIONS = ("POST", "/api/projects/4/import/predictions")

Finished = Callable[..., dict[str, Any]]


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    made = StandIn()
    made.answers[EXPORT] = (200, json.loads(recorded("export")))
    made.answers[PROJECT] = (200, json.loads(recorded("webhook_annotation_created"))["project"])
    made.answers[IMPORT] = made.answers[PREDICTIONS] = (201, {"task_count": 1})
    yield made
    made.close()


@pytest.fixture
def integration(client: TestClient, stand_in: StandIn, settings: Settings) -> dict[str, Any]:
    client.app.state.settings.integrations_allow_private = True  # type: ignore[attr-defined]
    settings.integrations_allow_private = True
    body = {
        "tool": "label-studio",
        "mapping": MAPPING,
        "url": stand_in.url,
        "token": "abc",
        "source_project": "4",
    }
    answer = client.post("/v1/integrations", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def finished(
    client: TestClient,
    integration: dict[str, Any],
    sessions: SessionFactory,
    store: ArtifactStore,
    settings: Settings,
) -> Finished:
    """Asks for a pull or a push and has it done; the delivery afterwards."""

    def ask(what: str, body: object = None) -> dict[str, Any]:
        answer = client.post(f"/v1/integrations/{integration['id']}/{what}", json=body)
        assert answer.status_code == 202, answer.text
        delivery_id = answer.json()["id"]
        run_stage(Resources(settings=settings, sessions=sessions, store=store), Stage.INTEGRATE, delivery_id)
        return client.get(answer.headers["location"]).json()

    return ask


def test_a_pull_brings_what_is_there_and_takes_what_is_gone(
    client: TestClient, finished: Finished, stand_in: StandIn
) -> None:
    first = finished("pull")
    assert (first["origin"], first["counts"]) == ("pull", {"records": 2, "created": 2})
    assert stand_in.asked[-1][2] == "Token abc"
    assert client.get(f"/v1/integrations/deliveries/{first['id']}/body").json()[0]["id"] == 5
    tasks = stand_in.answers[EXPORT][1]
    stand_in.answers[EXPORT] = (200, tasks[:1])
    assert finished("pull")["counts"] == {"records": 2, "unchanged": 1, "withdrawn": 1}
    assert set(cases(client)) == {"log-1"}


def test_a_personal_token_is_changed_for_an_access_token(
    client: TestClient, finished: Finished, stand_in: StandIn, integration: dict[str, Any]
) -> None:
    client.patch(f"/v1/integrations/{integration['id']}", json={"token": PERSONAL_TOKEN})
    assert finished("pull")["state"] == "applied"
    assert stand_in.asked == [
        ("POST", "/api/token/refresh", None, {"refresh": PERSONAL_TOKEN}),
        ("GET", "/api/projects/4/export", "Bearer short-lived", None),
    ]


def test_a_token_is_never_shown_and_never_sent_to_another_url(
    client: TestClient, integration: dict[str, Any]
) -> None:
    path = f"/v1/integrations/{integration['id']}"
    assert "abc" not in client.get(path).text
    assert client.patch(path, json={"url": "http://127.0.0.1:9"}).json()["has_token"] is False
    refused = client.post(f"{path}/pull")
    assert (refused.status_code, "no token" in refused.json()["detail"]) == (409, True)


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        ("gone", "it cannot be reached (ConnectError)"),
        ("redirects", "it redirects to 'http://elsewhere.example/'"),
        ("slow", "no whole answer within 0.5 s"),
        ("token", "the token is not accepted (Invalid token.)"),
        ("project", "is the project there?"),
        ("broken", "it answered 500"),
        ("page", "its answer is no JSON"),
        ("large", "it sends more than 1,000 bytes"),
    ],
)
def test_a_label_studio_in_trouble_is_told_and_nothing_is_lost(
    client: TestClient,
    finished: Finished,
    stand_in: StandIn,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    trouble: str,
    says: str,
) -> None:
    finished("pull")
    match trouble:
        case "gone":
            stand_in.close()
        case "redirects":
            stand_in.redirect = "http://elsewhere.example/"
        case "slow":
            stand_in.drip_seconds = 5
            monkeypatch.setattr(label_studio, "CALL_SECONDS", 0.5)
        case "token":
            stand_in.answers[EXPORT] = (401, {"detail": "Invalid token."})
        case "project":
            del stand_in.answers[EXPORT]
        case "broken":
            stand_in.answers[EXPORT] = (500, b"<html>")
        case "page":
            stand_in.answers[EXPORT] = (200, b"<html>")
        case _:
            settings.body_limit_bytes = 1_000
    done = finished("pull")
    assert done["state"] == "failed"
    assert done["error"]["type"] == "/problems/tool-unavailable"
    assert says in done["error"]["detail"]
    assert set(cases(client)) == {"log-1", "log-2"}


def test_private_addresses_are_called_where_the_operator_allows_it_alone(
    client: TestClient, finished: Finished, settings: Settings
) -> None:
    settings.integrations_allow_private = False
    assert "no public address" in finished("pull")["error"]["detail"]
    client.app.state.settings.integrations_allow_private = False  # type: ignore[attr-defined]
    for url in ("http://93.184.216.34", "https://127.0.0.1", "https://169.254.169.254"):
        body = {"tool": "label-studio", "name": url, "url": url}
        assert client.post("/v1/integrations", json=body).status_code == 422


def test_findings_are_pushed_as_predictions_and_come_back_into_their_cases(
    client: TestClient, finished: Finished, stand_in: StandIn, sessions: SessionFactory, project: str
) -> None:
    finished("pull")
    with transaction(sessions) as session:
        known = session.scalars(select(BadCaseRow).where(BadCaseRow.external_id == "log-1")).one()
        diagnosis_id = add_finding(session, project, known)
    done = finished("push", {"diagnosis_id": diagnosis_id})
    assert (done["origin"], done["counts"]) == ("push", {"records": 1, "pushed": 1})
    method, path, _, sent = stand_in.asked[-1]
    assert (method, path) == PREDICTIONS
    assert (sent[0]["task"], sent[0]["model_version"], sent[0]["score"]) == (
        5,
        f"casemend {diagnosis_id}",
        0.9,
    )


def test_a_case_from_elsewhere_becomes_a_task_and_keeps_what_the_tool_does_not_know(
    client: TestClient, finished: Finished, stand_in: StandIn, sessions: SessionFactory, project: str
) -> None:
    with transaction(sessions) as session:
        case = add_case(session, project, 7)
        case.tags, case.request, case.external_id = ["vip"], {"temperature": 0.5}, None
        diagnosis_id = add_finding(session, project, case)
        case_id = case.id
    finished("push", {"diagnosis_id": diagnosis_id})
    (task,) = stand_in.asked[-1][3]
    assert (task["data"]["prompt"], task["data"]["external_id"]) == ("Where is order 7?", case_id)
    annotation = {"id": 50, "result": task["predictions"][0]["result"], "updated_at": "2026-11-23T00:00:00Z"}
    annotation["result"][0]["value"]["text"] = ["It comes on Monday."]
    stand_in.answers[EXPORT] = (200, [{"id": 30, "data": task["data"], "annotations": [annotation]}])
    assert finished("pull")["counts"] == {"records": 1, "updated": 1}
    after = client.get(f"/v1/bad-cases/{case_id}").json()
    assert after["expected_output"] == "It comes on Monday."
    assert (after["tags"], after["request"], after["source"]) == (["vip"], {"temperature": 0.5}, None)
    stand_in.answers[EXPORT] = (200, [])
    assert finished("pull")["rows"][0]["reason"] == "the case came from elsewhere; it stays"
    assert client.get(f"/v1/bad-cases/{case_id}").status_code == 200


def test_open_questions_are_pushed_as_tasks(
    finished: Finished, stand_in: StandIn, sessions: SessionFactory, project: str
) -> None:
    with transaction(sessions) as session:
        repair_id = add_question(session, project)
    assert finished("push", {"repair_id": repair_id})["counts"] == {"records": 1, "pushed": 1}
    (task,) = stand_in.asked[-1][3]
    assert (task["data"]["prompt"], task["data"]["response"]) == ("When do you open?", "At nine.")
    assert task["predictions"][0]["result"][0]["value"] == {"text": ["At ten."]}
    stand_in.answers[PROJECT] = (200, {"parsed_label_config": {}})
    assert finished("push", {"repair_id": repair_id})["error"]["type"] == "/problems/cannot-push"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"diagnosis_id": "dg_x", "repair_id": "rp_x"}, 422),
        ({"diagnosis_id": "dg_x"}, 404),
        ({"diagnosis_id": "dg_x", "source_project": "../users"}, 422),
    ],
)
def test_a_push_of_nothing_is_refused(
    client: TestClient, integration: dict[str, Any], body: dict[str, Any], status: int
) -> None:
    assert client.post(f"/v1/integrations/{integration['id']}/push", json=body).status_code == status


def test_a_tool_that_is_not_called_says_so(client: TestClient) -> None:
    made = client.post("/v1/integrations", json={"tool": "generic"}).json()
    answer = client.post(f"/v1/integrations/{made['id']}/pull")
    assert (answer.status_code, "cannot be called" in answer.json()["detail"]) == (409, True)
