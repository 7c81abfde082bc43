"""Health, readiness, metrics, and what happens while the database is away."""

from __future__ import annotations

import re

import psycopg
from fastapi.testclient import TestClient
from sqlalchemy.engine import make_url

from app.db import embedded
from app.main import create_app
from app.openapi import render
from app.settings import Settings
from tests.conftest import Server


def test_the_probes_need_no_key(client: TestClient) -> None:
    client.headers.pop("Authorization")
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok"}
    assert client.get("/metrics").status_code == 200


def test_metrics_count_requests_by_route_and_show_the_queue(client: TestClient) -> None:
    dataset = client.post("/v1/datasets", json={"name": "x"}).json()["id"]
    client.get(f"/v1/datasets/{dataset}")
    client.post(f"/v1/datasets/{dataset}/versions", content=b"{}")
    client.get("/v1/nope")
    text = client.get("/metrics").text
    assert (
        'casemend_http_requests_total{method="GET",route="/v1/datasets/{dataset_id}",status="200"} 1.0'
        in text
    )
    assert 'route="unmatched",status="404"' in text
    assert dataset not in text
    assert 'casemend_jobs{queue="cpu",status="todo"} 1' in text
    assert "casemend_workers_alive 0" in text
    assert "casemend_database_up 1" in text


def test_a_database_without_our_schema_is_not_ready(server: Server, settings: Settings) -> None:
    bare = settings.model_copy(update={"database_url": server.url, "bootstrap_key": None})
    with TestClient(create_app(bare)) as client:
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert "casemend migrate" in answer.json()["detail"]


def test_a_database_that_goes_away_and_comes_back_costs_no_data(
    client: TestClient, server: Server, database: str
) -> None:
    name = make_url(database).database
    kept = client.post("/v1/datasets", json={"name": "before"}).json()["id"]
    server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    away = client.post("/v1/datasets", json={"name": "meanwhile"})
    assert away.status_code == 503
    assert away.headers["retry-after"]
    assert away.headers["content-type"] == "application/problem+json"
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    assert "casemend_database_up 0" in client.get("/metrics").text
    server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    assert client.get("/readyz").status_code == 200
    assert [d["id"] for d in client.get("/v1/datasets").json()["data"]] == [kept]


def test_connections_that_were_cut_are_replaced_without_an_error(
    client: TestClient, server: Server, database: str
) -> None:
    assert client.get("/v1/project").status_code == 200
    name = make_url(database).database
    with psycopg.connect(embedded.libpq_url(server.url), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
    assert client.get("/v1/project").status_code == 200


def test_the_description_is_the_same_every_time() -> None:
    first = render()
    assert first == render()
    assert '"/v1/cycles/{cycle_id}/cancel"' in first


def test_the_pages_of_the_documentation_load_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs", headers={"Authorization": ""})
    assert page.status_code == 200
    wanted = re.findall(r"(?:src|href)=\"([^\"]+)\"", page.text)
    assert wanted
    for address in wanted:
        assert address.startswith("/"), address
        assert client.get(address).status_code == 200, address
