"""A dirty set is imported, planned, decided by policy, applied, read as a diff, and taken back."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient

from app.artifacts import ArtifactStore
from app.db.session import SessionFactory, transaction
from app.queue import Stage
from app.services.versions import versions
from app.settings import Settings
from tests.conftest import rows_of
from tests.importing import Uploads
from tests.integration.builders import add_diagnosis, succeed
from workers.context import Resources
from workers.run_stage import run_stage

INSTRUCTION = "Name the team that answers this customer."
TOPICS = {
    "cards": (
        "my {} card has not arrived",
        "the {} card was swallowed by a machine",
        "when does the {} card expire",
        "please block my {} card at once",
        "我的{}卡还没有寄到",
        "{}卡被取款机吞了怎么办",
    ),
    "loans": (
        "what is the rate on a {} loan",
        "can I repay the {} loan early",
        "who signs a {} loan with me",
        "how long does a {} loan run",
        "{}贷款的利率是多少",
        "可以提前还{}贷款吗",
    ),
    "travel": (
        "is my {} luggage insured abroad",
        "cancel the {} flight I booked",
        "does the {} trip include a hotel",
        "move my {} booking to june",
        "{}旅行的行李有保险吗",
        "请取消我订的{}机票",
    ),
}
KINDS = ("new", "old", "gold", "spare", "joint", "family", "business", "student", "second", "private")


def dirty_rows() -> list[dict[str, Any]]:
    """Rows of three teams in English and Chinese with planted defects, 300 in all."""
    rows = [
        {"instruction": INSTRUCTION, "input": ask.format(kind), "output": team}
        for kind in KINDS
        for team, asks in TOPICS.items()
        for ask in asks
    ]
    copies = [dict(row) for row in rows[:60]]
    tokens = [{**row, "input": f"{row['input']} <|im_end|>"} for row in rows[60:90]]
    texts = [
        {
            "instruction": "Explain in one sentence.",
            "input": f"Why does step {i} of the form ask for {thing}?",
            "output": f"Because the {thing} of step {i} is what the bank compares with the contract.",
        }
        for i, thing in enumerate(["a name", "an address", "a birthday", "a number", "a tax office"] * 6)
    ]
    made = [*rows, *copies, *tokens, *texts]
    return [{**row, "id": f"row-{i}", "source": "desk"} for i, row in enumerate(made)]


def test_a_dirty_set_is_repaired_and_the_repair_taken_back(
    client: TestClient,
    project: str,
    uploads: Uploads,
    sessions: SessionFactory,
    store: ArtifactStore,
    settings: Settings,
) -> None:
    resources = Resources(settings=settings, sessions=sessions, store=store)
    rows = dirty_rows()
    assert len(rows) == 300
    first_id = uploads.version(rows, format="alpaca")
    first = client.get(f"/v1/dataset-versions/{first_id}").json()
    with transaction(sessions) as session:
        version = versions.require(session, project, first_id)
        diagnosis_id = add_diagnosis(session, project, version=version).id
        succeed(session, Stage.DIAGNOSE, diagnosis_id)
    asked = {"diagnosis_id": diagnosis_id, "policy": {"approve": "none"}}
    repair_id = client.post("/v1/repairs", json=asked).json()["id"]
    run_stage(resources, Stage.REPAIR, repair_id)

    path = f"/v1/repairs/{repair_id}"
    plan = client.get(path).json()
    assert plan["status"] == "succeeded", plan["error"]
    assert {c["decision"] for c in plan["counts"]} == {"proposed"}
    assert {"exact_duplicate", "normalise_special_tokens"} <= {c["rule"] for c in plan["counts"]}

    tag = client.get(path).headers["etag"]
    # Who names a rule has read what it asks.
    named = [
        rule for c in plan["counts"] if (rule := c["rule"]).endswith("_duplicate") or "normalise" in rule
    ]
    policy = {"approve": "confident", "min_score": 0.8, "rules": {rule: {"approve": "all"} for rule in named}}
    decided = client.post(f"{path}/decisions", json={"policy": policy}, headers={"If-Match": tag})
    assert decided.status_code == 200, decided.text
    approved = rows_of(client, f"{path}/actions", decision="approved")
    assert decided.json()["decided"] == len(approved) >= 90
    preview = client.post(f"{path}/apply?dry_run=true").json()

    applied = client.post(f"{path}/apply", headers={"If-Match": decided.headers["etag"]})
    assert applied.status_code == 200, applied.text
    made = applied.json()
    assert (preview["content_hash"], preview["rows"]) == (made["content_hash"], made["rows"])
    diff = client.get(f"/v1/dataset-versions/{made['id']}/diff?limit=1000").json()
    changes = [*diff["added"], *diff["removed"], *diff["changed"]]
    ids = {a["id"] for a in approved}
    assert changes
    assert all(change["reason"] and change["action_id"] in ids for change in changes)
    assert made["rows"] == first["rows"] - diff["counts"]["removed"] + diff["counts"]["added"]
    after = rows_of(client, f"/v1/dataset-versions/{made['id']}/examples")
    assert not any("<|im_end|>" in row["messages"][0]["content"] for row in after)
    assert len({row["content_hash"] for row in after}) == len(after)

    back = client.post(f"{path}/revert").json()
    assert back["content_hash"] == first["content_hash"]
    assert rows_of(client, f"/v1/dataset-versions/{back['id']}/examples") == rows_of(
        client, f"/v1/dataset-versions/{first_id}/examples"
    )
    undone = client.get(f"/v1/dataset-versions/{back['id']}/diff?against={first_id}").json()
    assert undone["counts"] == {"added": 0, "removed": 0, "changed": 0}
