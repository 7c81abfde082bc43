"""Files of models that nobody needs any more: removed after their time, and nothing that somebody needs with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from app.artifacts import Artifact, ArtifactNotFound, ArtifactStore
from app.db.models import AdapterRow, MergeRow
from app.domain.job_status import Status
from app.errors import NotFound
from app.services.training import adapters, merges, retention

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def stored(store: ArtifactStore, folder: Path, weights: str) -> Artifact:
    folder.mkdir(exist_ok=True)
    (folder / "adapter_model.safetensors").write_text(weights)
    (folder / "tokenizer.json").write_text("the same everywhere")
    return store.put_directory(folder)


def add_adapter(session: Session, project: str, uri: str, deleted_at: datetime | None = None) -> AdapterRow:
    row = AdapterRow(
        project_id=project, name="a", base_model="tiny", uri=uri, size_bytes=1, card={}, deleted_at=deleted_at
    )
    session.add(row)
    session.flush()
    return row


def add_merge(session: Session, adapter: AdapterRow, uri: str, finished_at: datetime) -> MergeRow:
    row = MergeRow(
        project_id=adapter.project_id,
        adapter_id=adapter.id,
        uri=uri,
        status=Status.SUCCEEDED.value,
        finished_at=finished_at,
    )
    session.add(row)
    session.flush()
    return row


def test_expired_models_go_and_what_others_share_with_them_stays(
    session: Session, store: ArtifactStore, project: str, tmp_path: Path
) -> None:
    kept, old, fresh, merged = (
        stored(store, tmp_path / name, name) for name in ("kept", "old", "fresh", "merged")
    )
    weights = store.files(old.uri)["adapter_model.safetensors"].uri
    living = add_adapter(session, project, kept.uri)
    expired = add_adapter(session, project, old.uri, NOW - timedelta(days=31))
    recent = add_adapter(session, project, fresh.uri, NOW - timedelta(days=29))
    merge = add_merge(session, living, merged.uri, NOW - timedelta(days=40))

    before = NOW - timedelta(days=30)
    assert retention.remove_expired(session, store, before=before) == 2
    assert not store.exists(weights)
    assert not store.exists(old.uri)
    with store.open(store.files(kept.uri)["tokenizer.json"].uri) as shared:
        assert shared.read() == b"the same everywhere"
    assert set(adapters.files(store, living)) == set(adapters.files(store, recent))
    with pytest.raises(NotFound, match="no longer kept"):
        adapters.files(store, expired)
    assert merge.deleted_at is not None
    again = merges.create(session, project, living.id)
    assert (again.id != merge.id, again.status) == (True, Status.QUEUED)
    assert retention.remove_expired(session, store, before=before) == 0


def test_a_folder_that_two_models_share_stays_until_the_last_of_them_is_gone(
    session: Session, store: ArtifactStore, project: str, tmp_path: Path
) -> None:
    folder = stored(store, tmp_path / "same", "same")
    add_adapter(session, project, folder.uri, NOW - timedelta(days=31))
    twin = add_adapter(session, project, folder.uri)
    retention.remove_expired(session, store, before=NOW)
    assert set(adapters.files(store, twin)) == {"adapter_model.safetensors", "tokenizer.json"}
    twin.deleted_at = NOW - timedelta(days=1)
    session.flush()
    retention.remove_expired(session, store, before=NOW)
    with pytest.raises(ArtifactNotFound):
        store.files(folder.uri)


def test_a_model_stored_while_its_twin_expires_is_whole(
    session: Session, store: ArtifactStore, project: str, tmp_path: Path
) -> None:
    """A training may come out as an earlier one did, whose files are just being removed."""
    folder = stored(store, tmp_path / "same", "same")
    add_adapter(session, project, folder.uri, NOW - timedelta(days=31))
    retention.remove_expired(session, store, before=NOW)
    retention.hold(session, store, folder, tmp_path / "same")
    made = add_adapter(session, project, folder.uri)
    assert set(adapters.files(store, made)) == {"adapter_model.safetensors", "tokenizer.json"}
