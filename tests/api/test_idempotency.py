"""A request that carries an Idempotency-Key is done once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import select

from app.db.models import IdempotencyRow
from app.db.session import SessionFactory, transaction
from tests.conftest import bearer, rows_of
from tests.importing import Uploads, alpaca_rows, ndjson


def create(client: TestClient, key: str, name: str = "x", **headers: str) -> Any:
    return client.post("/v1/datasets", json={"name": name}, headers={"Idempotency-Key": key, **headers})


def test_the_same_key_and_body_gives_the_first_answer_again(client: TestClient) -> None:
    first, again = create(client, "k"), create(client, "k")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotency-replayed"] == "true"
    assert len(rows_of(client, "/v1/datasets")) == 1


def test_the_same_key_with_another_body_is_refused(client: TestClient) -> None:
    create(client, "k")
    assert create(client, "k", name="y").status_code == 422
    other_path = client.post("/v1/bad-cases", json={"name": "x"}, headers={"Idempotency-Key": "k"})
    assert other_path.status_code == 422
    assert len(rows_of(client, "/v1/datasets")) == 1


def test_a_refused_request_does_not_use_its_key_up(client: TestClient) -> None:
    assert create(client, "k", name=" ").status_code == 422
    assert create(client, "k", name="fine").status_code == 201


def test_keys_of_two_projects_do_not_meet(client: TestClient, other_project_key: str) -> None:
    mine, theirs = create(client, "k"), create(client, "k", **bearer(other_project_key))
    assert theirs.status_code == 201
    assert mine.json()["id"] != theirs.json()["id"]


def test_concurrent_twins_do_the_work_once(client: TestClient) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: create(client, "twin"), range(12)))
    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["id"] for a in answers}) == 1
    assert len(rows_of(client, "/v1/datasets")) == 1


def test_two_uploads_with_one_key_make_one_import(uploads: Uploads, client: TestClient) -> None:
    path = f"/v1/datasets/{uploads.dataset()}/versions"
    headers = {"Idempotency-Key": "upload"}

    def upload(rows: int) -> Any:
        return client.post(path, content=ndjson(alpaca_rows(rows)), headers=headers)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(upload, [50] * 4))
    assert {a.status_code for a in answers} == {202}
    assert len({a.json()["id"] for a in answers}) == 1
    assert len(rows_of(client, "/v1/imports")) == 1
    assert upload(51).status_code == 422


def test_a_key_that_no_header_should_hold_is_refused(client: TestClient) -> None:
    assert create(client, "x" * 256).status_code == 422
    assert create(client, "").status_code == 422
    assert (
        client.post("/v1/datasets", json={"name": "x"}, headers={"Idempotency-Key": "é".encode()}).status_code
        == 422
    )


def test_a_key_is_made_anew_each_time_and_its_secret_is_kept_nowhere(
    client: TestClient, sessions: SessionFactory
) -> None:
    new = {"name": "ci", "role": "reader"}
    answers = [client.post("/v1/keys", json=new, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [a.status_code for a in answers] == [201, 201]
    first, second = (a.json()["secret"] for a in answers)
    assert first != second
    assert kept_bodies(sessions) == []


def test_the_secret_of_a_webhook_is_shown_once(client: TestClient, sessions: SessionFactory) -> None:
    new = {"url": "https://93.184.216.34/news", "types": ["diagnosis.succeeded"]}
    headers = {"Idempotency-Key": "hook"}
    first = client.post("/v1/webhooks", json=new, headers=headers)
    assert first.status_code == 201, first.text
    again = client.post("/v1/webhooks", json=new, headers=headers)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json() | {"secret": ""}
    path = f"/v1/webhooks/{first.json()['id']}/rotate-secret"
    rotated = [client.post(path, headers={"Idempotency-Key": "turn"}).json()["secret"] for _ in range(2)]
    assert rotated[0].startswith("whsec_")
    assert rotated[1] == ""
    for body in kept_bodies(sessions):
        assert first.json()["secret"] not in body
        assert rotated[0] not in body


def kept_bodies(sessions: SessionFactory) -> list[str]:
    with transaction(sessions) as session:
        return [row.body or "" for row in session.scalars(select(IdempotencyRow))]
