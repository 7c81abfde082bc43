"""The whole loop with a tiny model: over HTTP in, through every stage, and out as a report."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.queue import Queue
from app.settings import Settings
from tests.pipeline.desk import BASE_POLICY, LIMIT, bad_cases, training_rows
from tests.pipeline.downloaded import base_of, share_equal, unpacked
from tests.pipeline.tiny_model import make_tiny_model
from workers.main import work

STAGES = ["diagnose", "repair", "augment", "mix", "train", "verify"]


@pytest.fixture
def run_jobs(settings: Settings) -> Callable[[], None]:
    """Runs every queued job, and what these queue, in this process."""

    def run() -> None:
        asyncio.run(work(settings, str(settings.database_url), list(Queue), until_idle=True))

    return run


@pytest.fixture
def version(client: TestClient, run_jobs: Callable[[], None]) -> str:
    dataset = client.post("/v1/datasets", json={"name": "desk"}).json()["id"]
    body = "".join(json.dumps(row) + "\n" for row in training_rows())
    headers = {"Content-Type": "application/x-ndjson"}
    answer = client.post(f"/v1/datasets/{dataset}/versions", content=body, headers=headers)
    run_jobs()
    done = client.get(f"/v1/imports/{answer.json()['id']}").json()
    assert done["rows_accepted"] == len(training_rows()), done
    return str(done["dataset_version_id"])


@pytest.fixture
def case_ids(client: TestClient) -> list[str]:
    return [case["id"] for case in client.post("/v1/bad-cases", json={"items": bad_cases()}).json()["data"]]


def start(client: TestClient, version: str, case_ids: list[str], model: Path | str, **policy: Any) -> str:
    answer = client.post(
        "/v1/cycles",
        json={
            "dataset_version_id": version,
            "bad_case_ids": case_ids,
            "base_model": str(model),
            "policy": {**BASE_POLICY, **policy},
        },
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def stage_result(cycle: dict[str, Any], name: str) -> str:
    return str(next(s["result_id"] for s in reversed(cycle["stages"]) if s["name"] == name))


@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("float32")
def test_a_cycle_diagnoses_repairs_trains_verifies_and_reports(
    client: TestClient,
    run_jobs: Callable[[], None],
    version: str,
    case_ids: list[str],
    tmp_path: Path,
) -> None:
    cycle_id = start(client, version, case_ids, make_tiny_model(tmp_path / "model"))
    run_jobs()
    cycle = client.get(f"/v1/cycles/{cycle_id}").json()
    assert cycle["status"] == "succeeded", cycle["error"]
    assert [s["name"] for s in cycle["stages"]] == STAGES
    assert {s["status"] for s in cycle["stages"]} == {"succeeded"}

    diagnosis_id = stage_result(cycle, "diagnose")
    findings = client.get(f"/v1/diagnoses/{diagnosis_id}/findings?limit=200").json()["data"]
    expected = {"refund": "conflict", "insurance": "ood"}
    by_case = {case["external_id"]: case["expected_output"] for case in bad_cases()}
    right = sum(f["category"] == expected[by_case[f["external_id"]]] for f in findings)
    assert right >= 0.8 * len(findings), [(f["external_id"], f["category"]) for f in findings]
    assert all(f["evidence"]["neighbors"] for f in findings)

    repair_id = stage_result(cycle, "repair")
    actions = client.get(f"/v1/repairs/{repair_id}/actions?limit=200").json()["data"]
    relabelled = [a for a in actions if a["kind"] == "relabel" and a["decision"] == "applied"]
    assert relabelled
    assert all(a["reason"] for a in actions)

    mixture = client.get(f"/v1/mixtures/{stage_result(cycle, 'mix')}").json()
    grown = client.get(f"/v1/dataset-versions/{mixture['dataset_version_id']}").json()
    assert grown["rows"] > 0
    diff = client.get(f"/v1/dataset-versions/{grown['id']}/diff", params={"against": version}).json()
    assert diff["added"]
    assert diff["changed"]
    assert all(change["reason"] for change in diff["added"] + diff["changed"])

    held_back = {f["external_id"] for f in findings if f["held_back"]}
    assert held_back
    prompts = {f"Name the topic.\n{c['input']}" for c in bad_cases() if c["external_id"] in held_back}
    exported = client.get(f"/v1/dataset-versions/{grown['id']}/export?format=messages").text.splitlines()
    trained_on = {json.loads(line)["messages"][0]["content"] for line in exported}
    assert not prompts & trained_on

    verdict = cycle["verdict"]
    assert verdict["gate"] in ("accepted", "rejected", "inconclusive")
    assert verdict["intervals"]["fix_rate"]["n"] + verdict["intervals"]["held_back_fix_rate"]["n"] > 0
    adapter = client.get(f"/v1/adapters/{cycle['adapter_id']}").json()
    for fact in ("dataset_version_id", "dataset_content_hash", "mixture_content_hash", "seed", "base_model"):
        assert adapter["card"][fact] is not None
    assert str(tmp_path) not in json.dumps(adapter["card"]["training"]), (
        "a folder of the run means nothing later"
    )

    downloaded = client.get(f"/v1/adapters/{cycle['adapter_id']}/download")
    assert downloaded.status_code == 200, downloaded.text
    folder = unpacked(downloaded.content, tmp_path / "downloaded")
    assert base_of(folder) == "model", "the base model's name, not where it lies on one machine"
    card = (folder / "README.md").read_text()
    for fact in ("desk", grown["id"], cycle["adapter_id"], f"Gate: **{verdict['gate']}**", "interval"):
        assert fact in card, card
    verified = client.get(f"/v1/verifications/{stage_result(cycle, 'verify')}/cases?limit=500").json()["data"]
    assert share_equal(folder, tmp_path / "model", verified, max_new_tokens=LIMIT) >= 0.995

    for format, sign in (("html", "<html"), ("md", "# "), ("csv", "external_id"), ("json", "findings")):
        report = client.get(f"/v1/diagnoses/{diagnosis_id}/report", params={"format": format})
        assert report.status_code == 200, report.text
        assert sign in report.text


def test_a_cycle_with_manual_approval_waits_for_a_person_and_goes_on_when_the_plan_is_applied(
    client: TestClient, run_jobs: Callable[[], None], version: str, case_ids: list[str], tmp_path: Path
) -> None:
    cycle_id = start(client, version, case_ids, make_tiny_model(tmp_path / "model"), approval="manual")
    run_jobs()
    cycle = client.get(f"/v1/cycles/{cycle_id}").json()
    assert (cycle["status"], cycle["stage"]) == ("running", "repair")
    assert cycle["stages"][-1]["status"] == "awaiting_approval"
    repair_id = stage_result(cycle, "repair")
    client.post(f"/v1/repairs/{repair_id}/decisions", json={"decision": "rejected"})
    applied = client.post(f"/v1/repairs/{repair_id}/apply")
    assert applied.json()["id"] == version, "nothing was approved, so nothing changes"
    cycle = client.get(f"/v1/cycles/{cycle_id}").json()
    assert cycle["stage"] == "augment"
    cancelled = client.post(f"/v1/cycles/{cycle_id}/cancel")
    assert cancelled.status_code in (200, 202), cancelled.text
    run_jobs()
    assert client.get(f"/v1/cycles/{cycle_id}").json()["status"] == "cancelled"


def test_a_base_model_that_does_not_exist_fails_the_cycle_with_its_reason(
    client: TestClient, run_jobs: Callable[[], None], version: str, case_ids: list[str]
) -> None:
    cycle_id = start(client, version, case_ids, "/no/such/model")
    run_jobs()
    cycle = client.get(f"/v1/cycles/{cycle_id}").json()
    assert cycle["status"] == "failed"
    assert cycle["stages"][-1]["name"] == "train"
    assert "/no/such/model" in cycle["error"]["detail"]


def test_a_dataset_that_is_deleted_while_it_is_diagnosed_fails_the_job_with_that_reason(
    client: TestClient, run_jobs: Callable[[], None], version: str, case_ids: list[str]
) -> None:
    body = {"dataset_version_id": version, "bad_case_ids": case_ids}
    diagnosis = client.post("/v1/diagnoses", json=body).json()["id"]
    dataset = client.get(f"/v1/dataset-versions/{version}").json()["dataset_id"]
    assert client.delete(f"/v1/datasets/{dataset}").status_code == 204
    run_jobs()
    failed = client.get(f"/v1/diagnoses/{diagnosis}").json()
    assert failed["status"] == "failed"
    assert "deleted" in failed["error"]["detail"]
