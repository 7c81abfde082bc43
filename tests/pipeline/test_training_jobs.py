"""A training over HTTP with a worker of its own: paused and resumed, its checkpoints asked, its adapter merged."""

from __future__ import annotations

import asyncio
import io
import json
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from fastapi.testclient import TestClient
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from app.queue import Queue
from app.settings import Settings
from tests.importing import Uploads
from tests.pipeline.tiny_model import make_tiny_model
from workers.main import work

ROWS = [
    {"instruction": f"where is parcel {i}", "input": "", "output": "post" if i % 2 else "cards"}
    for i in range(12)
]
HYPERPARAMETERS = {"batch_size": 4, "epochs": 4, "learning_rate": 1e-2, "warmup_steps": 0}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture
def run_jobs(settings: Settings) -> Callable[[], None]:
    def run() -> None:
        asyncio.run(work(settings, str(settings.database_url), list(Queue), until_idle=True))

    return run


@pytest.fixture
def version(uploads: Uploads) -> str:
    return uploads.version(ROWS)


def train(client: TestClient, model: Path, version: str, **more: Any) -> str:
    settings = {**HYPERPARAMETERS, **more.pop("hyperparameters", {})}
    body = {"base_model": str(model), "dataset_version_id": version, "hyperparameters": settings, **more}
    made = client.post("/v1/training-jobs", json=body)
    assert made.status_code == 202, made.text
    return made.json()["id"]


def job(client: TestClient, job_id: str) -> dict[str, Any]:
    return client.get(f"/v1/training-jobs/{job_id}").json()


def events(client: TestClient, job_id: str) -> list[str]:
    return [e["type"] for e in client.get(f"/v1/training-jobs/{job_id}/events?limit=100").json()["data"]]


def until(true: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def beside(run_jobs: Callable[[], None]) -> Iterator[threading.Thread]:
    """Runs the jobs in a thread, until none is left."""
    thread = threading.Thread(target=run_jobs, daemon=True)
    yield thread
    thread.join(timeout=120)
    assert not thread.is_alive()


@pytest.mark.timeout(600)
def test_a_training_is_paused_where_it_is_and_goes_on_from_there(
    client: TestClient, model: Path, version: str, run_jobs: Callable[[], None], beside: threading.Thread
) -> None:
    whole = train(client, model, version, hyperparameters={"epochs": 120})
    run_jobs()
    paused = train(client, model, version, hyperparameters={"epochs": 120})
    beside.start()
    until(lambda: len(job(client, paused)["metrics"]) >= 2)
    said = client.post(f"/v1/training-jobs/{paused}/pause").json()
    assert (said["status"], said["pause_requested"]) == ("running", True)
    beside.join(timeout=120)  # the worker has nothing to do: a paused training holds none

    parked = job(client, paused)
    assert (parked["status"], parked["attempts"], parked["adapter_id"]) == ("queued", 0, None)
    assert parked["paused_at"] is not None
    steps = parked["metrics"][-1]["step"]
    assert 2 <= steps < 360
    run_jobs()
    assert job(client, paused)["metrics"][-1]["step"] == steps

    assert client.post(f"/v1/training-jobs/{paused}/resume").json()["paused_at"] is None
    run_jobs()
    done = job(client, paused)
    assert done["status"] == "succeeded", done["error"]
    assert [line["step"] for line in done["metrics"]] == list(range(1, 361))
    assert (done["summary"]["steps"], done["attempts"]) == (360, 1)
    uris = [adapter(client, job(client, j)["adapter_id"]) for j in (whole, paused)]
    assert weights(client, uris[0]["id"]) == weights(client, uris[1]["id"])
    types = [kind for kind in events(client, paused) if kind != "progress"]
    assert types == ["queued", "running", "pause_requested", "paused", "resumed", "running", "succeeded"]


@pytest.mark.timeout(600)
def test_a_training_whose_process_is_killed_goes_on_from_its_checkpoint(
    client: TestClient, model: Path, version: str, run_jobs: Callable[[], None], beside: threading.Thread
) -> None:
    settings = {"epochs": 60, "checkpoint_every_steps": 20}
    whole = train(client, model, version, hyperparameters=settings)
    run_jobs()
    killed = train(client, model, version, hyperparameters=settings)
    beside.start()
    until(lambda: len(job(client, killed)["metrics"]) >= 25)
    (child,) = [p for p in psutil.Process().children() if "workers.training" in p.cmdline()]
    child.kill()
    beside.join(timeout=120)

    def is_over() -> bool:  # tried again after a moment
        run_jobs()
        return job(client, killed)["status"] not in ("queued", "running")

    until(is_over)
    done = job(client, killed)
    assert (done["status"], done["attempts"]) == ("succeeded", 2), done["error"]
    assert [line["step"] for line in done["metrics"]] == list(range(1, 181))
    ids = [job(client, j)["adapter_id"] for j in (whole, killed)]
    assert weights(client, ids[0]) == weights(client, ids[1])


@pytest.mark.timeout(600)
def test_an_adapter_that_is_trained_on_keeps_its_rank_and_another_one_is_refused(
    client: TestClient, model: Path, version: str, run_jobs: Callable[[], None]
) -> None:
    first = train(client, model, version, hyperparameters={"rank": 4, "target_modules": ["q_proj"]})
    run_jobs()
    start = job(client, first)["adapter_id"]
    body = {"base_model": str(model), "dataset_version_id": version, "init_adapter_id": start}
    for wrong in ({"rank": 8}, {"alpha": 3}, {"target_modules": "all-linear"}):
        refused = client.post("/v1/training-jobs", json={**body, "hyperparameters": wrong})
        assert refused.status_code == 422, refused.text
        assert refused.json()["errors"][0]["pointer"] == f"/hyperparameters/{next(iter(wrong))}"
    second = train(
        client, model, version, init_adapter_id=start, hyperparameters={"target_modules": ["q_proj"]}
    )
    run_jobs()
    done = job(client, second)
    assert done["status"] == "succeeded", done["error"]
    said = adapter(client, done["adapter_id"])["card"]["hyperparameters"]
    assert (said["rank"], said["alpha"], said["target_modules"]) == (4, 8, ["q_proj"])


def adapter(client: TestClient, adapter_id: str) -> dict[str, Any]:
    return client.get(f"/v1/adapters/{adapter_id}").json()


def weights(client: TestClient, adapter_id: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(client.get(f"/v1/adapters/{adapter_id}/download").content)) as folder:
        return folder.read(f"{adapter_id}/adapter_model.safetensors")


@pytest.mark.timeout(600)
def test_the_newest_checkpoints_of_a_training_are_adapters_of_their_own(
    client: TestClient, model: Path, version: str, run_jobs: Callable[[], None]
) -> None:
    job_id = train(
        client, model, version, hyperparameters={"keep_checkpoints": 2}, validation_version_id=version
    )
    run_jobs()
    done = job(client, job_id)
    assert done["status"] == "succeeded", done["error"]
    assert done["validation_version_id"] == version
    full = {line["step"]: line["full_valid_loss"] for line in done["metrics"] if "full_valid_loss" in line}
    assert list(full) == [3, 6, 9, 12]

    listed = client.get("/v1/adapters").json()["data"]
    assert [a["id"] for a in listed] == [done["adapter_id"]]
    every = client.get(f"/v1/adapters?checkpoints=true&training_job_id={job_id}").json()["data"]
    kept = {a["checkpoint_step"]: a for a in every}
    assert sorted(step for step in kept if step) == [6, 9]  # of the epochs' ends the two before the result
    assert kept[9]["card"]["checkpoint"]["full_valid_loss"] == full[9]
    assert weights(client, kept[6]["id"]) != weights(client, kept[9]["id"])
    assert client.get(f"/v1/models/{kept[9]['id']}").status_code == 200
    assert kept[9]["id"] not in {m["id"] for m in client.get("/v1/models").json()["data"]}


@pytest.mark.timeout(600)
def test_a_merged_model_computes_what_base_and_adapter_compute(
    client: TestClient, model: Path, version: str, run_jobs: Callable[[], None], tmp_path: Path
) -> None:
    job_id = train(client, model, version)
    run_jobs()
    adapter_id = job(client, job_id)["adapter_id"]
    made = client.post(f"/v1/adapters/{adapter_id}/merge")
    assert made.status_code == 202
    merge_id = made.json()["id"]
    early = client.get(f"/v1/merges/{merge_id}/download")
    assert (early.status_code, early.json()["detail"]) == (
        409,
        f"merge {merge_id} is queued; there is nothing to fetch",
    )
    run_jobs()
    merge = client.get(f"/v1/merges/{merge_id}").json()
    assert merge["status"] == "succeeded", merge["error"]
    assert client.post(f"/v1/adapters/{adapter_id}/merge").json()["id"] == merge_id
    assert [m["id"] for m in client.get(f"/v1/merges?adapter_id={adapter_id}").json()["data"]] == [merge_id]

    for kind, subject in (("merges", merge_id), ("adapters", adapter_id)):
        zipped = client.get(f"/v1/{kind}/{subject}/download").content
        with zipfile.ZipFile(io.BytesIO(zipped)) as folder:
            folder.extractall(tmp_path)
    card = (tmp_path / merge_id / "README.md").read_text()
    assert "library_name: transformers" in card
    assert f"# Merge of LoRA adapter `{adapter_id}`" in card
    plain = AutoModelForCausalLM.from_pretrained(str(model), dtype=torch.float32)
    tuned = PeftModel.from_pretrained(plain, str(tmp_path / adapter_id))
    merged = AutoModelForCausalLM.from_pretrained(str(tmp_path / merge_id), dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(str(tmp_path / merge_id))
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": "where is parcel 3"}], add_generation_prompt=True, return_tensors="pt"
    )["input_ids"]
    with torch.inference_mode():
        torch.testing.assert_close(merged(ids).logits, tuned(ids).logits, rtol=1e-3, atol=1e-3)
    own = json.loads((Path(model) / "config.json").read_text())
    stored = load_file(next((tmp_path / merge_id).glob("*.safetensors")))
    assert {str(t.dtype).removeprefix("torch.") for t in stored.values()} == {own.get("dtype", "float32")}


@pytest.mark.timeout(300)
def test_a_training_that_is_cancelled_while_it_is_parked_leaves_no_folder_behind(
    client: TestClient, model: Path, version: str, settings: Settings, run_jobs: Callable[[], None]
) -> None:
    cancelled = train(client, model, version)
    waiting = train(client, model, version)
    for job_id in (cancelled, waiting):
        assert client.post(f"/v1/training-jobs/{job_id}/pause").json()["paused_at"]
        checkpoint = settings.runs_dir / job_id / "checkpoints" / "checkpoint-1"
        checkpoint.mkdir(parents=True)
    assert client.post(f"/v1/training-jobs/{cancelled}/cancel").json()["status"] == "cancelled"
    run_jobs()
    until(lambda: not (settings.runs_dir / cancelled).exists(), seconds=5)
    assert (settings.runs_dir / waiting / "checkpoints" / "checkpoint-1").exists()


@pytest.mark.timeout(300)
def test_a_validation_set_without_pairs_is_named_where_preferences_are_trained(
    client: TestClient, model: Path, uploads: Uploads, run_jobs: Callable[[], None]
) -> None:
    pairs = [{"prompt": row["instruction"], "chosen": row["output"], "rejected": "no"} for row in ROWS]
    body = {
        "base_model": str(model),
        "dataset_version_id": uploads.version(pairs),
        "validation_version_id": uploads.version(ROWS),
        "hyperparameters": {**HYPERPARAMETERS, "method": "dpo"},
    }
    job_id = client.post("/v1/training-jobs", json=body).json()["id"]
    run_jobs()
    failed = job(client, job_id)
    assert failed["status"] == "failed"
    assert "no row of the validation set has a rejected answer" in failed["error"]["detail"]
