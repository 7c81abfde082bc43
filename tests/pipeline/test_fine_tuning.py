"""A fine-tune through the official client on a tiny model: files, audit, repair, training, and what came of it."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest
from fastapi.testclient import TestClient
from openai import OpenAI

from app.queue import Queue
from app.settings import Settings
from tests import planted
from tests.api.test_fine_tuning_files import official_client
from tests.conftest import rows_of
from tests.importing import ndjson
from tests.openai_shapes import walked
from tests.pipeline.tiny_model import make_tiny_model
from workers.main import work

HYPERPARAMETERS = {"n_epochs": 1, "batch_size": 8, "learning_rate_multiplier": 0.5}


@pytest.fixture
def run_jobs(settings: Settings) -> Callable[[], None]:
    """Runs every queued job, and what these queue, in this process."""

    def run() -> None:
        asyncio.run(work(settings, str(settings.database_url), list(Queue), until_idle=True))

    return run


@pytest.fixture
def official(client: TestClient) -> OpenAI:
    return official_client(client)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("model") / "tiny")


def uploaded(official: OpenAI, rows: list[dict[str, Any]] | bytes, name: str = "train.jsonl") -> str:
    content = rows if isinstance(rows, bytes) else ndjson(rows)
    return official.files.create(file=(name, content), purpose="fine-tune").id


def events_of(official: OpenAI, job_id: str) -> list[Any]:
    """All events, the oldest first."""
    return list(official.fine_tuning.jobs.list_events(job_id, limit=7))[::-1]


def told(events: list[Any], topic: str) -> dict[str, Any]:
    (event,) = [e for e in events if (e.data or {}).get("topic") == topic]
    assert event.level == "warn"
    return event.data


@pytest.mark.timeout(3600)
def test_a_file_is_audited_repaired_and_trained_on(
    client: TestClient, official: OpenAI, run_jobs: Callable[[], None], model: Path
) -> None:
    training = uploaded(official, ndjson(planted.training_rows()) + b'{"messages": []}\nnot json\n')
    validation = uploaded(official, planted.validation_rows(), "valid.jsonl")
    made = walked(
        official.fine_tuning.jobs.create(
            model=str(model),
            training_file=training,
            validation_file=validation,
            suffix="desk",
            seed=7,
            metadata={"casemend": "repair", "team": "blue"},
            method={"type": "supervised", "supervised": {"hyperparameters": HYPERPARAMETERS}},  # pyright: ignore[reportArgumentType]
        )
    )
    assert (made.status, made.fine_tuned_model, made.seed) == ("validating_files", None, 7)
    run_jobs()
    job = walked(official.fine_tuning.jobs.retrieve(made.id))
    assert job.status == "succeeded", job.error
    assert job.fine_tuned_model.startswith(f"ft:{model}:desk:adp_")
    assert job.hyperparameters.n_epochs == 1
    assert job.hyperparameters.learning_rate_multiplier == 0.5
    assert job.trained_tokens > 0
    assert job.finished_at >= job.created_at

    events = walked(events_of(official, made.id))
    rejected = told(events, "rejected_rows")
    assert [(e["line"], e["code"]) for e in rejected["examples"]] == [
        (len(planted.training_rows()) + 1, rejected["examples"][0]["code"]),
        (len(planted.training_rows()) + 2, rejected["examples"][1]["code"]),
    ]
    assert told(events, "leaks")["rows"] == 1
    assert told(events, "duplicates")["rows"] == 2
    contradictions = told(events, "contradictions")
    assert contradictions["rows"] == 4
    assert planted.CONTRADICTION in contradictions["examples"][0]["reason"]
    assert client.get(f"/v1{contradictions['url']}/page").status_code == 200
    steps = [e for e in events if e.type == "metrics"]
    assert [e.data["step"] for e in steps] == sorted({e.data["step"] for e in steps})
    assert all(e.data["train_loss"] > 0 for e in steps)
    assert events[-1].message == "The job has successfully completed"

    # 48 rows: 2 duplicates and 1 leak go, the 4 contradicting ones wait for an answer
    (repaired,) = [e for e in events if "counts" in (e.data or {})]
    assert repaired.data["counts"] == {"added": 0, "removed": 7, "changed": 0}
    assert repaired.data["rows_in_question"] == 4
    trained = rows_of(client, f"/v1/dataset-versions/{repaired.data['dataset_version_id']}/examples")
    assert len(trained) == len(planted.training_rows()) - 7
    said = json.dumps(trained)
    assert said.count("gift-wrap") == 1
    assert planted.LEAKED[0] not in said
    assert planted.CONTRADICTION not in said

    (checkpoint,) = walked(official.fine_tuning.jobs.checkpoints.list(made.id).data)
    assert checkpoint.metrics.full_valid_loss == steps[-1].data["full_valid_loss"] > 0
    assert 0 <= checkpoint.metrics.full_valid_mean_token_accuracy <= 1
    assert official.models.retrieve(checkpoint.fine_tuned_model_checkpoint).id in job.fine_tuned_model
    (results,) = job.result_files
    assert official.files.retrieve(results).purpose == "fine-tune-results"
    lines = list(csv.DictReader(io.StringIO(official.files.content(results).text)))
    assert [int(line["step"]) for line in lines] == [e.data["step"] for e in steps]

    assert official.models.retrieve(job.fine_tuned_model).id == job.fine_tuned_model
    assert walked(official.models.delete(job.fine_tuned_model)).deleted
    with pytest.raises(openai.NotFoundError):
        official.models.retrieve(job.fine_tuned_model)
    assert job.fine_tuned_model.rpartition(":")[2] not in {m.id for m in official.models.list()}


@pytest.mark.timeout(600)
def test_a_training_waits_while_it_is_paused_and_its_epochs_are_checkpoints(
    official: OpenAI, settings: Settings, run_jobs: Callable[[], None], model: Path
) -> None:
    made = official.fine_tuning.jobs.create(
        model=str(model),
        training_file=uploaded(official, planted.training_rows()),
        method={"type": "supervised", "supervised": {"hyperparameters": {**HYPERPARAMETERS, "n_epochs": 4}}},  # pyright: ignore[reportArgumentType]
    )
    asyncio.run(work(settings, str(settings.database_url), [Queue.CPU], until_idle=True))
    assert walked(official.fine_tuning.jobs.pause(made.id)).status == "queued"
    run_jobs()
    assert official.fine_tuning.jobs.retrieve(made.id).status == "queued"
    assert walked(official.fine_tuning.jobs.resume(made.id)).status == "queued"
    with pytest.raises(openai.ConflictError, match="not paused"):
        official.fine_tuning.jobs.resume(made.id)
    run_jobs()
    job = official.fine_tuning.jobs.retrieve(made.id)
    assert job.status == "succeeded", job.error
    messages = [event.message for event in events_of(official, made.id)]
    assert {"The job is paused", "The job is resumed"} <= set(messages)

    checkpoints = walked(list(official.fine_tuning.jobs.checkpoints.list(made.id)))
    per_epoch = checkpoints[0].step_number // 4
    assert [c.step_number for c in checkpoints] == [4 * per_epoch, 3 * per_epoch, 2 * per_epoch]
    assert checkpoints[0].fine_tuned_model_checkpoint in job.fine_tuned_model
    for checkpoint in checkpoints:
        assert official.models.retrieve(checkpoint.fine_tuned_model_checkpoint).owned_by == "casemend adapter"
        assert checkpoint.metrics.train_loss > 0
    assert [c.id for c in official.fine_tuning.jobs.checkpoints.list(made.id, limit=1).data] == [
        checkpoints[0].id
    ]
