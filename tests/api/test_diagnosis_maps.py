"""The map of a diagnosis and its comparison with another, over HTTP."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from app.artifacts import ArtifactStore
from app.db.session import SessionFactory
from tests.conftest import rows_of
from tests.seed import Seeded, add_map


@pytest.fixture
def mapped(store: ArtifactStore, sessions: SessionFactory, seeded: Seeded) -> str:
    """The seeded diagnosis, with a map of its five rows and its case."""
    add_map(sessions, store, seeded.diagnosis_id)
    return f"/v1/diagnoses/{seeded.diagnosis_id}"


def test_the_map_holds_every_row_and_case(client: TestClient, mapped: str, seeded: Seeded) -> None:
    made = client.get(f"{mapped}/map").json()
    assert (made["object"], made["scale"], made["dataset_version_id"]) == ("map", 65535, seeded.version_id)
    assert [len(made["examples"][k]) for k in ("x", "y", "group")] == [5, 5, 5]
    assert (made["examples"]["x"][0], made["examples"]["y"][4]) == (0, 65535)
    assert made["cases"] == {
        "finding_id": [seeded.finding_id],
        "bad_case_id": [seeded.bad_case_id],
        "category": ["ood"],
        "x": [16384],
        "y": [49151],
        "text": ["Where is it?"],
    }
    client.patch(f"/v1/findings/{seeded.finding_id}", json={"category": "conflict"})
    assert client.get(f"{mapped}/map").json()["cases"]["category"] == ["conflict"]


def test_the_text_of_a_training_row_is_read_when_it_is_looked_at(client: TestClient, mapped: str) -> None:
    rows = rows_of_examples(client, mapped, [3, 1])
    assert [(r["index"], r["input"], r["output"]) for r in rows] == [(3, "Q3", "A3"), (1, "Q1", "A1")]
    assert client.get(f"{mapped}/map/examples").status_code == 422
    assert client.get(f"{mapped}/map/examples", params={"at": [-1]}).status_code == 422
    assert client.get(f"{mapped}/map/examples", params={"at": [5]}).status_code == 422
    assert client.get(f"{mapped}/map/examples", params={"at": list(range(101))}).status_code == 422


def rows_of_examples(client: TestClient, mapped: str, at: list[int]) -> list[dict[str, object]]:
    answer = client.get(f"{mapped}/map/examples", params={"at": at})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_a_diagnosis_that_was_made_without_a_map_has_none(client: TestClient, seeded: Seeded) -> None:
    answer = client.get(f"/v1/diagnoses/{seeded.diagnosis_id}/map")
    assert answer.status_code == 404
    assert "run it again" in answer.json()["detail"]
    report = client.get(f"/v1/diagnoses/{seeded.diagnosis_id}/report").json()
    assert report["map"] is None


def test_a_diagnosis_is_compared_with_another(client: TestClient, mapped: str, seeded: Seeded) -> None:
    made = client.get(f"{mapped}/comparison", params={"with": seeded.diagnosis_id}).json()
    assert (made["before_id"], made["after_id"]) == (seeded.diagnosis_id, seeded.diagnosis_id)
    assert made["by_category"]["ood"] == {"before": 1, "after": 1}
    assert made["case_counts"] == {"new": 0, "changed": 0, "unchanged": 1, "fixed": 0, "gone": 0}
    assert [c["trend"] for c in made["clusters"]] == ["steady"]
    assert client.get(f"{mapped}/comparison").status_code == 422
    assert client.get(f"{mapped}/comparison", params={"with": "dg_none"}).status_code == 404


@pytest.mark.parametrize("format", ["json", "html", "md", "csv"])
def test_the_report_is_made_with_map_and_comparison(
    client: TestClient, mapped: str, seeded: Seeded, format: str
) -> None:
    asked = {"format": format, "compared_with": seeded.diagnosis_id}
    report = client.get(f"{mapped}/report", params=asked)
    assert report.status_code == 200, report.text
    if format == "json":
        assert len(report.json()["map"]["examples"]) == 5
        assert report.json()["comparison"]["case_counts"]["unchanged"] == 1
    missing = client.get(f"{mapped}/report", params={**asked, "compared_with": "dg_none"})
    assert missing.status_code == 404


def test_clusters_have_no_trend_before_there_is_a_second_diagnosis(
    client: TestClient, seeded: Seeded
) -> None:
    (cluster,) = rows_of(client, f"/v1/diagnoses/{seeded.diagnosis_id}/clusters")
    assert cluster["trend"] is None
