"""More requests than connections, and clients that go away."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi.testclient import TestClient

from app.settings import Settings
from tests.conftest import ADMIN_KEY, rows_of


def test_many_more_requests_than_connections_are_all_answered(client: TestClient) -> None:
    def send(n: int) -> int:
        if n % 3 == 0:
            return client.get("/v1/datasets").status_code
        headers = {"Idempotency-Key": f"k{n // 6}"}
        return client.post("/v1/datasets", json={"name": f"d{n // 6}"}, headers=headers).status_code

    with ThreadPoolExecutor(80) as pool:
        statuses = list(pool.map(send, range(240)))
    assert set(statuses) == {200, 201}
    assert len(rows_of(client, "/v1/datasets", limit=1000)) == 40


def test_a_client_that_goes_away_in_the_middle_of_an_upload_leaves_nothing(
    client: TestClient, settings: Settings
) -> None:
    dataset_id = client.post("/v1/datasets", json={"name": "x"}).json()["id"]
    messages = [
        {"type": "http.request", "body": b"x" * 3_000_000, "more_body": True},
        {"type": "http.disconnect"},
    ]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": f"/v1/datasets/{dataset_id}/versions",
        "raw_path": b"",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"authorization", f"Bearer {ADMIN_KEY}".encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }

    async def receive() -> Any:
        return messages.pop(0)

    async def send(_: Any) -> None:
        return

    assert client.portal is not None
    client.portal.call(client.app, scope, receive, send)
    assert rows_of(client, "/v1/imports") == []
    assert [p for p in (settings.data_dir / "artifacts").rglob("*") if p.is_file()] == []
    assert client.get("/v1/project").status_code == 200
