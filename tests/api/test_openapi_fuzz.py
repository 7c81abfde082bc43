"""schemathesis over the whole description with a real key: no 5xx, no undocumented answer."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient

from app.artifacts import ArtifactStore
from app.db.session import SessionFactory
from app.main import create_app
from app.settings import Settings
from tests.conftest import ADMIN_KEY
from tests.seed import Seeded, add_map

_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
)
"""All but positive_data_acceptance: an unknown 'after' fits its schema and is refused all the same."""

_NO_MODEL_IS_SERVED = """
[[operations]]
include-path-regex = "^/v1/(chat/)?completions$"
[operations.checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", "503"]
"""
"""The API says so with 503."""


@pytest.fixture
def base_url(settings: Settings) -> Iterator[str]:
    """The API on a real port: malformed requests go through a real HTTP parser."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(create_app(settings), log_config=None, lifespan="on"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join(timeout=20)


# Beside the cases of the coverage phase, which are the same in every run.
@pytest.mark.parametrize("examples_per_operation", [1, pytest.param(10, marks=pytest.mark.slow)])
@pytest.mark.timeout(3600)
def test_no_request_makes_a_server_error_or_an_undocumented_answer(
    examples_per_operation: int,
    client: TestClient,
    seeded: Seeded,
    sessions: SessionFactory,
    store: ArtifactStore,
    base_url: str,
    tmp_path: Path,
) -> None:
    add_map(sessions, store, seeded.diagnosis_id)
    assert client.get("/readyz").status_code == 200
    # Known ids, so that the answers are not all 404; what can be deleted is a spare one.
    spare_case = client.post("/v1/bad-cases", json={"instruction": "spare", "model_output": "x"})
    webhook = client.post("/v1/webhooks", json={"url": "https://93.184.216.34/", "types": ["cycle.failed"]})
    delivery = client.post(
        "/v1/integrations/generic/deliveries", content=b'{"prompt": "x", "output": "y"}'
    ).json()
    known = asdict(seeded) | {
        "dataset_id": client.post("/v1/datasets", json={"name": "spare"}).json()["id"],
        "bad_case_id": spare_case.json()["data"][0]["id"],
        "webhook_id": webhook.json()["id"],
        "tool": "generic",
        "integration_id": delivery["integration_id"],
        "delivery_id": delivery["id"],
        "subject_id": seeded.cycle_id,
        "model": "smollm2-135m-instruct",
    }
    parameters = "\n".join(
        [f'"path.{name}" = "{value}"' for name, value in known.items()]
        + [f'"query.against" = "{seeded.version_id}"', f'"query.with" = "{seeded.diagnosis_id}"']
        + [f'"query.bad_case_id" = "{seeded.bad_case_id}"']
    )
    config = tmp_path / "schemathesis.toml"
    config.write_text(f"[parameters]\n{parameters}\n{_NO_MODEL_IS_SERVED}", encoding="utf-8")
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            f"--config-file={config}",
            "run",
            f"{base_url}/openapi.json",
            f"--header=Authorization: Bearer {ADMIN_KEY}",
            f"--checks={','.join(_CHECKS)}",
            f"--max-examples={examples_per_operation}",
            "--phases=coverage,fuzzing",
            "--seed=1",
            "--no-shrink",
            "--continue-on-failure",
            "--request-timeout=20",
            "--suppress-health-check=all",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    assert unanswered(base_url) == set()


def unanswered(base_url: str) -> set[str]:
    """Paths that were read but never with success: the run would prove little about those."""
    counts = httpx.get(f"{base_url}/metrics").text
    succeeded = set(
        re.findall(r'casemend_http_requests_total{method="GET",route="([^"]+)",status="2', counts)
    )
    succeeded = {re.sub(r":\w+}", "}", route) for route in succeeded}  # {model:path} is described as {model}
    paths = httpx.get(f"{base_url}/openapi.json").json()["paths"]
    readable = {path for path, operations in paths.items() if "get" in operations}
    other_events = {p for p in readable if p.endswith("/{subject_id}/events") and "cycles" not in p}
    # no worker runs here, and so no merge has files
    return readable - succeeded - other_events - {"/v1/merges/{merge_id}/download"}
