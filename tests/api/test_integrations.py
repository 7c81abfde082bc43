"""Other tools' deliveries over HTTP: stored, read by a worker, replayed; secrets, sizes, garbage, mappings."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.artifacts import ArtifactStore
from app.db.models import CycleRow, VerificationCaseRow
from app.db.session import SessionFactory, transaction
from app.queue import Stage
from app.services.projects import Role
from app.settings import Settings
from tests.conftest import bearer
from tests.seed import Seeded
from workers.context import Resources
from workers.run_stage import run_stage

RECORDED = Path(__file__).parent.parent / "fixtures" / "label_studio"
MAPPING = {
    "fields": {
        "prompt": "data.prompt",
        "model_output": "data.response",
        "expected_output": "result.expected",
        "external_id": "data.external_id",
    },
    "bad_when": {"path": "result.verdict", "values": ["bad"]},
}

NUL = rb'[{"id": 1, "data": {"prompt": "a\u0000", "\u0000": 1}, "annotations": [{"id": "\u0000", "result": []}]}]'

Post = Callable[..., dict[str, Any]]


def recorded(name: str) -> bytes:
    return (RECORDED / f"{name}.json").read_bytes()


@pytest.fixture
def work(sessions: SessionFactory, store: ArtifactStore, settings: Settings) -> Callable[[str], None]:
    """Reads a delivery as a worker would."""

    def run(delivery_id: str) -> None:
        run_stage(Resources(settings=settings, sessions=sessions, store=store), Stage.INTEGRATE, delivery_id)

    return run


@pytest.fixture
def studio(client: TestClient) -> dict[str, Any]:
    """An integration of Label Studio, with its secret."""
    answer = client.post("/v1/integrations", json={"tool": "label-studio", "mapping": MAPPING})
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def deliver(client: TestClient, studio: dict[str, Any], work: Callable[[str], None]) -> Post:
    """Posts a body to Label Studio's webhook and has it read; the delivery afterwards."""

    def post(body: bytes) -> dict[str, Any]:
        answer = client.post(
            studio["webhook_path"],
            content=body,
            headers={
                "Authorization": "",
                "X-Casemend-Secret": studio["secret"],
                "Content-Type": "application/json",
            },
        )
        assert answer.status_code == 200, answer.text
        work(answer.json()["id"])
        return client.get(f"/v1/integrations/deliveries/{answer.json()['id']}").json()

    return post


def cases(client: TestClient) -> dict[str, Any]:
    return {case["external_id"]: case for case in client.get("/v1/bad-cases").json()["data"]}


def test_annotations_are_created_updated_and_deleted(client: TestClient, deliver: Post) -> None:
    first = deliver(recorded("webhook_annotation_created"))
    assert (first["state"], first["counts"]) == ("applied", {"records": 1, "created": 1})
    case = cases(client)["log-1"]
    assert case["messages"] == [{"role": "user", "content": "退货流程是什么？"}]
    assert case["model_output"] == "请联系快递公司。"
    assert case["expected_output"] == "请在订单页面点击“申请售后”，按提示寄回商品。"
    assert case["source"] == "label-studio"

    deliver(recorded("webhook_annotation_created_2"))
    assert cases(client)["log-2"]["expected_output"] == "144"
    assert deliver(recorded("webhook_annotation_updated"))["counts"] == {"records": 1, "updated": 1}
    assert cases(client)["log-2"]["expected_output"] == "The answer is 144."

    gone = deliver(recorded("webhook_annotations_deleted"))
    assert gone["counts"] == {"records": 1, "withdrawn": 1}
    assert set(cases(client)) == {"log-1"}


def test_an_old_delivery_read_again_brings_nothing_back(
    client: TestClient, deliver: Post, work: Callable[[str], None]
) -> None:
    created = deliver(recorded("webhook_annotation_created_2"))
    deliver(recorded("webhook_annotation_updated"))

    def replayed() -> dict[str, Any]:
        answer = client.post(f"/v1/integrations/deliveries/{created['id']}/replay")
        assert answer.status_code == 202, answer.text
        work(answer.json()["id"])
        return client.get(answer.headers["location"]).json()

    again = replayed()
    assert (again["replay_of"], again["state"], again["counts"]) == (
        created["id"],
        "ignored",
        {"records": 1, "outdated": 1},
    )
    assert cases(client)["log-2"]["expected_output"] == "The answer is 144."
    deliver(recorded("webhook_annotations_deleted"))
    assert replayed()["counts"] == {"records": 1, "outdated": 1}
    assert cases(client) == {}


def test_a_deletion_that_overtakes_the_annotation_counts(client: TestClient, deliver: Post) -> None:
    deliver(recorded("webhook_annotations_deleted"))
    assert deliver(recorded("webhook_annotation_created_2"))["counts"] == {"records": 1, "outdated": 1}
    assert cases(client) == {}


def test_a_verdict_taken_back_withdraws_the_case(client: TestClient, deliver: Post) -> None:
    deliver(recorded("webhook_annotation_created"))
    body = json.loads(recorded("webhook_annotation_created"))
    body["action"] = "ANNOTATION_UPDATED"
    body["annotation"]["updated_at"] = "2026-11-22T02:09:00.000000Z"
    body["annotation"]["result"][0]["value"]["choices"] = ["good"]
    assert deliver(json.dumps(body).encode())["counts"] == {"records": 1, "withdrawn": 1}
    assert cases(client) == {}
    body["annotation"]["updated_at"] = "2026-11-22T02:10:00.000000Z"
    body["annotation"]["result"][0]["value"]["choices"] = ["bad"]
    assert deliver(json.dumps(body).encode())["counts"] == {"records": 1, "created": 1}


def test_of_two_annotations_of_a_task_one_may_go(client: TestClient, deliver: Post) -> None:
    body = json.loads(recorded("webhook_annotation_created"))
    deliver(json.dumps(body).encode())
    body["annotation"]["id"] = 99
    deliver(json.dumps(body).encode())
    deliver(json.dumps({"action": "ANNOTATIONS_DELETED", "annotations": [{"id": 99}]}).encode())
    assert set(cases(client)) == {"log-1"}
    deliver(json.dumps({"action": "TASKS_DELETED", "tasks": [{"id": body["task"]["id"]}]}).encode())
    assert cases(client) == {}


def test_what_says_nothing_about_annotations_is_ignored(deliver: Post) -> None:
    done = deliver(recorded("webhook_tasks_created"))
    assert (done["state"], done["note"]) == ("ignored", "tasks without annotations hold no bad case")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\xff\xfe\x00garbage", "not UTF-8"),
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'"text"', "neither a webhook of Label Studio"),
        (b'{"action": "ANNOTATION_CREATED"}', "send_payload"),
        (b'{"action": "ANNOTATION_CREATED", "annotation": {"id": 1}}', "without its task"),
        (b'{"action": "ANNOTATION_CREATED", "annotation": [7], "task": 3}', "no object with an 'id'"),
        (b'{"action": "ANNOTATIONS_DELETED"}', "without 'annotations'"),
    ],
)
def test_garbage_is_kept_and_says_what_is_wrong(
    client: TestClient, deliver: Post, body: bytes, reason: str
) -> None:
    done = deliver(body)
    assert done["state"] == "failed"
    assert reason in done["error"]["detail"]
    assert client.get(f"/v1/integrations/deliveries/{done['id']}/body").content == body


def test_what_no_row_can_hold_breaks_nothing(
    client: TestClient, studio: dict[str, Any], deliver: Post
) -> None:
    assert client.patch(f"/v1/integrations/{studio['id']}", json={"mapping": {}}).status_code == 200
    done = deliver(NUL)
    assert (done["state"], done["rows"][0]["record"]) == ("failed", "annotation:\ufffd")
    assert "NUL" in done["rows"][0]["reason"]
    assert client.post("/v1/integrations/generic/deliveries", content=b"").status_code == 422


def test_the_webhook_opens_for_its_own_secret_alone(client: TestClient, studio: dict[str, Any]) -> None:
    body = recorded("webhook_annotation_created")

    def status(tool: str = "label-studio", **headers: str) -> int:
        return client.post(
            f"/v1/integrations/{tool}/webhook", content=body, headers={"Authorization": "", **headers}
        ).status_code

    assert status(**{"X-Casemend-Secret": studio["secret"]}) == 200
    assert status(Authorization=f"Bearer {studio['secret']}") == 200
    assert status() == 401
    assert status(**{"X-Casemend-Secret": studio["secret"][:-1] + "x"}) == 401
    assert status("generic", **{"X-Casemend-Secret": studio["secret"]}) == 401
    assert status(Authorization=client.headers["authorization"]) == 401
    rotated = client.post(f"/v1/integrations/{studio['id']}/rotate-secret").json()
    assert status(**{"X-Casemend-Secret": studio["secret"]}) == 401
    assert status(**{"X-Casemend-Secret": rotated["secret"]}) == 200
    assert client.delete(f"/v1/integrations/{studio['id']}").status_code == 204
    assert status(**{"X-Casemend-Secret": rotated["secret"]}) == 401


def test_a_secret_opens_nothing_else(client: TestClient, studio: dict[str, Any]) -> None:
    assert client.get("/v1/integrations", headers=bearer(studio["secret"])).status_code == 401
    assert "secret" not in client.get(f"/v1/integrations/{studio['id']}").json()


def test_ten_megabytes_are_taken_in_under_a_second_and_more_is_413(
    client: TestClient, studio: dict[str, Any], settings: Settings
) -> None:
    def post(size: int) -> Any:
        headers = {"Authorization": "", "X-Casemend-Secret": studio["secret"]}
        return client.post(studio["webhook_path"], content=b"x" * size, headers=headers)

    began = time.monotonic()
    assert post(settings.integration_body_limit_bytes).status_code == 200
    assert time.monotonic() - began < 1
    refused = post(settings.integration_body_limit_bytes + 1)
    assert refused.status_code == 413
    assert refused.headers["content-type"] == "application/problem+json"
    assert "10,485,760 bytes" in refused.json()["detail"]
    assert len(client.get("/v1/integrations/deliveries").json()["data"]) == 1


def test_an_export_is_what_the_webhooks_were(
    client: TestClient, deliver: Post, work: Callable[[str], None]
) -> None:
    answer = client.post("/v1/integrations/label-studio/deliveries", content=recorded("export"))
    assert answer.status_code == 202, answer.text
    work(answer.json()["id"])
    assert client.get(answer.headers["location"]).json()["counts"] == {"records": 2, "created": 2}
    assert set(cases(client)) == {"log-1", "log-2"}
    assert deliver(recorded("webhook_annotation_created"))["counts"] == {"records": 1, "unchanged": 1}
    assert deliver(recorded("webhook_annotation_created_2"))["counts"] == {"records": 1, "outdated": 1}


def test_a_dry_run_shows_every_row_and_stores_nothing(client: TestClient, studio: dict[str, Any]) -> None:
    sample = json.loads(recorded("export"))
    shown = client.post("/v1/integrations/label-studio/dry-run", json={"sample": sample})
    assert shown.status_code == 200, shown.text
    rows = shown.json()["rows"]
    assert [row["status"] for row in rows] == ["case", "case"]
    assert rows[1]["case"]["expected_output"] == "The answer is 144."
    assert {"data.prompt", "data.response", "result.expected", "result.verdict"} <= set(
        shown.json()["fields"]
    )
    assert cases(client) == {}
    assert client.get("/v1/integrations/deliveries").json()["data"] == []
    only_good = {"fields": {}, "bad_when": {"path": "result.verdict", "values": ["good"]}}
    body = {"sample": sample, "mapping": only_good, "integration_id": studio["id"]}
    rows = client.post("/v1/integrations/label-studio/dry-run", json=body).json()["rows"]
    assert [row["status"] for row in rows] == ["skipped", "skipped"]


@pytest.mark.parametrize(
    ("mapping", "names"),
    [
        ({"fields": {"prompt": "data.question"}}, "fields.prompt names data.question"),
        ({"fields": {"expected_output": "result.ideal"}}, "fields.expected_output names result.ideal"),
        ({"bad_when": {"path": "result.quality", "values": ["bad"]}}, "bad_when.path names result.quality"),
    ],
)
def test_a_mapping_that_names_no_field_is_refused_with_the_fields_there_are(
    client: TestClient, deliver: Post, studio: dict[str, Any], mapping: dict[str, Any], names: str
) -> None:
    body = {"sample": json.loads(recorded("webhook_annotation_created")), "mapping": mapping}
    refused = client.post("/v1/integrations/label-studio/dry-run", json=body)
    assert refused.status_code == 422
    assert names in refused.json()["detail"]
    assert "data.prompt" in refused.json()["detail"]
    assert refused.json()["errors"][0]["pointer"].startswith("/mapping/")
    changed = client.patch(f"/v1/integrations/{studio['id']}", json={"mapping": mapping})
    assert changed.status_code == 200, changed.text
    assert names in deliver(recorded("webhook_annotation_created"))["error"]["detail"]


@pytest.mark.parametrize(
    "mapping",
    [
        {"fields": {"colour": "data.prompt"}},
        {"fields": {"prompt": "data[prompt"}},
        {"fields": {"prompt": ""}},
        {"fields": {"prompt": []}},
        {"bad_when": {"path": "result.verdict", "values": []}},
    ],
)
def test_a_mapping_that_is_none_is_refused(client: TestClient, mapping: dict[str, Any]) -> None:
    answer = client.post("/v1/integrations", json={"tool": "label-studio", "mapping": mapping})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith("/mapping")


def test_tables_become_cases_by_their_columns(client: TestClient, work: Callable[[str], None]) -> None:
    def upload(body: bytes) -> dict[str, Any]:
        answer = client.post("/v1/integrations/generic/deliveries", content=body)
        assert answer.status_code == 202, answer.text
        work(answer.json()["id"])
        return client.get(answer.headers["location"]).json()

    table = (
        b"id,question,actual,expected,failure_type\n7,What is 2+2?,5,4,arithmetic\n8,Capital?,Quito,Lima,\n"
    )
    assert upload(table)["counts"] == {"records": 2, "created": 2}
    assert cases(client)["7"]["tags"] == ["arithmetic"]
    assert upload(table)["counts"] == {"records": 2, "unchanged": 2}
    call = {"tool_calls": [{"type": "function", "function": {"name": "look_up", "arguments": "{}"}}]}
    lines = [
        {"id": "9", "messages": [{"role": "user", "content": "hi"}], "output": call, "expected": "Hello."},
        {"id": "10", "prompt": "same", "output": "x", "expected": "x"},
        {"id": "11", "prompt": "", "output": "x"},
    ]
    body = "\n".join(map(json.dumps, lines)) + "\n{broken\n"
    done = upload(body.encode())
    assert done["counts"] == {"records": 4, "created": 1, "rejected": 2, "unreadable": 1}
    assert done["state"] == "applied"
    assert [r["status"] for r in done["rows"]] == ["unreadable", "rejected", "rejected", "created"]
    assert json.loads(cases(client)["9"]["model_output"]) == call


def test_a_delivery_of_which_nothing_is_accepted_has_failed(
    client: TestClient, work: Callable[[str], None]
) -> None:
    body = b'{"prompt": "same", "output": "x", "expected": "x"}'
    answer = client.post("/v1/integrations/generic/deliveries", content=body)
    work(answer.json()["id"])
    done = client.get(answer.headers["location"]).json()
    assert (done["state"], done["counts"]) == ("failed", {"records": 1, "rejected": 1})
    assert "1 of 1 records could not be taken" in done["error"]["detail"]


def test_deliveries_belong_to_their_project(
    client: TestClient, deliver: Post, studio: dict[str, Any], other_project_key: str
) -> None:
    done = deliver(recorded("webhook_annotation_created"))
    stranger = bearer(other_project_key)
    for path in (f"deliveries/{done['id']}", f"deliveries/{done['id']}/body", studio["id"]):
        assert client.get(f"/v1/integrations/{path}", headers=stranger).status_code == 404
    replay = f"/v1/integrations/deliveries/{done['id']}/replay"
    assert client.post(replay, headers=stranger).status_code == 404
    assert client.get("/v1/integrations/deliveries", headers=stranger).json()["data"] == []


def test_only_an_admin_sets_a_tool_up(client: TestClient, key_with_role: Callable[[Role], str]) -> None:
    headers = bearer(key_with_role(Role.MAINTAINER))
    assert client.post("/v1/integrations", json={"tool": "generic"}, headers=headers).status_code == 403


def test_an_unknown_tool_is_named(client: TestClient) -> None:
    answer = client.post("/v1/integrations/excel/deliveries", content=b"x")
    assert answer.status_code == 404
    assert "there are label-studio" in answer.json()["detail"]


def test_fixed_cases_are_a_promptfoo_suite(
    client: TestClient, sessions: SessionFactory, seeded: Seeded
) -> None:
    call = {"tool_calls": [{"type": "function", "function": {"name": "f", "arguments": "{}"}}]}
    items = [
        {"external_id": "a", "instruction": "{{ x }}", "model_output": "no", "expected_output": "yes",
         "alternatives": ["y"]},
        {"external_id": "b", "instruction": "call", "model_output": "no", "expected_output": call},
        {"external_id": "c", "instruction": "open", "model_output": "no"},
    ]  # fmt: skip
    sent = client.post("/v1/bad-cases", json={"items": items}).json()["data"]
    ids = [case["id"] for case in sent]
    suite = client.get("/v1/integrations/promptfoo/suite", params={"bad_case_id": ids}).json()
    assert [test["metadata"]["external_id"] for test in suite["tests"]] == ["a", "b"]
    assert suite["tests"][0]["vars"]["accepted"] == ["yes", "y"]
    assert suite["tests"][0]["vars"]["messages"] == [{"role": "user", "content": "{{ x }}"}]
    assert suite["tests"][1]["assert"] == [{"type": "equals", "value": "{{ accepted[0] }}"}]

    path = f"/v1/integrations/promptfoo/suite?cycle_id={seeded.cycle_id}"
    with transaction(sessions) as session:
        cycle = session.get_one(CycleRow, seeded.cycle_id)
        cycle.verdict = {"verification_id": seeded.verification_id}
        for ordinal, (case_id, verdict) in enumerate(zip(ids, ("fixed", "not_fixed", "fixed"), strict=True)):
            session.add(
                VerificationCaseRow(
                    verification_id=seeded.verification_id, ordinal=100 + ordinal, split="case", bad_case_id=case_id,
                    prompt="", before_output="", after_output="", before_score=0.0, after_score=1.0, verdict=verdict,
                )
            )  # fmt: skip
    external_ids = [test["metadata"]["external_id"] for test in client.get(path).json()["tests"]]
    assert "a" in external_ids
    assert not {"b", "c"} & set(external_ids), "not fixed; and without an accepted answer"
    with transaction(sessions) as session:
        session.get_one(CycleRow, seeded.cycle_id).verdict = None
    assert client.get(path).status_code == 409
    assert client.get("/v1/integrations/promptfoo/suite?cycle_id=cyc_x").status_code == 404
    assert client.get("/v1/integrations/promptfoo/suite").status_code == 422
