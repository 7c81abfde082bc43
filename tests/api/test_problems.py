"""Every error is a problem with a status that fits; no input makes a 5xx."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from app.artifacts import StorageFull
from app.main import create_app
from app.settings import Settings
from tests.conftest import ADMIN_KEY, bearer


def problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


def test_an_unknown_path_is_a_problem(refusing_client: TestClient) -> None:
    assert problem(refusing_client.get("/v1/nope"), 404)["instance"] == "/v1/nope"


def test_an_unsupported_method_names_every_method_that_works(refusing_client: TestClient) -> None:
    answer = refusing_client.put("/v1/datasets")
    problem(answer, 405)
    assert answer.headers["allow"] == "GET, POST"
    assert refusing_client.request("TRACE", "/v1/datasets/ds_1").headers["allow"] == "DELETE, GET"


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer wrong", "Basic YTpi", "Bearer \x80"])
def test_without_a_valid_key_nothing_is_answered(refusing_client: TestClient, header: str | None) -> None:
    headers = {"Authorization": (header or "").encode("latin-1")}
    answer = refusing_client.get("/v1/datasets", headers=headers)  # pyright: ignore[reportArgumentType]
    problem(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_request_id_is_echoed_when_it_is_sane_and_made_otherwise(refusing_client: TestClient) -> None:
    assert (
        refusing_client.get("/healthz", headers={"X-Request-Id": "abc-1"}).headers["x-request-id"] == "abc-1"
    )
    made = refusing_client.get("/healthz", headers={"X-Request-Id": "a b\t<script>"}).headers["x-request-id"]
    assert made.startswith("req_")
    assert refusing_client.get("/v1/nope").headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"", 422),
        (b"\xff\xfe{}", 400),
        (b'{"name": NaN}', 400),
        (b'{"name": 1e999}', 400),
        (b'{"name": ' + b"1" * 5000 + b"}", 400),
        (b'{"name": "a\\u0000"}', 422),
        (b'{"name": "\\ud800"}', 422),
        (b'{"name": "\xed\xa0\x80"}', 400),
        (b'{"a\\u0000": "x"}', 422),
        (b"[" * 100_000, 422),
        (b'{"name": ' + b'{"a":' * 100 + b"1" + b"}" * 100 + b"}", 422),
        (b"null", 422),
        (b"[]", 422),
        (b'"name"', 422),
        (b'{"name": 1}', 422),
        (b'{"name": ""}', 422),
        (b'{"name": "   "}', 422),
        (b'{"name": "%s"}' % (b"x" * 201), 422),
        (b'{"name": "x", "nmae": "y"}', 422),
    ],
)
def test_a_body_that_is_wrong_is_refused_with_its_reason(
    refusing_client: TestClient, body: bytes, status: int
) -> None:
    answer = refusing_client.post("/v1/datasets", content=body, headers={"Content-Type": "application/json"})
    problem(answer, status)


def test_wrong_fields_are_named_by_json_pointer(refusing_client: TestClient) -> None:
    answer = refusing_client.post(
        "/v1/diagnoses", json={"dataset_version_id": 5, "options": {"hold_back": 2}}
    )
    errors = {e["pointer"]: e["message"] for e in problem(answer, 422)["errors"]}
    assert set(errors) == {"/dataset_version_id", "/options/hold_back"}


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "", "multipart/form-data"]
)
def test_a_body_of_another_type_is_refused(refusing_client: TestClient, kind: str) -> None:
    for path in ("/v1/datasets", "/v1/bad-cases"):
        problem(refusing_client.post(path, content=b'{"name": "x"}', headers={"Content-Type": kind}), 415)


def test_gzip_is_accepted_everywhere_and_other_encodings_are_refused(client: TestClient) -> None:
    json_body = {"Content-Type": "application/json"}
    packed = gzip.compress(json.dumps({"name": "x"}).encode())
    fine = client.post("/v1/datasets", content=packed, headers={**json_body, "Content-Encoding": "gzip"})
    assert fine.status_code == 201
    for body, encoding, status in (
        (packed[:-5], "gzip", 400),
        (b"not gzip", "gzip", 400),
        (packed, "br", 415),
    ):
        headers = {**json_body, "Content-Encoding": encoding}
        problem(client.post("/v1/datasets", content=body, headers=headers), status)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=x",
        "limit=99999999999999999999999999",
        "after=ds_unknown",
        "after=%00",
        "after=" + "x" * 101,
        "order=sideways",
        "name=" + "x" * 201,
    ],
)
def test_a_query_out_of_range_is_refused(refusing_client: TestClient, query: str) -> None:
    problem(refusing_client.get(f"/v1/datasets?{query}"), 422)


@pytest.mark.parametrize(
    ("id", "status"),
    [
        ("ds_unknown", 404),
        ("%00", 422),
        ("x" * 101, 422),
        ("..%2f..%2fetc%2fpasswd", 404),
        ("'; DROP TABLE datasets; --", 404),
        ("%ff", 404),
        ("你好", 404),
    ],
)
def test_an_absurd_id_is_not_found_or_refused(refusing_client: TestClient, id: str, status: int) -> None:
    problem(refusing_client.get(f"/v1/datasets/{id}"), status)


@pytest.fixture
def small(settings: Settings) -> Iterator[TestClient]:
    """The API with limits that a test can reach."""
    limits = settings.model_copy(update={"body_limit_bytes": 1000, "upload_limit_bytes": 5000})
    with TestClient(create_app(limits), headers=bearer(ADMIN_KEY), raise_server_exceptions=False) as client:
        yield client


def test_a_body_over_the_limit_is_refused_packed_or_not(small: TestClient) -> None:
    body = json.dumps({"name": "x", "description": "y" * 2000}).encode()
    headers = {"Content-Type": "application/json"}
    problem(small.post("/v1/datasets", content=body, headers=headers), 413)
    bomb = gzip.compress(b" " * 10_000_000)
    problem(small.post("/v1/datasets", content=bomb, headers={**headers, "Content-Encoding": "gzip"}), 413)

    def chunks() -> Iterator[bytes]:
        yield from [b" " * 100] * 50

    problem(small.post("/v1/datasets", content=chunks(), headers=headers), 413)


def test_an_upload_over_the_limit_is_refused_packed_or_not_and_leaves_nothing(
    small: TestClient, settings: Settings
) -> None:
    dataset_id = small.post("/v1/datasets", json={"name": "x"}).json()["id"]
    path = f"/v1/datasets/{dataset_id}/versions"
    problem(small.post(path, content=b"x" * 6000), 413)
    bomb = gzip.compress(b"x" * 1_000_000)
    assert len(bomb) < 5000
    problem(small.post(path, content=bomb), 413)
    problem(small.post(path, content=bomb, headers={"Content-Encoding": "gzip"}), 413)
    assert small.get("/v1/imports").json()["data"] == []
    kept = [p for p in (settings.data_dir / "artifacts").rglob("*") if p.is_file()]
    assert kept == []


class FullStore:
    """An artifact store on a disk that is full."""

    @contextmanager
    def stage(self, *, max_bytes: int | None = None) -> Iterator[Any]:
        raise StorageFull("no room is left")
        yield


def test_a_full_disk_is_said_so_and_nothing_is_kept(client: TestClient) -> None:
    dataset_id = client.post("/v1/datasets", json={"name": "x"}).json()["id"]
    client.app.state.store = FullStore()  # pyright: ignore[reportFunctionMemberAccess]
    answer = client.post(f"/v1/datasets/{dataset_id}/versions", content=b"{}")
    assert problem(answer, 507)["type"] == "/problems/storage-exhausted"
    assert client.get("/v1/imports").json()["data"] == []


def test_an_unexpected_failure_shows_nothing_of_the_inside(settings: Settings) -> None:
    app = create_app(settings)

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("postgresql://user:secret@host")

    with TestClient(app, raise_server_exceptions=False) as client:
        body = problem(client.get("/broken"), 500)
    assert "secret" not in json.dumps(body)


def test_a_bootstrap_key_is_made_once(settings: Settings) -> None:
    for _ in range(2):
        with TestClient(create_app(settings), headers=bearer(ADMIN_KEY)) as client:
            assert len(client.get("/v1/keys").json()["data"]) == 1
    other = settings.model_copy(update={"bootstrap_key": SecretStr("another")})
    with TestClient(create_app(other), headers=bearer("another")) as client:
        assert len(client.get("/v1/keys").json()["data"]) == 2
