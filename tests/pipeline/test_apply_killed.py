"""``kill -9`` of a worker in the middle of applying and of reverting: nothing half-applied, then all of it."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from app.db.session import SessionFactory, transaction
from app.domain.repair.plan import ActionKind
from app.main import create_app
from app.services.versions import versions
from app.settings import Settings
from tests.conftest import ADMIN_KEY, bearer
from tests.integration.builders import action, add_repair, add_version
from tests.pipeline.processes import Watch, Worker
from tests.pipeline.test_worker_killed import kill_while_running

pytestmark = pytest.mark.kill

ROWS, DROPPED = 4000, 1500
_TABLES = ("dataset_versions", "dataset_version_examples", "dataset_version_changes", "examples")


def _written(watch: Watch) -> list[object]:
    return [watch.value(f"SELECT count(*) FROM {table}") for table in _TABLES]


def test_an_apply_and_a_revert_whose_workers_are_killed_are_done_once_by_others(
    client: TestClient,
    project: str,
    sessions: SessionFactory,
    settings: Settings,
) -> None:
    with transaction(sessions) as session:
        version = add_version(session, project, ROWS)
        first_hash = version.content_hash
        rows = versions.load_examples(session, version.id)
        plan = [action(ActionKind.DROP, [row]) for row in rows[:DROPPED]]
        plan += [action(ActionKind.RELABEL, [row], outputs=["new"]) for row in rows[DROPPED : 2 * DROPPED]]
        repair_id = add_repair(session, project, plan, version=version).id
    app = create_app(settings.model_copy(update={"apply_rows_in_request": 100}))
    with TestClient(app, headers=bearer(ADMIN_KEY)) as api, Watch(settings) as watch:
        made = {}
        for what in ("apply", "revert"):
            asked = api.post(f"/v1/repairs/{repair_id}/{what}")
            assert asked.status_code == 202, asked.text
            run_id, before = asked.json()["id"], _written(watch)
            kill_while_running(settings, watch, "repair_runs", run_id)
            assert _written(watch) == before
            shown = api.get(f"/v1/repairs/{repair_id}").json()
            assert (shown["applied_at"] is None, shown["reverted_version_id"]) == (what == "apply", None)
            assert {c["reverted"] for c in shown["counts"]} == {0}
            with Worker(settings) as worker:
                watch.until(
                    lambda run_id=run_id: (
                        watch.value("SELECT status FROM repair_runs WHERE id = %s", run_id) == "succeeded"
                    ),
                    f"the {what} ends",
                    seconds=120,
                    worker=worker,
                )
            assert watch.value("SELECT attempts FROM repair_runs WHERE id = %s", run_id) == 2
            made[what] = api.post(f"/v1/repairs/{repair_id}/{what}").json()
        assert watch.value("SELECT count(*) FROM dataset_versions") == 3
        assert made["apply"]["rows"] == ROWS - DROPPED
        assert made["revert"]["content_hash"] == first_hash
