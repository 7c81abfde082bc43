"""A dataset version audited alone over HTTP: planned, read, decided, applied, taken back."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from app.artifacts import ArtifactStore
from app.db.session import SessionFactory
from app.queue import Stage
from app.settings import Settings
from tests import planted
from tests.conftest import bearer, rows_of
from tests.importing import Uploads
from workers.context import Resources
from workers.run_stage import run_stage


@pytest.fixture
def audited(uploads: Uploads, sessions: SessionFactory, store: ArtifactStore, settings: Settings) -> str:
    """The address of a finished plan of a version without a diagnosis."""
    version = uploads.version(planted.training_rows())
    against = uploads.version(planted.validation_rows())
    asked = {"dataset_version_id": version, "evaluation_dataset_version_id": against}
    answer = uploads.client.post("/v1/repairs", json=asked)
    assert answer.status_code == 202, answer.text
    assert answer.json()["diagnosis_id"] is None
    assert answer.json()["dataset_version_id"] == version
    run_stage(Resources(settings=settings, sessions=sessions, store=store), Stage.REPAIR, answer.json()["id"])
    return answer.headers["Location"]


def test_planted_faults_are_planned_applied_and_taken_back(client: TestClient, audited: str) -> None:
    plan = client.get(audited).json()
    assert plan["status"] == "succeeded", plan["error"]
    by_rule = {a["rule"]: a for a in rows_of(client, f"{audited}/actions")}
    assert by_rule["exact_duplicate"]["before"][0]["messages"][0]["content"] == "Do you gift-wrap parcels?"
    assert by_rule["leakage_equal"]["before"][0]["messages"][0]["content"] == planted.LEAKED[0]
    assert plan["summary"]["leakage"]["protected"] == {"evaluation": 2}
    page = client.get(f"{audited}/page")
    assert page.status_code == 200
    assert "Repair plan" in page.text
    drop = by_rule["leakage_equal"]
    similar = client.post(f"/v1/repair-actions/{drop['id']}/apply-to-similar")
    assert similar.status_code in (200, 422), similar.text
    asked = by_rule["ask"]
    assert planted.CONTRADICTION in asked["reason"]
    chosen = {"decision": "approved", "answer": planted.RIGHT[0]}
    assert client.patch(f"/v1/repair-actions/{asked['id']}", json=chosen).status_code == 200
    applied = client.post(f"{audited}/apply")
    assert applied.status_code == 200, applied.text
    said = [r["messages"] for r in rows_of(client, f"/v1/dataset-versions/{applied.json()['id']}/examples")]
    assert planted.LEAKED[0] not in str(said)
    assert str(said).count("gift-wrap") == 1
    assert planted.WRONG not in str(said)
    back = client.post(f"{audited}/revert")
    assert back.status_code == 200, back.text
    assert back.json()["rows"] == len(planted.training_rows())


@pytest.mark.parametrize("asked", [{}, {"dataset_version_id": "dsv_x", "diagnosis_id": "dg_x"}])
def test_one_of_version_and_diagnosis_is_asked_for(
    refusing_client: TestClient, asked: dict[str, str]
) -> None:
    answer = refusing_client.post("/v1/repairs", json=asked)
    assert answer.status_code == 422
    assert "one of them" in answer.json()["detail"]


def test_a_version_of_another_project_is_not_there(uploads: Uploads, other_project_key: str) -> None:
    version = uploads.version(planted.validation_rows())
    asked = {"dataset_version_id": version}
    answer = uploads.client.post("/v1/repairs", json=asked, headers=bearer(other_project_key))
    assert answer.status_code == 404


def test_plans_are_listed_by_their_version(client: TestClient, audited: str) -> None:
    plan = client.get(audited).json()
    assert [
        p["id"] for p in rows_of(client, "/v1/repairs", dataset_version_id=plan["dataset_version_id"])
    ] == [plan["id"]]
    assert rows_of(client, "/v1/repairs", dataset_version_id="dsv_none") == []
