"""Imports: all of an upload or nothing, with flat memory, and hash for hash what was sent."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from app.artifacts import ArtifactStore
from app.db.models import DatasetVersionRow, ExampleRow, ImportRow
from app.db.session import SessionFactory, transaction
from app.errors import StageCancelled
from app.services.versions import imports, versions
from app.settings import Settings
from tests.importing import Uploads, alpaca_rows, ndjson


def counted(sessions: SessionFactory, row_class: type[Any]) -> int:
    with sessions() as session:
        return session.scalar(select(func.count()).select_from(row_class)) or 0


def test_rows_come_out_of_the_database_as_they_went_in(uploads: Uploads, sessions: SessionFactory) -> None:
    rows = [
        {
            "messages": [
                {"role": "user", "content": "a\tb\\n\n\u2028😀"},
                {"role": "assistant", "content": '"\\'},
            ]
        },
        {
            "messages": [
                {"role": "user", "content": "weather?"},
                {"role": "assistant", "content": "", "tool_calls": [{"id": "1", "function": {"name": "f"}}]},
                {"role": "tool", "content": "20", "tool_call_id": "1"},
                {"role": "assistant", "content": "20 degrees"},
            ],
            "tools": [{"type": "function", "function": {"name": "f"}}],
            "id": 7,
            "metadata": {"n": 1.5, "deep": [None, True, {"k": "值"}]},
        },
    ]
    version_id = uploads.version(rows)
    with sessions() as session:
        examples = versions.load_examples(session, version_id)
        stored = session.scalars(select(ExampleRow).order_by(ExampleRow.id)).all()
        for example, row in zip(examples, stored, strict=True):
            assert (example.id, example.content_hash, example.record_hash) == (
                row.id,
                row.content_hash,
                row.record_hash,
            )
    assert examples[0].output == '"\\'
    assert examples[1].messages[1].extra["tool_calls"][0]["id"] == "1"
    assert examples[1].tools == rows[1]["tools"]


def test_batches_join_without_a_gap(
    uploads: Uploads, sessions: SessionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "_BATCH_ROWS", 7)
    monkeypatch.setattr(imports, "_DETECTION_ROWS", 3)
    version_id = uploads.version(alpaca_rows(50))
    with sessions() as session:
        outputs = [e.output for e in versions.iter_examples(session, version_id, batch=11)]
    assert outputs == [row["output"] for row in alpaca_rows(50)]


def test_a_json_array_is_imported_too(uploads: Uploads, client: TestClient) -> None:
    as_array = json.dumps(alpaca_rows(20), ensure_ascii=False, indent=1).encode()
    done = uploads.imported(as_array)
    version = client.get(f"/v1/dataset-versions/{done['dataset_version_id']}").json()
    lines = client.get(f"/v1/dataset-versions/{uploads.version(alpaca_rows(20))}").json()
    assert version["content_hash"] == lines["content_hash"]


def test_a_damaged_upload_leaves_nothing_behind(
    uploads: Uploads, sessions: SessionFactory, store: ArtifactStore
) -> None:
    queued = uploads.upload(ndjson(alpaca_rows(10)))
    cut_off = store.put_bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00")
    with transaction(sessions) as session:
        session.get_one(ImportRow, queued["id"]).upload_uri = cut_off.uri
    done = uploads.finished(queued["id"])
    assert done["status"] == "failed"
    assert done["error"]["type"] == "/problems/truncated-gzip"
    assert counted(sessions, ExampleRow) == counted(sessions, DatasetVersionRow) == 0


def test_a_cancelled_import_leaves_nothing_behind(
    uploads: Uploads, sessions: SessionFactory, store: ArtifactStore, settings: Settings
) -> None:
    queued = uploads.upload(ndjson(alpaca_rows(10)))
    with pytest.raises(StageCancelled), transaction(sessions) as session:
        imports.run_import(
            session,
            store,
            session.get_one(ImportRow, queued["id"]),
            progress=lambda _: None,
            should_cancel=lambda: True,
            settings=settings,
        )
    assert counted(sessions, ExampleRow) == counted(sessions, DatasetVersionRow) == 0


def test_progress_grows_and_stays_below_one_until_the_commit(
    uploads: Uploads,
    sessions: SessionFactory,
    store: ArtifactStore,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(imports, "_BATCH_ROWS", 500)
    queued = uploads.upload(ndjson(alpaca_rows(6000)))
    told: list[float] = []
    with transaction(sessions) as session:
        imports.run_import(
            session,
            store,
            session.get_one(ImportRow, queued["id"]),
            progress=told.append,
            should_cancel=lambda: False,
            settings=settings,
        )
    assert told == sorted(told)
    assert len(told) == 12
    assert 0 < told[0] < told[-1] < 1


def test_memory_does_not_grow_with_the_upload(uploads: Uploads) -> None:
    def peak(rows: int) -> int:
        queued = uploads.upload(ndjson(alpaca_rows(rows)))
        tracemalloc.start()
        try:
            uploads.finished(queued["id"])
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    small, large = peak(5_000), peak(20_000)
    assert large < small + 5_000_000
