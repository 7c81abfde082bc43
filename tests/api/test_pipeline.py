"""What the pipeline makes, over HTTP: every noun is read, listed, filtered and decided upon."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.conftest import bearer, rows_of
from tests.seed import Seeded

NOUNS = {
    "diagnoses": ("diagnosis_id", "diagnosis"),
    "repairs": ("repair_id", "repair"),
    "augmentations": ("augmentation_id", "augmentation"),
    "mixtures": ("mixture_id", "mixture"),
    "training-jobs": ("job_id", "training_job"),
    "evaluations": ("evaluation_id", "evaluation"),
    "verifications": ("verification_id", "verification"),
    "cycles": ("cycle_id", "cycle"),
    "adapters": ("adapter_id", "adapter"),
}


def as_listed(one: dict[str, Any]) -> dict[str, Any]:
    """Without what only a single repair tells: counting the actions of every plan in a list would be slow."""
    told_once = ("counts", "run") if one["object"] == "repair" else ()
    return {k: v for k, v in one.items() if k not in told_once}


def test_every_noun_is_read_and_listed(client: TestClient, seeded: Seeded) -> None:
    for noun, (parameter, object_) in NOUNS.items():
        id = asdict(seeded)[parameter]
        one = client.get(f"/v1/{noun}/{id}")
        assert one.status_code == 200, one.text
        assert (one.json()["id"], one.json()["object"]) == (id, object_)
        assert rows_of(client, f"/v1/{noun}") == [as_listed(one.json())]
        if noun != "adapters":
            assert one.json()["status"] == "succeeded"
            assert rows_of(client, f"/v1/{noun}", status="failed") == []
            assert [e["type"] for e in rows_of(client, f"/v1/{noun}/{id}/events")] == ["succeeded"]
            assert client.post(f"/v1/{noun}/{id}/cancel").status_code == 409


def test_nothing_of_it_is_seen_from_another_project(
    client: TestClient, seeded: Seeded, other_project_key: str
) -> None:
    stranger = bearer(other_project_key)
    ids = asdict(seeded)
    paths = [f"/v1/{noun}/{ids[parameter]}" for noun, (parameter, _) in NOUNS.items()]
    paths += [
        f"/v1/diagnoses/{seeded.diagnosis_id}/{part}"
        for part in (
            "findings",
            "clusters",
            "report",
            "events",
            "map",
            "map/examples?at=0",
            f"comparison?with={seeded.diagnosis_id}",
        )
    ]
    paths += [
        f"/v1/findings/{seeded.finding_id}",
        f"/v1/repairs/{seeded.repair_id}/actions",
        f"/v1/repair-actions/{seeded.action_id}",
        f"/v1/evaluations/{seeded.evaluation_id}/answers",
        f"/v1/verifications/{seeded.verification_id}/cases",
    ]
    for path in paths:
        assert client.get(path, headers=stranger).status_code == 404, path
    for path in (f"/v1/repairs/{seeded.repair_id}/apply", f"/v1/cycles/{seeded.cycle_id}/cancel"):
        assert client.post(path, headers=stranger).status_code == 404, path
    body = {"dataset_version_id": seeded.version_id, "bad_case_ids": [seeded.bad_case_id]}
    assert client.post("/v1/diagnoses", json=body, headers=stranger).status_code in (404, 422)


def test_findings_are_filtered_and_overridden_by_people(client: TestClient, seeded: Seeded) -> None:
    path = f"/v1/diagnoses/{seeded.diagnosis_id}/findings"
    (finding,) = rows_of(client, path, category="ood", symptom="missing_knowledge", held_back=False)
    assert finding["external_id"] == "c-1"
    assert finding["case"]["model_output"] == "A cat."
    assert finding["evidence"]["neighbors"][0]["agrees_with"] == "neither"
    assert rows_of(client, path, category="hard") == []
    assert client.get(path, params={"category": "bad luck"}).status_code == 422

    one = f"/v1/findings/{seeded.finding_id}"
    tag = client.get(one).headers["etag"]
    verdict = {"category": "conflict", "note": "two rows disagree"}
    changed = client.patch(one, json=verdict, headers={"If-Match": tag})
    assert changed.status_code == 200
    assert changed.json()["category"] == "ood"
    assert changed.json()["override_category"] == "conflict"
    assert changed.json()["overridden_by"].startswith("key_")
    stale = client.patch(one, json=verdict, headers={"If-Match": tag})
    assert stale.status_code == 412
    assert client.patch(one, json={"category": "nonsense"}).status_code == 422


def test_a_repair_is_decided_and_applied_once(client: TestClient, seeded: Seeded) -> None:
    action = f"/v1/repair-actions/{seeded.action_id}"
    assert client.patch(action, json={"decision": "rejected"}).json()["decision"] == "rejected"
    assert client.patch(action, json={"decision": "applied"}).status_code == 422
    repair = f"/v1/repairs/{seeded.repair_id}"
    decided = client.post(
        f"{repair}/decisions", json={"decision": "approved", "kind": "drop", "min_score": 0.5}
    )
    assert decided.json()["decided"] == 1
    (shown,) = rows_of(client, f"{repair}/actions", decision="approved")
    assert (shown["id"], shown["reason"]) == (seeded.action_id, "exact duplicate")

    applied = client.post(f"{repair}/apply")
    assert applied.status_code == 200, applied.text
    version = applied.json()
    assert (version["parent_id"], version["rows"]) == (seeded.version_id, 4)
    assert client.post(f"{repair}/apply").json()["id"] == version["id"]
    diff = client.get(f"/v1/dataset-versions/{version['id']}/diff").json()
    assert [(c["reason"], c["action_id"]) for c in diff["removed"]] == [("exact duplicate", seeded.action_id)]
    assert client.patch(action, json={"decision": "rejected"}).status_code == 409


def test_answers_stand_beside_what_the_dataset_says(client: TestClient, seeded: Seeded) -> None:
    (answer,) = rows_of(client, f"/v1/evaluations/{seeded.evaluation_id}/answers", correct=True)
    shown = {k: answer[k] for k in ("prompt", "expected_output", "output", "source_id", "correct")}
    assert shown == {
        "prompt": "Q0",
        "expected_output": "A0",
        "output": "A0",
        "source_id": "0",
        "correct": True,
    }
    unknown = client.get(f"/v1/evaluations/{seeded.evaluation_id}/answers", params={"after": "ans_x"})
    assert unknown.status_code == 422


def test_a_cycle_shows_its_stages_and_verdict(client: TestClient, seeded: Seeded) -> None:
    cycle = client.get(f"/v1/cycles/{seeded.cycle_id}").json()
    assert [s["name"] for s in cycle["stages"]] == ["diagnose", "repair", "augment", "mix", "train", "verify"]
    assert cycle["stages"][0]["result_id"] == seeded.diagnosis_id
    assert (cycle["verdict"]["gate"], cycle["cases"], cycle["adapter_id"]) == (
        "accepted",
        1,
        seeded.adapter_id,
    )


@pytest.mark.parametrize(
    ("format", "kind"),
    [("json", "application/json"), ("html", "text/html"), ("md", "text/markdown"), ("csv", "text/csv")],
)
def test_the_report_comes_in_every_format(client: TestClient, seeded: Seeded, format: str, kind: str) -> None:
    report = client.get(f"/v1/diagnoses/{seeded.diagnosis_id}/report", params={"format": format})
    assert report.status_code == 200, report.text
    assert report.headers["content-type"].startswith(kind)
    assert "c-1" in report.text


def test_work_is_queued_with_a_place_to_watch_it(client: TestClient, seeded: Seeded) -> None:
    version, diagnosis = {"dataset_version_id": seeded.version_id}, {"diagnosis_id": seeded.diagnosis_id}
    bodies: dict[str, dict[str, Any]] = {
        "diagnoses": {
            **version,
            "bad_case_ids": [seeded.bad_case_id],
            "options": {"hold_back": 0.25, "judge": True, "adapter_id": seeded.adapter_id},
        },
        "repairs": {**diagnosis, "evaluation_dataset_version_id": seeded.version_id},
        "augmentations": {**diagnosis, "options": {}},
        "mixtures": {**version, **diagnosis},
        "training-jobs": {**version, "base_model": "tiny"},
        "evaluations": {**version, "base_model": "tiny", "adapter_id": seeded.adapter_id},
        "verifications": {**diagnosis, "adapter_id": seeded.adapter_id},
        "cycles": {**version, "filter": {"has_expected": True}, "base_model": "tiny"},
    }
    for noun, body in bodies.items():
        answer = client.post(f"/v1/{noun}", json=body)
        assert answer.status_code == 202, (noun, answer.text)
        work = answer.json()
        assert answer.headers["location"] == f"/v1/{noun}/{work['id']}"
        assert work["status"] in ("queued", "running")
        assert as_listed(client.get(answer.headers["location"]).json()) == work
        cancelled = client.post(f"/v1/{noun}/{work['id']}/cancel").json()
        assert cancelled["status"] == "cancelled" or cancelled["cancel_requested"]


@pytest.mark.parametrize(
    ("noun", "body", "status"),
    [
        ("diagnoses", {"dataset_version_id": "dsv_x", "filter": {}}, 404),
        ("diagnoses", {"dataset_version_id": "VERSION"}, 422),
        ("diagnoses", {"dataset_version_id": "VERSION", "bad_case_ids": []}, 422),
        ("diagnoses", {"dataset_version_id": "VERSION", "bad_case_ids": ["bc_x"]}, 422),
        ("diagnoses", {"dataset_version_id": "VERSION", "filter": {"tag": "none"}}, 422),
        ("diagnoses", {"dataset_version_id": "VERSION", "filter": {}, "options": {"hold_back": "a"}}, 422),
        ("diagnoses", {"dataset_version_id": "VERSION", "filter": {}, "options": {"judge": "yes"}}, 422),
        (
            "diagnoses",
            {"dataset_version_id": "VERSION", "filter": {}, "options": {"adapter_id": "adp_x"}},
            404,
        ),
        ("repairs", {"diagnosis_id": "dg_x"}, 404),
        ("repairs", {"diagnosis_id": "DIAGNOSIS", "policy": {"conflict": 5}}, 422),
        ("repairs", {"diagnosis_id": "DIAGNOSIS", "policy": {"unknown": 1}}, 422),
        ("repairs", {"diagnosis_id": "DIAGNOSIS", "policy": {"balance": {"alpha": 2}}}, 422),
        ("repairs", {"diagnosis_id": "DIAGNOSIS", "evaluation_dataset_version_id": "dsv_x"}, 404),
        ("mixtures", {"dataset_version_id": "VERSION", "recipe": {"targeted_share": 7}}, 422),
        ("mixtures", {"dataset_version_id": "VERSION", "recipe": {"seed": "x"}}, 422),
        ("training-jobs", {"base_model": "tiny"}, 422),
        ("training-jobs", {"base_model": "", "dataset_version_id": "VERSION"}, 422),
        (
            "training-jobs",
            {"base_model": "t", "dataset_version_id": "VERSION", "hyperparameters": {"rank": "x"}},
            422,
        ),
        ("evaluations", {"dataset_version_id": "VERSION", "base_model": "t", "adapter_id": "adp_x"}, 404),
        (
            "evaluations",
            {"dataset_version_id": "VERSION", "base_model": "t", "options": {"max_new_tokens": 0}},
            422,
        ),
        ("verifications", {"diagnosis_id": "DIAGNOSIS", "adapter_id": "adp_x"}, 404),
        (
            "cycles",
            {"dataset_version_id": "VERSION", "filter": {}, "base_model": "t", "policy": {"seed": -1}},
            422,
        ),
        (
            "cycles",
            {"dataset_version_id": "VERSION", "filter": {}, "base_model": "t", "policy": {"repair": 1}},
            422,
        ),
    ],
)
def test_work_that_cannot_be_done_is_refused_at_once(
    client: TestClient, seeded: Seeded, noun: str, body: dict[str, Any], status: int
) -> None:
    known = {"VERSION": seeded.version_id, "DIAGNOSIS": seeded.diagnosis_id}
    sent = {k: known.get(v, v) if isinstance(v, str) else v for k, v in body.items()}
    answer = client.post(f"/v1/{noun}", json=sent)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]


def test_a_dataset_deleted_after_its_diagnosis_refuses_what_needs_it(
    client: TestClient, seeded: Seeded
) -> None:
    client.delete(f"/v1/datasets/{seeded.dataset_id}")
    assert client.get(f"/v1/dataset-versions/{seeded.version_id}").status_code == 404
    applied = client.post(f"/v1/repairs/{seeded.repair_id}/apply")
    assert applied.status_code == 409
    assert "deleted" in applied.json()["detail"]
    assert client.get(f"/v1/diagnoses/{seeded.diagnosis_id}/report").status_code == 200
