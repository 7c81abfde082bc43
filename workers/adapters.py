"""Adapters fetched from the store into a folder of this machine."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from app.artifacts import ArtifactStore
from app.db.models import AdapterRow
from workers.context import StageContext


def fetch_adapter(context: StageContext, adapter: AdapterRow) -> Path:
    """The adapter's files in a local folder named by their content, fetched once."""
    return _fetch_folder(context.store, adapter.uri, context.settings.runs_dir.parent / "adapters")


def _fetch_folder(store: ArtifactStore, uri: str, cache: Path) -> Path:
    folder = cache / uri.rsplit("/", 1)[-1].replace(":", "-")
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=".fetch-", dir=cache))
        try:
            store.fetch(uri, part)
            part.rename(folder)  # whole or not at all, also for a worker that is killed meanwhile
        except OSError:
            if not folder.exists():  # else another worker was first
                raise
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return folder
