"""A repair plan read and decided in a real browser, over a real port."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.db.session import SessionFactory, transaction
from app.domain.repair.plan import ActionKind, Decision, ProposedAction
from app.services.versions import versions
from tests.browser.devtools import Page, chromium
from tests.conftest import ADMIN_KEY, rows_of
from tests.integration.builders import action, add_repair, add_version

pytestmark = pytest.mark.browser

SCRIPT = '</main><script>document.title="broken into"</script><img src=x onerror="document.title=1">'

SIDES = [{"output": "A2 and 请拨打热线", "example_ids": []}, {"output": SCRIPT, "example_ids": []}]

ETAG = "document.querySelector('main').dataset.etag"


@pytest.fixture
def repair_id(client: TestClient, sessions: SessionFactory, project: str) -> str:
    with transaction(sessions) as session:
        version = add_version(session, project, 8)
        q = versions.load_examples(session, version.id)

        def ruled(made: ProposedAction, rule: str, score: float, reason: str) -> ProposedAction:
            return replace(
                made,
                score=score,
                reason=reason,
                evidence={"rule": rule, **({"sides": SIDES} if rule == "expected_output" else {})},
                decision=Decision.PROPOSED,
            )

        plan = [
            ruled(
                action(ActionKind.DROP, [q[0]]), "exact_duplicate", 1.0, "exact duplicate of Q1, which stays"
            ),
            ruled(
                action(ActionKind.RELABEL, [q[2]], outputs=["A2 and 请拨打热线"]),
                "expected_output",
                0.9,
                "a bad case expects another answer here",
            ),
            ruled(action(ActionKind.RELABEL, [q[3]], outputs=[SCRIPT]), "majority", 0.7, SCRIPT),
            ruled(action(ActionKind.MERGE, [q[4], q[5]], outputs=["one"]), "ask", 0.5, "two ways to answer"),
        ]
        return add_repair(session, project, plan, version=version).id


def press(page: Page, selector: str) -> None:
    page.evaluate(f"document.querySelector({selector!r}).click()")


def said(page: Page, text: str) -> None:
    page.until(f"document.getElementById('said').textContent.includes({text!r})")


def test_a_plan_is_opened_decided_applied_and_taken_back(
    browser: str, client: TestClient, repair_id: str, base_url: str, tmp_path: Path
) -> None:
    with chromium(browser, tmp_path) as page:
        page.resize(1240, 1500)
        page.send("Page.navigate", url=f"{base_url}/repairs/{repair_id}")
        page.until("document.readyState === 'complete' && !!document.getElementById('key')")
        assert page.evaluate("document.querySelectorAll('.action').length") == 0
        page.evaluate(f"document.getElementById('key').value = {ADMIN_KEY!r}")
        press(page, "#key-form button")
        page.until("document.querySelectorAll('.action').length === 4")
        assert page.evaluate("document.title") == f"Repair plan {repair_id}"
        _keep(page, "plan")

        press(page, "[data-many=approved][data-rule=exact_duplicate]")
        said(page, "1 actions approved")
        press(page, ".action [data-decide=rejected]")
        said(page, "Decided: rejected")
        press(page, "[data-answer*='broken into']")
        said(page, "the rows will say")
        press(page, ".counts a[href*='rule=majority']")
        page.until("document.querySelectorAll('.action').length === 1")
        press(page, "[data-decide=approved]")
        said(page, "Decided: approved")
        press(page, "[data-preview]")
        page.until("document.getElementById('outcome').textContent.includes('2 changed')")

        # somebody else decides in between
        client.post(f"/v1/repairs/{repair_id}/decisions", json={"decision": "approved", "rule": "ask"})
        page.evaluate("window.confirm = () => true")
        read = page.evaluate(ETAG)
        press(page, "[data-apply]")
        said(page, "Somebody else decided")
        page.until(f"{ETAG} !== {read!r}")
        press(page, "[data-apply]")
        said(page, "Made dsv_")
        press(page, "[data-revert]")
        said(page, "8 rows")
        assert page.evaluate("document.title") == f"Repair plan {repair_id}"
        ours = (base_url, "data:", "about:")
        assert [url for url in page.requested if not url.startswith(ours)] == []
        assert [line for line in page.logged if "412" not in line and "favicon" not in line] == []
    shown: dict[str, Any] = client.get(f"/v1/repairs/{repair_id}").json()
    assert shown["reverted_version_id"]
    assert len(rows_of(client, "/v1/dataset-versions")) == 3


def _keep(page: Page, name: str) -> None:
    """PICTURES names a folder to keep what was seen in."""
    folder = os.environ.get("PICTURES")
    if folder:
        Path(folder, f"{name}.png").write_bytes(page.picture())
