"""Uploads over HTTP, imported on the spot as a worker would."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi.testclient import TestClient

from app.artifacts import ArtifactStore
from app.db.base import new_id
from app.db.models import ImportRow
from app.db.session import SessionFactory, transaction
from app.domain.job_status import Status
from app.errors import StageError
from app.queue import Stage
from app.services.versions import imports
from app.services.work import lifecycle, work
from app.settings import Settings


def ndjson(rows: Iterable[object]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def alpaca_rows(count: int, *, start: int = 0) -> list[dict[str, Any]]:
    return [
        {
            "instruction": "Answer the customer.",
            "input": f"Where is order {i}?",
            "output": f"Order {i} is on its way.",
        }
        for i in range(start, start + count)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploads:
    """Creates datasets and versions through the API."""

    client: TestClient
    sessions: SessionFactory
    store: ArtifactStore
    settings: Settings

    def dataset(self, name: str = "support desk") -> str:
        answer = self.client.post("/v1/datasets", json={"name": name})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def upload(self, body: bytes, *, dataset_id: str | None = None, **query: Any) -> dict[str, Any]:
        """The import as it was queued."""
        path = f"/v1/datasets/{dataset_id or self.dataset()}/versions"
        answer = self.client.post(path, content=body, params=query)
        assert answer.status_code == 202, answer.text
        return answer.json()

    def finished(self, import_id: str) -> dict[str, Any]:
        """Run the queued import; the import as the API shows it afterwards."""
        run_import(self.sessions, self.store, self.settings, import_id)
        return self.client.get(f"/v1/imports/{import_id}").json()

    def imported(self, body: bytes, **query: Any) -> dict[str, Any]:
        return self.finished(self.upload(body, **query)["id"])

    def version(self, rows: Sequence[object], **query: Any) -> str:
        """The id of a version that holds ``rows``."""
        done = self.imported(ndjson(rows), **query)
        assert done["status"] == "succeeded", done
        return done["dataset_version_id"]


def run_import(sessions: SessionFactory, store: ArtifactStore, settings: Settings, import_id: str) -> None:
    """Claim, run and finish an import; a StageError ends up in the row, as it does in a worker."""
    with transaction(sessions) as session:
        claim = lifecycle.claim(session, Stage.IMPORT, import_id, run_token=new_id("run"), max_attempts=5)
    assert claim is not None
    try:
        with transaction(sessions) as session:
            row = session.get_one(ImportRow, import_id)
            imports.run_import(
                session,
                store,
                row,
                progress=lambda _: None,
                should_cancel=lambda: False,
                settings=settings,
            )
            lifecycle.finish(session, work.held(session, claim, to_finish=True), Status.SUCCEEDED)
    except StageError as error:
        with transaction(sessions) as session:
            row = work.held(session, claim, to_finish=True)
            assert isinstance(row, ImportRow)
            imports.note_failure(row, error)
            lifecycle.finish(session, row, Status.FAILED, error=error.as_problem())
