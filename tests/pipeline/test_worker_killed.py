"""``kill -9`` at any point: another worker takes over, nothing is lost, nothing is written twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.settings import Settings
from tests.pipeline.desk import BASE_POLICY, bad_cases, training_rows
from tests.pipeline.processes import Watch, Worker
from tests.pipeline.tiny_model import make_tiny_model

pytestmark = pytest.mark.kill

TABLES = {
    "diagnose": "diagnoses",
    "repair": "repairs",
    "augment": "augmentations",
    "mix": "mixtures",
    "train": "training_jobs",
    "verify": "verifications",
}
WAITING_JOBS = "FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
KILLED_IN = ("diagnose", "repair", "train", "verify")


def upload(client: TestClient, rows: list[dict[str, Any]]) -> tuple[str, str]:
    dataset = client.post("/v1/datasets", json={"name": "desk"}).json()["id"]
    body = "".join(json.dumps(row) + "\n" for row in rows)
    answer = client.post(
        f"/v1/datasets/{dataset}/versions?format=alpaca",
        content=body,
        headers={"Content-Type": "application/x-ndjson"},
    )
    assert answer.status_code == 202, answer.text
    return dataset, answer.json()["id"]


def kill_while_running(settings: Settings, watch: Watch, table: str, subject_id: str) -> None:
    """Start a worker and kill it as soon as it runs the subject; the kill must have hit a running stage."""
    before = watch.value(f"SELECT attempts FROM {table} WHERE id = %s", subject_id)
    with Worker(settings) as worker:
        watch.until(
            lambda: (
                watch.value(f"SELECT attempts FROM {table} WHERE id = %s", subject_id) != before
                and watch.value(f"SELECT status FROM {table} WHERE id = %s", subject_id) == "running"
            ),
            f"{subject_id} runs",
            seconds=120,
            worker=worker,
        )
        worker.kill()
    assert watch.value(f"SELECT status FROM {table} WHERE id = %s", subject_id) == "running"


def test_an_import_whose_worker_is_killed_is_finished_by_another_with_every_row_once(
    client: TestClient, settings: Settings
) -> None:
    rows = [{"id": i, "instruction": "Say.", "input": f"number {i}", "output": f"{i}"} for i in range(20_000)]
    dataset, import_id = upload(client, rows)
    with Watch(settings) as watch:
        kill_while_running(settings, watch, "imports", import_id)
        assert watch.value("SELECT count(*) FROM dataset_versions") == 0
        assert watch.value("SELECT count(*) FROM examples") == 0
        with Worker(settings) as worker:
            watch.until(
                lambda: client.get(f"/v1/imports/{import_id}").json()["status"] == "succeeded",
                "the import ends",
                seconds=120,
                worker=worker,
            )
        assert watch.value("SELECT count(*) FROM dataset_versions WHERE dataset_id = %s", dataset) == 1
        assert watch.value("SELECT count(*) FROM dataset_version_examples") == len(rows)
        assert watch.value("SELECT count(DISTINCT source_id) FROM examples") == len(rows)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_cycle_survives_a_kill_in_each_of_its_stages_and_writes_every_row_once(
    client: TestClient, settings: Settings, tmp_path: Path
) -> None:
    model = make_tiny_model(tmp_path / "model")
    _, import_id = upload(client, training_rows())
    cases = client.post("/v1/bad-cases", json={"items": bad_cases()}).json()["data"]
    with Watch(settings) as watch:
        with Worker(settings) as worker:
            watch.until(
                lambda: client.get(f"/v1/imports/{import_id}").json()["status"] == "succeeded",
                "the import ends",
                seconds=120,
                worker=worker,
            )
        answer = client.post(
            "/v1/cycles",
            json={
                "dataset_version_id": client.get(f"/v1/imports/{import_id}").json()["dataset_version_id"],
                "bad_case_ids": [case["id"] for case in cases],
                "base_model": str(model),
                "policy": BASE_POLICY,
            },
        )
        assert answer.status_code == 202, answer.text
        cycle_id = answer.json()["id"]

        for stage in KILLED_IN:
            with Worker(settings) as worker:
                watch.until(
                    lambda stage=stage: stage in _running_stages(watch, cycle_id),
                    f"the cycle reaches {stage}",
                    seconds=240,
                    worker=worker,
                )
                subject = _subject(watch, cycle_id, stage)
                watch.until(
                    lambda subject=subject, stage=stage: (
                        watch.value(f"SELECT status FROM {TABLES[stage]} WHERE id = %s", subject) == "running"
                    ),
                    f"{stage} runs",
                    seconds=120,
                    worker=worker,
                )
                if stage == "train":
                    checkpoints = settings.runs_dir / subject / "checkpoints"
                    watch.until(
                        lambda folder=checkpoints: any(folder.glob("checkpoint-*")),
                        "a checkpoint is written",
                        seconds=180,
                        worker=worker,
                    )
                worker.kill()
            assert watch.value(f"SELECT status FROM {TABLES[stage]} WHERE id = %s", subject) == "running"

        with Worker(settings) as worker:
            watch.until(
                lambda: (
                    watch.value("SELECT status FROM cycles WHERE id = %s", cycle_id)
                    in ("succeeded", "failed")
                ),
                "the cycle ends",
                seconds=300,
                worker=worker,
            )
            # the queue hears of a job's end a moment after its result is committed
            watch.until(
                lambda: watch.value(f"SELECT count(*) {WAITING_JOBS}") == 0,
                "the queue is empty",
                seconds=30,
                worker=worker,
            )
        cycle = client.get(f"/v1/cycles/{cycle_id}").json()
        assert cycle["status"] == "succeeded", cycle["error"]
        assert [s["name"] for s in cycle["stages"]] == list(TABLES)
        for stage in KILLED_IN:
            subject = _subject(watch, cycle_id, stage)
            attempts = watch.value(f"SELECT attempts FROM {TABLES[stage]} WHERE id = %s", subject)
            assert attempts == 2, f"{stage} was tried {attempts} times"
        for table in TABLES.values():
            assert watch.value(f"SELECT count(*) FROM {table} WHERE cycle_id = %s", cycle_id) == 1
        findings = "SELECT count(*) FROM findings"
        assert watch.value(findings) == watch.value(f"{findings.replace('*', 'DISTINCT bad_case_id')}")
        assert watch.value(findings) == len(cases)
        assert watch.value("SELECT count(*) FROM adapters") == 1
        job = client.get(f"/v1/training-jobs/{_subject(watch, cycle_id, 'train')}").json()
        steps = [line["step"] for line in job["metrics"]]
        assert steps == sorted(set(steps)), "a step was reported twice"
        assert (
            watch.value(
                "SELECT count(*) FROM (SELECT 1 FROM verification_cases GROUP BY split, bad_case_id, example_id"
                " HAVING count(*) > 1) AS twice"
            )
            == 0
        )


def _running_stages(watch: Watch, cycle_id: str) -> str:
    return str(watch.value("SELECT stages FROM cycles WHERE id = %s", cycle_id))


def _subject(watch: Watch, cycle_id: str, stage: str) -> str:
    return str(watch.value(f"SELECT id FROM {TABLES[stage]} WHERE cycle_id = %s", cycle_id))
