"""The page of a plan: escaped, filtered, and nothing of anybody without a key."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from app.db.session import SessionFactory, transaction
from app.domain.repair.plan import ActionKind, Decision
from app.services.versions import versions
from tests.conftest import bearer
from tests.integration.builders import action, add_repair, add_version

EVIL = '</main><script>alert(1)</script><img src=x onerror="alert(2)">\u202egnp \ud83d\ude00 مرحبا'


@pytest.fixture
def repair_id(client: TestClient, sessions: SessionFactory, project: str) -> str:
    with transaction(sessions) as session:
        version = add_version(session, project, 60)
        q = versions.load_examples(session, version.id)
        plan = [action(ActionKind.RELABEL, [q[0]], outputs=[EVIL], decision=Decision.PROPOSED)]
        plan += [action(ActionKind.DROP, [row], decision=Decision.PROPOSED) for row in q[1:]]
        return add_repair(session, project, plan, version=version).id


def test_the_plan_is_escaped_and_carries_a_policy_without_script(client: TestClient, repair_id: str) -> None:
    page = client.get(f"/v1/repairs/{repair_id}/page")
    assert page.status_code == 200, page.text
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "script" not in page.headers["content-security-policy"].replace("script-src", "")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert "onerror=&#34;" in page.text
    assert "\u202e" not in page.text
    assert "مرحبا" in page.text


def test_a_page_holds_so_many_actions_and_names_the_next(client: TestClient, repair_id: str) -> None:
    first = client.get(f"/v1/repairs/{repair_id}/page?limit=40").text
    (following,) = re.findall(r'href="\?([^"]*after=[^"]*)" rel="next"', first)
    second = client.get(f"/v1/repairs/{repair_id}/page?{following.replace('&amp;', '&')}").text
    counts = [len(re.findall(r'data-action="', page)) for page in (first, second)]
    assert counts == [40, 20]
    assert 'rel="next"' not in second


def test_the_page_shows_what_the_filters_ask_for(client: TestClient, repair_id: str) -> None:
    page = client.get(f"/v1/repairs/{repair_id}/page", params={"kind": "relabel", "reason": '"><b>'}).text
    assert 'data-action="' not in page
    assert "<b>" not in page.split("plan-filters")[1]
    assert (
        len(re.findall('data-action="', client.get(f"/v1/repairs/{repair_id}/page?rule=relabel").text)) == 1
    )
    assert client.get(f"/v1/repairs/{repair_id}/page?kind=nonsense").status_code == 422


def test_buttons_follow_the_state(client: TestClient, repair_id: str) -> None:
    path = f"/v1/repairs/{repair_id}"
    open_page = client.get(f"{path}/page").text
    assert "data-apply" in open_page
    # a relabel's answer can be another one, a drop has none
    assert open_page.count('data-answer=""') == 1
    client.post(f"{path}/decisions", json={"decision": "approved", "kind": "relabel"})
    client.post(f"{path}/apply")
    page = client.get(f"{path}/page").text
    assert "data-revert" in page
    assert "data-undo" in page
    assert "data-apply" not in page
    assert "data-decide" not in page
    assert "data-answer" not in page


def test_the_frame_needs_no_key_and_holds_nothing(
    client: TestClient, repair_id: str, other_project_key: str
) -> None:
    client.headers.pop("authorization")
    frame = client.get(f"/repairs/{repair_id}")
    assert frame.status_code == 200
    assert repair_id not in frame.text
    assert frame.text == client.get("/repairs/rp_nonsense").text
    policy = frame.headers["content-security-policy"]
    assert "unsafe-inline" not in policy
    assert "connect-src 'self'" in policy
    assert client.get(f"/v1/repairs/{repair_id}/page").status_code == 401
    stranger = client.get(f"/v1/repairs/{repair_id}/page", headers=bearer(other_project_key))
    assert stranger.status_code == 404
