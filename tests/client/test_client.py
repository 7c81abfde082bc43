"""The client against the real application."""

from __future__ import annotations

import asyncio
import io
import json
import os
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from casemend_client import (
    AsyncClient,
    Client,
    InvalidInput,
    NotFound,
    Unauthenticated,
    WaitTimeout,
    WorkCancelled,
    WorkFailed,
    models,
)
from pydantic import BaseModel

from app.artifacts import ArtifactStore
from app.db.session import SessionFactory
from app.settings import Settings
from tests.conftest import ADMIN_KEY
from tests.importing import alpaca_rows, ndjson, run_import
from tests.seed import Seeded

_SCHEMAS = json.loads((Path(__file__).parents[2] / "openapi.json").read_text())["components"]["schemas"]
_OPEN = {name for name, schema in _SCHEMAS.items() if schema.get("additionalProperties") is True}
"""Schemas that promise further fields."""


def unknown_fields(value: object) -> list[str]:
    """Fields of an answer that its model does not name."""
    if isinstance(value, BaseModel):
        kind = type(value).__name__
        found = [] if kind in _OPEN else [f"{kind}.{name}" for name in value.model_extra or ()]
        return found + [f for inner in vars(value).values() for f in unknown_fields(inner)]
    if isinstance(value, (list, tuple)):
        return [f for inner in value for f in unknown_fields(inner)]
    return []


def test_every_noun_is_read_by_its_model(casemend: Client, seeded: Seeded) -> None:
    ids = {
        "adapters": seeded.adapter_id,
        "augmentations": seeded.augmentation_id,
        "bad_cases": seeded.bad_case_id,
        "cycles": seeded.cycle_id,
        "datasets": seeded.dataset_id,
        "diagnoses": seeded.diagnosis_id,
        "evaluations": seeded.evaluation_id,
        "imports": seeded.import_id,
        "mixtures": seeded.mixture_id,
        "repairs": seeded.repair_id,
        "training_jobs": seeded.job_id,
        "verifications": seeded.verification_id,
        "versions": seeded.version_id,
    }
    for group, one in ids.items():
        resource = getattr(casemend, group)
        listed, read = list(resource.list()), resource.get(one)
        assert one in [item.id for item in listed], group
        assert read.id == one
        assert unknown_fields([listed, read]) == []
    details: list[Any] = [
        *casemend.diagnoses.findings(seeded.diagnosis_id),
        *casemend.diagnoses.clusters(seeded.diagnosis_id),
        *casemend.repairs.actions(seeded.repair_id),
        *casemend.evaluations.answers(seeded.evaluation_id),
        *casemend.verifications.cases(seeded.verification_id),
        *casemend.versions.examples(seeded.version_id),
        casemend.findings.get(seeded.finding_id),
        casemend.repair_actions.get(seeded.action_id),
        casemend.project.get(),
    ]
    assert len(details) > 8
    assert unknown_fields(details) == []


def test_a_list_is_read_page_by_page(casemend: Client) -> None:
    rows = b"".join(b'{"instruction": "Q%d", "model_output": "A"}\n' % i for i in range(7))
    submitted = casemend.bad_cases.create(rows, content_type="application/x-ndjson")
    cases = list(casemend.bad_cases.list(limit=3, order="asc"))
    assert [case.id for case in cases] == [case.id for case in submitted.data]
    page = casemend.bad_cases.list(limit=3, order="asc").page()
    assert (len(page.data), page.has_more) == (3, True)
    assert page.data[0] == cases[0]
    assert casemend.bad_cases.list(limit=3, order="asc").page(after=page.next_after).data == cases[3:6]


def test_a_file_goes_up_and_comes_back(
    casemend: Client, sessions: SessionFactory, store: ArtifactStore, settings: Settings, tmp_path: Path
) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_bytes(ndjson(alpaca_rows(300)))
    dataset = casemend.datasets.create(models.NewDataset(name="desk"))
    queued = casemend.datasets.upload(dataset.id, source)
    with pytest.raises(WaitTimeout, match="queued"):
        casemend.imports.wait(queued.id, timeout_seconds=0.1, poll_seconds=0.05)
    worker = threading.Thread(target=run_import, args=(sessions, store, settings, queued.id))
    worker.start()
    events: list[models.Event] = []
    done = casemend.imports.wait(queued.id, poll_seconds=0.05, on_event=events.append)
    worker.join()
    assert (done.rows_accepted, done.status) == (300, "succeeded")
    assert [events[0].type, events[-1].type] == ["queued", "succeeded"]
    assert events == list(casemend.imports.events(queued.id)) == list(casemend.imports.watch(queued.id))
    assert done.dataset_version_id is not None
    export = casemend.versions.export(done.dataset_version_id, format="alpaca")
    target = export.to_file(tmp_path / "out.jsonl")
    assert target.read_bytes() == export.read()
    assert len(export.text().splitlines()) == 300
    assert not list(tmp_path.glob("*.part"))


def test_a_download_that_is_refused_leaves_no_file(casemend: Client, tmp_path: Path) -> None:
    (tmp_path / "old.zip").write_bytes(b"old")
    with pytest.raises(NotFound):
        casemend.adapters.download("ad_missing").to_file(tmp_path / "old.zip")
    assert [p.read_bytes() for p in tmp_path.iterdir() if p.is_file()] == [b"old"]


def test_what_is_no_file_is_written_to_and_not_replaced(
    casemend: Client, seeded: Seeded, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(pipe.read_bytes)
        casemend.adapters.download(seeded.adapter_id).to_file(pipe)
        assert read.result(timeout=30).startswith(b"PK")
    assert pipe.is_fifo()


def test_an_adapter_and_a_report_are_downloaded(casemend: Client, seeded: Seeded, tmp_path: Path) -> None:
    path = casemend.adapters.download(seeded.adapter_id).to_file(tmp_path / "adapter.zip")
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as folder:
        assert any(name.endswith("README.md") for name in folder.namelist())
    assert "<html" in casemend.diagnoses.report(seeded.diagnosis_id, format="html").text()


def test_a_wait_ends_when_the_work_fails(
    casemend: Client, sessions: SessionFactory, store: ArtifactStore, settings: Settings
) -> None:
    dataset = casemend.datasets.create(models.NewDataset(name="desk"))
    queued = casemend.datasets.upload(dataset.id, b"no rows at all\n", strict=True)
    run_import(sessions, store, settings, queued.id)
    with pytest.raises(WorkFailed) as caught:
        casemend.imports.wait(queued.id)
    assert caught.value.work.id == queued.id
    assert caught.value.problem is not None
    assert caught.value.problem.detail in str(caught.value)
    cancelled = casemend.datasets.upload(dataset.id, ndjson(alpaca_rows(1)))
    casemend.imports.cancel(cancelled.id)
    with pytest.raises(WorkCancelled):
        casemend.imports.wait(cancelled.id)


def test_refusals_are_typed(casemend: Client, url: str) -> None:
    with pytest.raises(NotFound) as missing:
        casemend.cycles.get("cyc/../missing")
    assert (missing.value.status, missing.value.code) == (404, "not-found")
    with pytest.raises(InvalidInput) as invalid:
        casemend.repairs.create(models.NewRepair())
    assert invalid.value.errors[0].message
    assert invalid.value.problem.request_id
    with Client(url, "wrong") as stranger, pytest.raises(Unauthenticated):
        stranger.project.get()


def test_what_is_not_set_is_not_sent(casemend: Client, seeded: Seeded) -> None:
    cycle = casemend.cycles.create(
        models.NewCycle(
            dataset_version_id=seeded.version_id,
            base_model="smollm2-135m-instruct",
            bad_case_ids=[seeded.bad_case_id],
            policy=models.CyclePolicy(),
        )
    )
    assert cycle.cases == 1
    assert casemend.cycles.cancel(cycle.id).status == "cancelled"


def test_the_async_client_does_the_same(
    url: str, sessions: SessionFactory, store: ArtifactStore, settings: Settings, tmp_path: Path
) -> None:
    async def story() -> list[str]:
        async with AsyncClient(url, ADMIN_KEY) as client:
            dataset = await client.datasets.create(models.NewDataset(name="desk"))
            source = tmp_path / "rows.jsonl"
            source.write_bytes(ndjson(alpaca_rows(5)))
            queued = await client.datasets.upload(dataset.id, source)
            running = asyncio.to_thread(run_import, sessions, store, settings, queued.id)
            done, _ = await asyncio.gather(client.imports.wait(queued.id, poll_seconds=0.05), running)
            assert done.dataset_version_id is not None
            rows = [row async for row in client.versions.examples(done.dataset_version_id, limit=2)]
            export = client.versions.export(done.dataset_version_id, format="alpaca")
            path = await export.to_file(tmp_path / "out.jsonl")
            assert len(path.read_text().splitlines()) == len(rows) == 5
            with pytest.raises(NotFound):
                await client.cycles.get("missing")
            return [event.type async for event in client.imports.watch(queued.id)]

    started = time.monotonic()
    types = asyncio.run(story())
    assert (types[0], types[-1]) == ("queued", "succeeded")
    assert time.monotonic() - started < 20
