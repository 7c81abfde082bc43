"""How far the judge can be trusted, over HTTP."""

from __future__ import annotations

from fastapi.testclient import TestClient
from sqlalchemy import update

from app.db.models import FindingRow
from app.db.session import SessionFactory, transaction
from tests.conftest import bearer
from tests.seed import Seeded

UNKNOWN = {"n": 0, "agreed": 0, "rate": None, "low": 0.0, "high": 1.0}


def test_judgements_are_held_against_what_people_said(
    client: TestClient, seeded: Seeded, sessions: SessionFactory, other_project_key: str
) -> None:
    before = client.get("/v1/judge/agreement")
    assert before.status_code == 200, before.text
    assert {k: v for k, v in before.json().items() if k in UNKNOWN} == UNKNOWN

    with transaction(sessions) as session:
        judged = FindingRow.evidence.op("||")(
            {"judge": {"verdict": "conflict", "quote": "q", "reason": "r", "model": "m", "agrees": False}}
        )
        session.execute(update(FindingRow).where(FindingRow.id == seeded.finding_id).values(evidence=judged))
    assert client.get("/v1/judge/agreement").json()["n"] == 0

    client.patch(f"/v1/findings/{seeded.finding_id}", json={"category": "hard"})
    wrong = client.get("/v1/judge/agreement").json()
    assert (wrong["n"], wrong["agreed"], wrong["rate"]) == (1, 0, 0.0)
    assert wrong["by_category"]["hard"]["n"] == 1
    assert wrong["by_category"]["ood"] == UNKNOWN

    client.patch(f"/v1/findings/{seeded.finding_id}", json={"category": "conflict"})
    right = client.get("/v1/judge/agreement").json()
    assert (right["n"], right["agreed"], right["high"]) == (1, 1, 1.0)
    assert 0.2 < right["low"] < 0.21
    stranger = client.get("/v1/judge/agreement", headers=bearer(other_project_key)).json()
    assert stranger["n"] == 0
