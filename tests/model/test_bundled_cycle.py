"""The whole loop once on the bundled model: real weights, real training, real answers."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.queue import Queue
from app.settings import Settings
from tests.conftest import ADMIN_KEY, bearer
from tests.pipeline.desk import LIMIT, bad_cases, training_rows
from tests.pipeline.downloaded import base_of, share_equal, unpacked
from workers.main import work
from workers.models.base_models import resolve

pytestmark = pytest.mark.model

POLICY = {
    "max_attempts": 1,
    "training": {"epochs": 1, "max_length": 128},
    "verification": {"max_new_tokens": LIMIT},
}


@pytest.fixture
def settings(settings: Settings, model_cache: Path) -> Settings:
    return settings.model_copy(update={"base_model_cache": model_cache})


@pytest.mark.timeout(3600)
def test_a_cycle_on_the_bundled_model_teaches_a_topic_that_was_missing(
    settings: Settings, tmp_path: Path
) -> None:
    def run_jobs() -> None:
        asyncio.run(work(settings, str(settings.database_url), list(Queue), until_idle=True))

    headers = {**bearer(ADMIN_KEY), "Content-Type": "application/x-ndjson"}
    with TestClient(create_app(settings), headers=bearer(ADMIN_KEY)) as client:
        dataset = client.post("/v1/datasets", json={"name": "desk"}).json()["id"]
        body = "".join(json.dumps(row) + "\n" for row in training_rows())
        sent = client.post(f"/v1/datasets/{dataset}/versions", content=body, headers=headers).json()
        run_jobs()
        version = client.get(f"/v1/imports/{sent['id']}").json()["dataset_version_id"]
        cases = client.post("/v1/bad-cases", json={"items": bad_cases()}).json()["data"]
        started = client.post(
            "/v1/cycles",
            json={
                "dataset_version_id": version,
                "bad_case_ids": [case["id"] for case in cases],
                "base_model": "smollm2-135m-instruct",
                "policy": POLICY,
            },
        )
        assert started.status_code == 202, started.text
        run_jobs()
        cycle = client.get(f"/v1/cycles/{started.json()['id']}").json()
        assert cycle["status"] == "succeeded", cycle["error"]
        verification = next(s["result_id"] for s in cycle["stages"] if s["name"] == "verify")
        checked = client.get(f"/v1/verifications/{verification}/cases?limit=500").json()["data"]
        learnt = [
            c for c in checked if c["expected_output"] == "insurance" and c["after_output"] == "insurance"
        ]
        assert learnt, [(c["prompt"], c["after_output"]) for c in checked if c["split"] != "retention"]
        assert cycle["verdict"]["intervals"]["fix_rate"]["n"] > 0
        adapter = client.get(f"/v1/adapters/{cycle['adapter_id']}").json()
        assert adapter["card"]["base_model"] == "smollm2-135m-instruct"
        downloaded = client.get(f"/v1/adapters/{cycle['adapter_id']}/download").content
    folder = unpacked(downloaded, tmp_path / "downloaded")
    assert base_of(folder) == "HuggingFaceTB/SmolLM2-135M-Instruct"
    base = resolve("smollm2-135m-instruct", settings.model_cache_dir)
    # bfloat16, in which it was verified where the processor has it, keeps 8 bits of logits of about 20
    equal = share_equal(folder, base.path, checked[:200], max_new_tokens=LIMIT, near_tie=0.25)
    assert equal >= 0.995
