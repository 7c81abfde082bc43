"""A person's verdict on a finding: kept beside the machine's, and every earlier one with it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi.testclient import TestClient

from tests.conftest import bearer, rows_of
from tests.seed import Seeded


def override(
    client: TestClient, finding_id: str, category: str, note: str | None = None, **headers: str
) -> Any:
    body = {"category": category, "note": note}
    return client.patch(f"/v1/findings/{finding_id}", json=body, headers=headers)


def test_the_last_verdict_stands_and_every_one_is_kept_with_who_when_and_why(
    client: TestClient, seeded: Seeded
) -> None:
    override(client, seeded.finding_id, "conflict", "two rows disagree")
    override(client, seeded.finding_id, "hard", "no, they agree")
    finding = client.get(f"/v1/findings/{seeded.finding_id}").json()
    past = rows_of(client, f"/v1/findings/{seeded.finding_id}/overrides", order="asc", limit=1)
    assert (finding["override_category"], finding["revision"]) == ("hard", 3)
    assert [(p["category"], p["note"], p["revision"]) for p in past] == [
        ("conflict", "two rows disagree", 2),
        ("hard", "no, they agree", 3),
    ]
    assert all(p["overridden_by"].startswith("key_") for p in past)
    assert past[-1]["created_at"] == finding["overridden_at"] > past[0]["created_at"]


def test_of_verdicts_given_at_once_the_last_stands_and_all_are_kept_in_order(
    client: TestClient, seeded: Seeded
) -> None:
    said = ["conflict", "hard", "ood", "serving_mismatch"] * 4
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: override(client, seeded.finding_id, said[n], str(n)), range(16)))
    assert {a.status_code for a in answers} == {200}
    past = rows_of(client, f"/v1/findings/{seeded.finding_id}/overrides", order="asc")
    assert [p["revision"] for p in past] == list(range(2, 18))
    assert sorted(int(p["note"]) for p in past) == list(range(16))
    assert all(said[int(p["note"])] == p["category"] for p in past)
    finding = client.get(f"/v1/findings/{seeded.finding_id}").json()
    assert (finding["override_note"], finding["revision"]) == (past[-1]["note"], 17)


def test_of_verdicts_given_at_once_on_what_was_read_only_the_first_is_taken(
    client: TestClient, seeded: Seeded
) -> None:
    tag = client.get(f"/v1/findings/{seeded.finding_id}").headers["etag"]
    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(
                lambda c: override(client, seeded.finding_id, c, **{"If-Match": tag}), ["conflict", "hard"]
            )
        )
    assert sorted(a.status_code for a in answers) == [200, 412]
    (taken,) = (a.json() for a in answers if a.status_code == 200)
    (past,) = rows_of(client, f"/v1/findings/{seeded.finding_id}/overrides")
    assert past["category"] == taken["override_category"]


def test_the_history_is_not_seen_from_another_project(
    client: TestClient, seeded: Seeded, other_project_key: str
) -> None:
    path = f"/v1/findings/{seeded.finding_id}/overrides"
    assert client.get(path).json()["data"] == []
    assert client.get(path, headers=bearer(other_project_key)).status_code == 404
