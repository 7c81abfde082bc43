"""Plans over HTTP: decided by filter and policy, previewed, applied, taken back."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.artifacts import ArtifactStore
from app.db.session import SessionFactory, transaction
from app.domain.repair.plan import ActionKind, Decision
from app.main import create_app
from app.queue import Stage
from app.services.versions import versions
from app.settings import Settings
from tests.conftest import ADMIN_KEY, bearer, rows_of
from tests.integration.builders import action, add_plan, add_repair, add_version
from workers.context import Resources
from workers.run_stage import run_stage


@pytest.fixture
def repair(client: TestClient, sessions: SessionFactory, project: str) -> str:
    """Q0..Q7: drops by rule a (.9, .6) and b (.75), a relabel that asks a person, an addition."""
    with transaction(sessions) as session:
        version = add_version(session, project, 8)
        q = versions.load_examples(session, version.id)

        def ruled(made: Any, rule: str, score: float, **evidence: Any) -> Any:
            return replace(made, score=score, evidence={"rule": rule, **evidence}, decision=Decision.PROPOSED)

        plan = [
            ruled(action(ActionKind.DROP, [q[0]]), "a", 0.9),
            ruled(action(ActionKind.DROP, [q[1]]), "a", 0.6),
            ruled(action(ActionKind.DROP, [q[2]]), "b", 0.75),
            ruled(action(ActionKind.RELABEL, [q[3]], outputs=["50% <b>"]), "ask", 0.95, asks_person=True),
            ruled(action(ActionKind.ADD, [], outputs=["new"]), "c", 0.5),
        ]
        return f"/v1/repairs/{add_repair(session, project, plan, version=version).id}"


def decided(client: TestClient, repair: str) -> list[str]:
    return [a["decision"] for a in rows_of(client, f"{repair}/actions")]


@pytest.mark.parametrize(
    ("chosen", "hits"),
    [
        ({"rule": "a"}, [0, 1]),
        ({"rule": "a", "min_score": 0.7}, [0]),
        ({"min_score": 0.7, "max_score": 0.9}, [0, 2]),
        ({"kind": "drop", "reason": "OF DR"}, [0, 1, 2]),
        ({"reason": "%"}, []),
        ({"reason": "because_of"}, []),
        ({"current": "approved"}, []),
        ({"example_ids": ["Q3", "Q0", "ex_x"]}, [0, 3]),
        ({"action_ids": []}, []),
    ],
)
def test_many_are_decided_by_what_they_share(
    client: TestClient, repair: str, chosen: dict[str, Any], hits: list[int]
) -> None:
    if "example_ids" in chosen:
        by_prompt = {
            a["before"][0]["messages"][0]["content"]: a["example_ids"][0]
            for a in rows_of(client, f"{repair}/actions")
            if a["before"]
        }
        chosen = {"example_ids": [by_prompt.get(i, i) for i in chosen["example_ids"]]}
    answer = client.post(f"{repair}/decisions", json={"decision": "rejected", **chosen})
    assert answer.status_code == 200, answer.text
    assert answer.json()["decided"] == len(hits)
    now = decided(client, repair)
    assert [i for i, said in enumerate(now) if said == "rejected"] == hits


def test_lists_take_the_same_conditions(client: TestClient, repair: str) -> None:
    path = f"{repair}/actions"
    all_ids = [a["id"] for a in rows_of(client, path)]
    assert [a["id"] for a in rows_of(client, path, rule="a", limit=1)] == all_ids[:2]
    assert [a["id"] for a in rows_of(client, path, min_score=0.8)] == [all_ids[0], all_ids[3]]
    row = client.get(f"{path}?kind=relabel").json()["data"][0]["example_ids"][0]
    assert [a["id"] for a in rows_of(client, path, example_id=row)] == [all_ids[3]]


def test_a_policy_decides_by_rule_and_leaves_what_asks_a_person(client: TestClient, repair: str) -> None:
    policy = {"approve": "confident", "min_score": 0.7, "rules": {"a": {"min_score": 0.95}}}
    answer = client.post(f"{repair}/decisions", json={"policy": policy})
    assert answer.json()["decided"] == 1
    assert decided(client, repair) == ["proposed", "proposed", "approved", "proposed", "proposed"]
    asked = {"policy": {"approve": "none", "rules": {"ask": {"approve": "all"}}}}
    assert client.post(f"{repair}/decisions", json=asked).json()["decided"] == 1
    client.post(f"{repair}/decisions", json={"decision": "rejected", "rule": "b"})
    assert client.post(f"{repair}/decisions", json={"policy": {"approve": "all"}}).json()["decided"] == 3
    assert decided(client, repair)[2] == "rejected"
    counts = client.get(repair).json()["counts"]
    assert {(c["kind"], c["rule"], c["decision"]): c["actions"] for c in counts} == {
        ("add", "c", "approved"): 1,
        ("drop", "a", "approved"): 2,
        ("drop", "b", "rejected"): 1,
        ("relabel", "ask", "approved"): 1,
    }


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"decision": "approved", "policy": {}},
        {"decision": "applied"},
        {"policy": {"approve": "most"}},
        {"policy": {"rules": {"a": {"min_score": 2}}}},
        {"decision": "approved", "rule": ""},
        {"decision": "approved", "min_score": -1},
    ],
)
def test_decisions_that_say_nothing_are_refused(
    client: TestClient, repair: str, body: dict[str, Any]
) -> None:
    assert client.post(f"{repair}/decisions", json=body).status_code == 422
    assert set(decided(client, repair)) == {"proposed"}


def test_a_repair_that_was_read_before_another_decided_is_not_decided(
    client: TestClient, repair: str
) -> None:
    tag = client.get(repair).headers["etag"]
    stale = {"If-Match": tag}
    action = client.get(f"{repair}/actions").json()["data"][0]
    one = f"/v1/repair-actions/{action['id']}"
    assert client.patch(one, json={"decision": "approved"}).status_code == 200
    body = {"decision": "rejected"}
    assert client.post(f"{repair}/decisions", json=body, headers=stale).status_code == 412
    assert client.post(f"{repair}/apply", headers=stale).status_code == 412
    assert client.patch(one, json=body, headers={"If-Match": '"1"'}).status_code == 412
    similar = f"{one}/apply-to-similar"
    assert client.post(similar, headers={"If-Match": 'W/"1"'}).status_code == 412
    for nonsense in ("one", '"x"', '"-1"', '""'):
        answer = client.post(f"{repair}/decisions", json=body, headers={"If-Match": nonsense})
        assert answer.status_code == 422, nonsense
    fresh = client.get(repair).headers["etag"]
    assert fresh != tag
    answer = client.post(f"{repair}/decisions", json=body, headers={"If-Match": f"W/{fresh}"})
    assert (answer.status_code, answer.headers["etag"]) == (200, f'"{answer.json()["revision"]}"')
    assert client.post(f"{repair}/decisions", json=body, headers={"If-Match": "*"}).status_code == 200


def test_a_person_chooses_another_answer(client: TestClient, repair: str) -> None:
    drop, relabel = (client.get(f"{repair}/actions").json()["data"][i] for i in (0, 3))
    path = f"/v1/repair-actions/{relabel['id']}"
    for refused, decision in ((path, "rejected"), (f"/v1/repair-actions/{drop['id']}", "approved")):
        answer = client.patch(refused, json={"decision": decision, "answer": "mine"})
        assert answer.status_code == 422, answer.text
        assert "answer" in answer.json()["detail"]
    chosen = client.patch(path, json={"decision": "approved", "answer": "mine"}, headers={"If-Match": '"1"'})
    assert chosen.status_code == 200, chosen.text
    assert [row["messages"][-1]["content"] for row in chosen.json()["after"]] == ["mine"]
    assert chosen.json()["reason"].endswith('a person chose "mine"')
    stale = client.patch(path, json={"decision": "approved", "answer": "other"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    made = client.post(f"{repair}/apply").json()
    said = [
        row["messages"][-1]["content"]
        for row in rows_of(client, f"/v1/dataset-versions/{made['id']}/examples")
    ]
    assert said.count("mine") == 1


def test_an_answer_is_for_the_whole_dispute(
    client: TestClient, sessions: SessionFactory, project: str
) -> None:
    """Three rows against two, settled by majority: an action for each of the two."""
    with transaction(sessions) as session:
        version = add_version(session, project, 8)
        q = versions.load_examples(session, version.id)
        sides = [
            {"output": "free", "example_ids": [e.id for e in q[:3]]},
            {"output": "5 EUR", "example_ids": [e.id for e in q[3:5]]},
        ]
        plan = [
            replace(
                action(ActionKind.RELABEL, [losing], outputs=["free"]),
                score=0.9,
                evidence={"rule": "majority", "sides": sides},
                decision=Decision.APPROVED,
            )
            for losing in q[3:5]
        ]
        repair = f"/v1/repairs/{add_repair(session, project, plan, version=version).id}"
    first, second = client.get(f"{repair}/actions").json()["data"]
    chosen = client.patch(
        f"/v1/repair-actions/{first['id']}", json={"decision": "approved", "answer": "mine"}
    )
    assert chosen.status_code == 200, chosen.text
    assert sorted(chosen.json()["example_ids"]) == sorted(i for side in sides for i in side["example_ids"])
    assert chosen.json()["decision"] == "approved"
    sibling = client.get(f"/v1/repair-actions/{second['id']}").json()
    assert (sibling["decision"], sibling["revision"]) == ("rejected", second["revision"] + 1)
    made = client.post(f"{repair}/apply").json()
    rows = rows_of(client, f"/v1/dataset-versions/{made['id']}/examples")
    assert [row["messages"][-1]["content"] for row in rows].count("mine") == 5


@pytest.mark.parametrize("kind", [ActionKind.RELABEL, ActionKind.MERGE])
def test_a_question_without_a_proposal_is_approved_with_an_answer_only(
    client: TestClient, sessions: SessionFactory, project: str, kind: ActionKind
) -> None:
    with transaction(sessions) as session:
        version = add_version(session, project, 4)
        q = versions.load_examples(session, version.id)[:2]
        sides = [
            {"output": "free", "example_ids": [q[0].id], "cases": 0},
            {"output": "5 EUR", "example_ids": [q[1].id], "cases": 0},
        ]
        asked = replace(
            action(kind, q, outputs=[]),
            after=(),
            score=0.5,
            evidence={"rule": "ask", "sides": sides, "asks_person": True},
            decision=Decision.PROPOSED,
        )
        repair = f"/v1/repairs/{add_repair(session, project, [asked], version=version).id}"
    (shown,) = rows_of(client, f"{repair}/actions")
    assert (shown["needs_answer"], shown["after"]) == (True, [])
    path = f"/v1/repair-actions/{shown['id']}"
    refused = client.patch(path, json={"decision": "approved"})
    assert refused.status_code == 422, refused.text
    assert refused.json()["errors"][0]["pointer"] == "/answer"
    assert '"free" or "5 EUR"' in refused.json()["detail"]
    for body in (
        {"decision": "approved"},
        {"decision": "approved", "action_ids": [shown["id"]]},
        {"policy": {"rules": {"ask": {"approve": "all"}}}},
    ):
        assert client.post(f"{repair}/decisions", json=body).json()["decided"] == 0
    assert client.post(f"{path}/apply-to-similar").status_code == 422
    assert client.get(path).json()["decision"] == "proposed"
    answered = client.patch(path, json={"decision": "approved", "answer": "free"})
    assert answered.status_code == 200, answered.text
    assert answered.json()["needs_answer"] is False
    made = client.post(f"{repair}/apply").json()
    said = [
        r["messages"][-1]["content"] for r in rows_of(client, f"/v1/dataset-versions/{made['id']}/examples")
    ]
    assert "5 EUR" not in said
    assert "free" in said


def test_of_two_who_decide_all_at_once_one_is_told_to_read_again(client: TestClient, repair: str) -> None:
    tag = client.get(repair).headers["etag"]
    both = Barrier(2, timeout=10)

    def decide(decision: str) -> int:
        both.wait()
        body = {"decision": decision}
        return client.post(f"{repair}/decisions", json=body, headers={"If-Match": tag}).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(decide, ["approved", "rejected"])) == [200, 412]
    assert len(set(decided(client, repair))) == 1


def test_a_dry_run_tells_what_apply_then_does_and_writes_nothing(client: TestClient, repair: str) -> None:
    client.post(f"{repair}/decisions", json={"decision": "approved"})
    before = client.get(repair).json()
    preview = client.post(f"{repair}/apply?dry_run=true&changes=4")
    assert preview.status_code == 200, preview.text
    told = preview.json()
    assert told["object"] == "repair_preview"
    assert client.get(repair).json() == before
    assert len(rows_of(client, "/v1/dataset-versions")) == 1
    made = client.post(f"{repair}/apply").json()
    assert (told["rows"], told["content_hash"]) == (made["rows"], made["content_hash"])
    assert (told["rows"], told["actions"]) == (6, 5)
    diff = client.get(f"/v1/dataset-versions/{made['id']}/diff").json()
    assert told["counts"] == diff["counts"] == {"added": 1, "removed": 3, "changed": 1}
    assert len(told["changes"]) == 4
    assert {c["reason"] for c in told["changes"]} <= {
        "because of drop",
        "because of relabel",
        "because of add",
    }
    assert client.post(f"{repair}/apply?dry_run=true").status_code == 409


def test_a_plan_of_a_deleted_dataset_is_read_and_refused(client: TestClient, repair: str) -> None:
    (dataset,) = rows_of(client, "/v1/datasets")
    client.delete(f"/v1/datasets/{dataset['id']}")
    assert client.get(repair).status_code == 200
    action = client.get(f"{repair}/actions").json()["data"][0]["id"]
    for path in (
        f"{repair}/apply",
        f"{repair}/apply?dry_run=true",
        f"/v1/repair-actions/{action}/apply-to-similar",
    ):
        answer = client.post(path)
        assert answer.status_code == 409, path
        assert "deleted" in answer.json()["detail"]


def test_a_version_deleted_after_it_was_made_is_told_so(client: TestClient, repair: str) -> None:
    client.post(f"{repair}/decisions", json={"decision": "approved"})
    client.post(f"{repair}/apply")
    (dataset,) = rows_of(client, "/v1/datasets")
    client.delete(f"/v1/datasets/{dataset['id']}")
    for path in (f"{repair}/apply", f"{repair}/revert"):
        answer = client.post(path)
        assert answer.status_code == 409, path
        assert "deleted" in answer.json()["detail"]


def test_a_repair_and_one_of_its_actions_are_taken_back(client: TestClient, repair: str) -> None:
    assert client.post(f"{repair}/revert").status_code == 409
    client.post(f"{repair}/decisions", json={"decision": "approved"})
    made = client.post(f"{repair}/apply").json()
    first = client.get(f"/v1/dataset-versions/{made['parent_id']}").json()
    action = client.get(f"{repair}/actions").json()["data"][0]["id"]
    one = client.post(f"/v1/repair-actions/{action}/revert")
    assert one.status_code == 200, one.text
    assert (one.json()["rows"], one.json()["parent_id"]) == (7, made["id"])
    shown = client.get(f"/v1/repair-actions/{action}").json()
    assert (shown["decision"], shown["reverted_in_version_id"]) == ("applied", one.json()["id"])
    stale = client.post(f"{repair}/revert", headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    back = client.post(f"{repair}/revert", json={})
    assert back.json()["content_hash"] == first["content_hash"]
    assert client.post(f"{repair}/revert").json()["id"] == back.json()["id"]
    assert client.patch(f"/v1/repair-actions/{action}", json={"decision": "rejected"}).status_code == 409
    assert client.post(f"/v1/repair-actions/{action}/apply-to-similar").status_code == 409
    assert client.post(f"{repair}/revert", json={"action_ids": ["ra_x"]}).status_code == 404
    assert client.post(f"{repair}/revert", json={"action_ids": []}).status_code == 422
    assert client.post(f"{repair}/revert", json={"dataset_version_id": first["id"]}).status_code == 422


def test_similar_rows_are_proposed_once_and_name_their_model(
    client: TestClient, sessions: SessionFactory, project: str
) -> None:
    with transaction(sessions) as session:
        version = add_version(session, project, 12)
        rows = versions.load_examples(session, version.id)
        empty = [action(ActionKind.RELABEL, [r], outputs=[""]) for r in rows[:5]]
        emptied = add_repair(session, project, empty, version=version)
        emptied_id, diagnosis_id = emptied.id, emptied.diagnosis_id
    holed = client.post(f"/v1/repairs/{emptied_id}/apply").json()["id"]
    with transaction(sessions) as session:
        version = versions.require(session, project, holed)
        row = versions.load_examples(session, holed)[0]
        plan = [action(ActionKind.DROP, [row], decision=Decision.PROPOSED)]
        plan.append(action(ActionKind.ADD, [], outputs=["x"]))
        repair_id = add_plan(session, project, diagnosis_id, plan, version=version).id
    drop, add = (a["id"] for a in rows_of(client, f"/v1/repairs/{repair_id}/actions"))
    answer = client.post(f"/v1/repair-actions/{drop}/apply-to-similar", json={"limit": 3})
    assert answer.status_code == 200, answer.text
    added = answer.json()
    assert (added["added"], added["left_out"], len(added["data"])) == (3, 1, 3)
    assert {a["decision"] for a in added["data"]} == {"proposed"}
    assert all(a["evidence"]["modelled_on"] == drop and drop in a["reason"] for a in added["data"])
    assert client.post(f"/v1/repair-actions/{drop}/apply-to-similar").json()["added"] == 1
    assert client.post(f"/v1/repair-actions/{drop}/apply-to-similar").json()["added"] == 0
    assert client.post(f"/v1/repair-actions/{add}/apply-to-similar").status_code == 422
    client.post(f"/v1/repairs/{repair_id}/decisions", json={"decision": "approved", "kind": "drop"})
    assert client.post(f"/v1/repairs/{repair_id}/apply").json()["rows"] == 8


@pytest.fixture
def small_requests(settings: Settings) -> Iterator[TestClient]:
    """The API where every repair is too large for a request."""
    app = create_app(settings.model_copy(update={"apply_rows_in_request": 5}))
    with TestClient(app, headers=bearer(ADMIN_KEY), raise_server_exceptions=False) as client:
        yield client


def test_a_large_repair_is_applied_and_reverted_by_a_worker(
    small_requests: TestClient,
    repair: str,
    sessions: SessionFactory,
    store: ArtifactStore,
    settings: Settings,
) -> None:
    client, resources = small_requests, Resources(settings=settings, sessions=sessions, store=store)
    client.post(f"{repair}/decisions", json={"policy": {"approve": "all"}})
    asked = client.post(f"{repair}/apply")
    assert (asked.status_code, asked.headers["location"]) == (202, repair)
    assert client.post(f"{repair}/apply").json()["id"] == asked.json()["id"]
    for path, body in (("decisions", {"decision": "rejected"}), ("revert", None)):
        assert client.post(f"{repair}/{path}", json=body).status_code == 409
    action = client.get(f"{repair}/actions").json()["data"][0]["id"]
    assert client.patch(f"/v1/repair-actions/{action}", json={"decision": "rejected"}).status_code == 409
    assert client.get(repair).json()["run"]["status"] == "queued"

    run_stage(resources, Stage.APPLY, asked.json()["id"])
    shown = client.get(repair).json()
    assert shown["run"]["status"] == "succeeded"
    assert shown["run"]["result_version_id"] == shown["result_version_id"]
    applied = client.post(f"{repair}/apply")
    assert (applied.status_code, applied.json()["id"]) == (200, shown["result_version_id"])
    assert applied.json()["rows"] == 6

    asked = client.post(f"{repair}/revert")
    assert asked.status_code == 202
    assert client.post(f"/v1/repair-actions/{action}/revert").status_code == 409
    run_stage(resources, Stage.APPLY, asked.json()["id"])
    back = client.post(f"{repair}/revert")
    first = client.get(f"/v1/dataset-versions/{shown['dataset_version_id']}").json()
    assert (back.status_code, back.json()["content_hash"]) == (200, first["content_hash"])


def test_a_run_whose_dataset_is_deleted_fails_with_the_reason(
    small_requests: TestClient,
    repair: str,
    sessions: SessionFactory,
    store: ArtifactStore,
    settings: Settings,
) -> None:
    asked = small_requests.post(f"{repair}/apply").json()
    (dataset,) = rows_of(small_requests, "/v1/datasets")
    small_requests.delete(f"/v1/datasets/{dataset['id']}")
    run_stage(Resources(settings=settings, sessions=sessions, store=store), Stage.APPLY, asked["id"])
    shown = small_requests.get(repair).json()
    assert shown["run"]["status"] == "failed"
    assert "deleted" in shown["run"]["error"]["detail"]
    assert shown["applied_at"] is None
