"""Bad cases over HTTP: one, many, lines; upsert; filters."""

from __future__ import annotations

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.conftest import bearer, rows_of


def case(**fields: Any) -> dict[str, Any]:
    return {"instruction": "Where is my order?", "model_output": "I am a cat.", **fields}


def statuses(answer: Any) -> list[str]:
    assert answer.status_code in (200, 201), answer.text
    return [item["status"] for item in answer.json()["data"]]


def test_one_case_is_stored_and_read_back(client: TestClient) -> None:
    sent = case(
        external_id="t-1",
        input="订单 42",
        expected_output="It is on its way.",
        alternatives=["Tomorrow."],
        model="desk-7",
        request={"system": "Be kind.", "temperature": 0, "stop": "\n", "max_tokens": 20},
        tags=["orders", "orders", "zh"],
        metadata={"ticket": 42, "nested": {"a": [1, None]}},
        occurred_at="2026-01-31T12:00:00+08:00",
        source="desk",
    )
    answer = client.post("/v1/bad-cases", json=sent)
    assert answer.status_code == 201
    (item,) = answer.json()["data"]
    assert (item["external_id"], item["status"], item["error"]) == ("t-1", "created", None)
    stored = client.get(f"/v1/bad-cases/{item['id']}").json()
    assert stored["messages"] == [{"role": "user", "content": "Where is my order?\n订单 42"}]
    assert stored["request"] == {"system": "Be kind.", "temperature": 0, "stop": ["\n"], "max_tokens": 20}
    assert stored["tags"] == ["orders", "zh"]
    assert stored["metadata"] == sent["metadata"]
    assert stored["occurred_at"] == "2026-01-31T04:00:00Z"


def test_a_second_submission_updates_and_an_equal_one_changes_nothing(client: TestClient) -> None:
    assert statuses(client.post("/v1/bad-cases", json=case(external_id="a"))) == ["created"]
    same = client.post("/v1/bad-cases", json=case(external_id="a"))
    assert (same.status_code, statuses(same)) == (200, ["unchanged"])
    assert statuses(client.post("/v1/bad-cases", json=case(external_id="a", tags=["t"]))) == ["updated"]
    (stored,) = rows_of(client, "/v1/bad-cases")
    assert (stored["revision"], stored["tags"]) == (2, ["t"])


def test_items_are_answered_in_order_and_a_bad_one_stops_nobody(client: TestClient) -> None:
    answer = client.post(
        "/v1/bad-cases",
        json={
            "items": [
                case(external_id="b"),
                {"model_output": "no prompt", "external_id": "x"},
                "not an object",
                case(external_id="a"),
                case(expected_output=" I am  a cat. "),
                {"messages": [{"role": "robot", "content": "hi"}], "model_output": "x"},
                {"messages": [{"content": "hi"}], "model_output": "x"},
                case(expected_output="  "),
                case(occurred_at="yesterday"),
                case(unknown_field=1),
            ]
        },
    )
    items = answer.json()["data"]
    assert answer.status_code == 201
    assert [i["status"] for i in items][:4] == ["created", "rejected", "rejected", "created"]
    assert [i["external_id"] for i in items[:4]] == ["b", "x", None, "a"]
    assert [i["error"]["code"] for i in items if i["error"]] == [
        "invalid",
        "not_an_object",
        "output_as_expected",
        "unknown_role",
        "missing_field",
        "invalid",
        "datetime_from_date_parsing",
        "extra_forbidden",
    ]
    assert all(i["id"] is None for i in items if i["status"] == "rejected")
    assert len(rows_of(client, "/v1/bad-cases")) == 2


def test_of_two_items_with_one_external_id_the_later_wins(client: TestClient) -> None:
    answer = client.post(
        "/v1/bad-cases",
        json={"items": [case(external_id="a", tags=["first"]), case(), case(external_id="a", tags=["last"])]},
    )
    first, _, last = answer.json()["data"]
    assert first["id"] == last["id"]
    assert [first["status"], last["status"]] == ["updated", "created"]
    assert client.get(f"/v1/bad-cases/{first['id']}").json()["tags"] == ["last"]


@pytest.mark.parametrize("packed", [False, True])
def test_lines_are_stored_and_a_broken_one_is_reported(client: TestClient, packed: bool) -> None:
    lines = [json.dumps(case(external_id=str(i))).encode() for i in range(2500)]
    lines[7] = b'{"instruction": '
    body = b"\n".join([*lines, b"", b""])
    headers = {"Content-Type": "application/x-ndjson"} | ({"Content-Encoding": "gzip"} if packed else {})
    answer = client.post("/v1/bad-cases", content=gzip.compress(body) if packed else body, headers=headers)
    items = answer.json()["data"]
    assert len(items) == 2500
    assert items[7]["error"]["code"] == "invalid_json"
    assert "line 8" in items[7]["error"]["message"]
    listed = rows_of(client, "/v1/bad-cases", limit=1000, order="asc")
    assert [r["external_id"] for r in listed] == [str(i) for i in range(2500) if i != 7]


@pytest.mark.parametrize(
    "body",
    [
        {"model_output": "x"},
        case(alternatives=["fine", " "]),
        {"instruction": "", "model_output": "x"},
        {"instruction": "a", "messages": [{"role": "user", "content": "a"}], "model_output": "x"},
        {"messages": [], "model_output": "x"},
        {
            "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}],
            "model_output": "x",
        },
        {"instruction": 5, "model_output": "x"},
        case(metadata=[]),
        case(tags=["x" * 300]),
        case(external_id="x" * 501),
        {"items": [case()] * 1001},
        {"items": [case()], "more": 1},
        {"items": {}},
        [],
        "text",
        None,
        {},
    ],
    ids=str,
)
def test_a_single_case_that_is_wrong_is_refused(refusing_client: TestClient, body: Any) -> None:
    answer = refusing_client.post("/v1/bad-cases", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert rows_of(refusing_client, "/v1/bad-cases") == []


RIGHT_ALL_ALONG = [
    (case(expected_output=" I  am a cat.\n"), "/expected_output"),
    (case(expected_output="No.", alternatives=["Never.", "I am a cat. "]), "/alternatives/1"),
    (case(alternatives=["I am a cat."]), "/alternatives/0"),
    # one letter, written as one character and as two
    (case(model_output="caf\u00e9", expected_output="cafe\u0301"), "/expected_output"),
    (case(model_output="订单 已发货", expected_output="订单　已发货"), "/expected_output"),
]


@pytest.mark.parametrize(("sent", "pointer"), RIGHT_ALL_ALONG, ids=lambda v: str(v)[:40])
@pytest.mark.parametrize("form", ["single", "items", "ndjson"])
def test_a_case_whose_output_is_acceptable_is_rejected_with_the_reason(
    refusing_client: TestClient, sent: dict[str, Any], pointer: str, form: str
) -> None:
    named = {**sent, "external_id": "right"}
    match form:
        case "single":
            answer = refusing_client.post("/v1/bad-cases", json=named)
        case "items":
            answer = refusing_client.post("/v1/bad-cases", json={"items": [named]})
        case _:
            headers = {"Content-Type": "application/x-ndjson"}
            answer = refusing_client.post("/v1/bad-cases", content=json.dumps(named), headers=headers)
    assert answer.status_code == 200, answer.text
    (item,) = answer.json()["data"]
    assert (item["id"], item["external_id"], item["status"]) == (None, "right", "rejected")
    assert (item["error"]["code"], item["error"]["pointer"]) == ("output_as_expected", pointer)
    assert "model_output" in item["error"]["message"]
    assert rows_of(refusing_client, "/v1/bad-cases") == []


def test_letter_case_or_punctuation_may_be_all_that_is_wrong(client: TestClient) -> None:
    items = [case(expected_output="I am a cat!"), case(expected_output="i am a cat.")]
    assert statuses(client.post("/v1/bad-cases", json={"items": items})) == ["created", "created"]


def test_an_update_that_makes_a_case_right_is_rejected_and_the_stored_case_stays(client: TestClient) -> None:
    client.post("/v1/bad-cases", json=case(external_id="a", expected_output="On its way."))
    update = case(external_id="a", model_output="On its way.", expected_output="On its  way.")
    assert statuses(client.post("/v1/bad-cases", json=update)) == ["rejected"]
    (stored,) = rows_of(client, "/v1/bad-cases")
    assert (stored["model_output"], stored["revision"]) == ("I am a cat.", 1)


@pytest.mark.parametrize("said", [{}, {"model_output": None}, {"model_output": ""}], ids=str)
@pytest.mark.parametrize("wanted", [{}, {"expected_output": "It is on its way."}], ids=str)
def test_a_case_may_lack_what_the_model_said(
    client: TestClient, said: dict[str, Any], wanted: dict[str, Any]
) -> None:
    sent = {"instruction": "Where is my order?", **said, **wanted}
    (item,) = client.post("/v1/bad-cases", json=sent).json()["data"]
    stored = client.get(f"/v1/bad-cases/{item['id']}").json()
    assert (stored["model_output"], stored["expected_output"]) == ("", wanted.get("expected_output"))


def test_answers_that_are_no_text_are_kept_as_their_json_text(client: TestClient) -> None:
    called = [{"id": "c", "type": "function", "function": {"name": "hours", "arguments": "{}"}}]
    sent = {
        "messages": [
            {"role": "user", "content": "Hours, then the price?"},
            {"role": "assistant", "content": None, "tool_calls": called},
            {"role": "tool", "content": {"till": 18}, "tool_call_id": "c"},
        ],
        "model_output": {"name": "price", "arguments": {"shop": "南店"}},
        "expected_output": {"name": "price", "arguments": {"shop": "north"}},
        "alternatives": [5, True, "text"],
    }
    (item,) = client.post("/v1/bad-cases", json=sent).json()["data"]
    stored = client.get(f"/v1/bad-cases/{item['id']}").json()
    assert stored["model_output"] == '{"name": "price", "arguments": {"shop": "南店"}}'
    assert json.loads(stored["expected_output"]) == sent["expected_output"]
    assert stored["alternatives"] == ["5", "true", "text"]
    assert stored["messages"][1]["tool_calls"] == called
    assert stored["messages"][2]["content"] == '{"till": 18}'


def test_ten_thousand_cases_are_stored_at_once(client: TestClient) -> None:
    lines = [
        case(external_id=str(i), input=f"订单 {i}", expected_output="It is on its way.") for i in range(9_998)
    ]
    lines.insert(5_000, case(expected_output="I am a cat."))
    lines.append(case(external_id="0", input="updated"))
    answer = client.post(
        "/v1/bad-cases",
        content="\n".join(json.dumps(line) for line in lines),
        headers={"Content-Type": "application/x-ndjson"},
    )
    got = statuses(answer)
    assert (len(got), got.count("created"), got[5_000], got[0]) == (10_000, 9_998, "rejected", "updated")
    found = client.get("/v1/bad-cases", params={"external_id": "9997"}).json()["data"]
    assert found[0]["messages"][0]["content"].endswith("订单 9997")


def test_a_field_of_a_megabyte_is_kept(client: TestClient) -> None:
    text = "好" * 400_000
    (item,) = client.post("/v1/bad-cases", json=case(expected_output=text)).json()["data"]
    assert client.get(f"/v1/bad-cases/{item['id']}").json()["expected_output"] == text


def test_lists_are_filtered_by_field(client: TestClient) -> None:
    client.post(
        "/v1/bad-cases",
        json={
            "items": [
                case(external_id="1", tags=["a", "b"], source="desk", expected_output="x"),
                case(external_id="2", tags=["b"], model="m"),
                case(external_id="3", adapter_id="adp_1"),
            ]
        },
    )

    def found(**query: Any) -> list[str]:
        return [r["external_id"] for r in rows_of(client, "/v1/bad-cases", order="asc", **query)]

    assert found(tag="b") == ["1", "2"]
    assert found(tag="b", source="desk") == ["1"]
    assert found(model="m") == ["2"]
    assert found(adapter_id="adp_1") == ["3"]
    assert found(has_expected=False) == ["2", "3"]
    assert found(external_id="3") == ["3"]
    assert found(tag='a","b') == []
    newest_first = rows_of(client, "/v1/bad-cases", limit=1)
    assert [r["external_id"] for r in newest_first] == ["3", "2", "1"]


def test_a_deleted_case_is_gone(client: TestClient) -> None:
    (item,) = client.post("/v1/bad-cases", json=case()).json()["data"]
    assert client.delete(f"/v1/bad-cases/{item['id']}").status_code == 204
    assert client.get(f"/v1/bad-cases/{item['id']}").status_code == 404


def test_external_ids_of_two_projects_do_not_meet(client: TestClient, other_project_key: str) -> None:
    (mine,) = client.post("/v1/bad-cases", json=case(external_id="a")).json()["data"]
    stranger = bearer(other_project_key)
    (theirs,) = client.post("/v1/bad-cases", json=case(external_id="a"), headers=stranger).json()["data"]
    assert theirs["status"] == "created"
    assert theirs["id"] != mine["id"]
    assert client.get(f"/v1/bad-cases/{mine['id']}", headers=stranger).status_code == 404
    assert client.delete(f"/v1/bad-cases/{mine['id']}", headers=stranger).status_code == 404


def test_concurrent_upserts_of_the_same_cases_in_any_order_all_succeed(client: TestClient) -> None:
    forwards = [case(external_id=str(i)) for i in range(200)]

    def send(n: int) -> int:
        items = [{**c, "tags": [str(n)]} for c in (forwards if n % 2 else reversed(forwards))]
        return client.post("/v1/bad-cases", json={"items": list(items)}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(16))) <= {200, 201}
    assert len(rows_of(client, "/v1/bad-cases", limit=1000)) == 200
