"""Pages for people: with nothing, with much, with hostile text, and nothing of another project."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.db.models import (
    AdapterRow,
    ApiKeyRow,
    BadCaseRow,
    CycleRow,
    DatasetVersionRow,
    DiagnosisRow,
    EventRow,
    ExampleRow,
    FindingRow,
    ImportRow,
    RepairRow,
    TrainingJobRow,
)
from app.db.session import SessionFactory, transaction
from app.domain.repair.plan import ActionKind, Decision, ProposedAction
from app.reporting import doc_pages, web_pages
from app.services import browser_sessions, events, overview
from app.services.projects import Role
from app.services.versions import versions
from tests.conftest import bearer
from tests.integration.builders import action, add_plan, add_repair, add_version
from tests.seed import Seeded

EVIL = '</main><script>alert(1)</script><img src=x onerror="alert(2)">\u202egnp\x07 {{7*7}} مرحبا 长'
LISTS = ("/", "/datasets", "/bad-cases", "/diagnoses", "/repairs", "/cycles", "/adapters", "/keys", "/help")


@pytest.fixture
def signed_in(client: TestClient, sessions: SessionFactory) -> Iterator[Callable[[str], TestClient]]:
    """A browser that is signed in with a key."""
    opened: list[TestClient] = []

    def sign_in(key_id: str) -> TestClient:
        with transaction(sessions) as session:
            token = browser_sessions.new_link(session, key_id, datetime.now(UTC))
        browser = TestClient(client.app, headers={"Accept": "text/html"}, follow_redirects=False)
        opened.append(browser)
        assert browser.get(f"/sign-in?token={token}").status_code == 303
        return browser

    yield sign_in
    for browser in opened:
        browser.close()


@pytest.fixture
def browser(signed_in: Callable[[str], TestClient], sessions: SessionFactory, project: str) -> TestClient:
    with transaction(sessions) as session:
        key_id = session.scalars(select(ApiKeyRow.id).where(ApiKeyRow.project_id == project)).first()
    assert key_id is not None
    return signed_in(key_id)


class Tags(HTMLParser):
    """Every tag of a page with its attributes; which stand open at its end."""

    VOID = frozenset({"meta", "link", "input", "br", "img", "hr"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        while self.open.pop() != tag:
            assert self.open, f"</{tag}> closes nothing"


def links_of(page: str) -> set[str]:
    return {
        href
        for tag, attributes in Tags(page).tags
        if tag == "a" and (href := attributes.get("href")) and href.startswith("/")
    }


def csrf_of(page: str) -> str:
    return re.findall(r'name="csrf" value="([0-9a-f]{64})"', page)[0]


@pytest.mark.parametrize("path", LISTS)
def test_every_list_renders_with_nothing(browser: TestClient, path: str) -> None:
    page = browser.get(path)
    assert page.status_code == 200, page.text
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "refresh" not in page.headers
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert Tags(page.text).open == []


def test_every_object_has_a_page_and_every_link_leads_somewhere(
    browser: TestClient, seeded: Seeded, client: TestClient
) -> None:
    seen: set[str] = set()
    waiting = set(LISTS)
    while waiting:
        path = waiting.pop()
        seen.add(path)
        page = browser.get(path)
        assert page.status_code == 200, (path, page.text)
        if page.headers["content-type"].startswith("text/html"):
            assert path == "/docs" or Tags(page.text).open == [], path
            waiting |= {p.partition("#")[0] for p in links_of(page.text)} - seen
    for path in (
        f"/datasets/{seeded.dataset_id}",
        f"/dataset-versions/{seeded.version_id}",
        f"/bad-cases/{seeded.bad_case_id}",
        f"/diagnoses/{seeded.diagnosis_id}",
        f"/diagnoses/{seeded.diagnosis_id}/report",
        f"/findings/{seeded.finding_id}",
        f"/repairs/{seeded.repair_id}",
        f"/cycles/{seeded.cycle_id}",
        f"/adapters/{seeded.adapter_id}",
        f"/v1/adapters/{seeded.adapter_id}/download",
        f"/imports/{seeded.import_id}",
        f"/training-jobs/{seeded.job_id}",
        f"/mixtures/{seeded.mixture_id}",
        f"/verifications/{seeded.verification_id}",
        "/docs",
    ):
        assert path in seen, path
    for path in (
        f"/augmentations/{seeded.augmentation_id}",
        f"/evaluations/{seeded.evaluation_id}",
        f"/fine-tuning-jobs/{seeded.fine_tuning_job_id}",
    ):
        assert browser.get(path).status_code == 200
    described = client.get("/openapi.json").json()["paths"]
    assert not [path for path in described if path in seen and not path.startswith("/v1")]


def test_every_id_has_an_address(seeded: Seeded) -> None:
    ids = {name: getattr(seeded, name) for name in Seeded.__dataclass_fields__}
    without = [name for name, object_id in ids.items() if web_pages.address(object_id) is None]
    assert sorted(without) == ["action_id", "file_id", "upload_id"]
    for evil in ("ds_<script>", "../keys", "ds_" + "a" * 21, "xx_" + "a" * 22):
        assert web_pages.address(evil) is None


def test_the_pages_of_another_project_are_not_found(
    client: TestClient,
    signed_in: Callable[[str], TestClient],
    sessions: SessionFactory,
    seeded: Seeded,
    other_project_key: str,
) -> None:
    key_id = client.get("/v1/keys", headers=bearer(other_project_key)).json()["data"][0]["id"]
    stranger = signed_in(key_id)
    for name in Seeded.__dataclass_fields__:
        path = web_pages.address(getattr(seeded, name))
        # the frame of a plan is the same for everybody, what it shows is not
        if path is not None and name != "repair_id":
            assert stranger.get(path).status_code == 404, path
    assert stranger.get(f"/v1/repairs/{seeded.repair_id}/page").status_code == 404
    assert stranger.get(f"/diagnoses/{seeded.diagnosis_id}/report").status_code == 404
    for path in LISTS:
        page = stranger.get(path).text
        assert not re.findall(rf"{seeded.dataset_id}|{seeded.bad_case_id}|{seeded.diagnosis_id}", page)
    token = csrf_of(stranger.get("/").text)
    answer = stranger.post(f"/adapters/{seeded.adapter_id}/current", data={"csrf": token})
    assert answer.status_code == 404
    with transaction(sessions) as session:
        own = session.scalars(select(ApiKeyRow.id).where(ApiKeyRow.id != key_id)).first()
    assert stranger.post(f"/keys/{own}/revoke", data={"csrf": token}).status_code == 404


def test_without_a_cookie_every_page_asks_to_sign_in(client: TestClient, seeded: Seeded) -> None:
    with TestClient(client.app, headers={"Accept": "text/html"}) as nobody:
        for path in (*LISTS, f"/datasets/{seeded.dataset_id}", f"/cycles/{seeded.cycle_id}"):
            page = nobody.get(path)
            assert page.status_code == (200 if path == "/" else 401), path
            assert f'name="back_to" value="{path}"' in page.text
            assert seeded.dataset_id not in page.text.replace(path, "")
        # an API key is for programs: it opens no page
        assert nobody.get("/datasets", headers=dict(client.headers)).status_code == 401
        assert "key-form" in nobody.get(f"/repairs/{seeded.repair_id}").text


def test_hostile_text_stays_text(browser: TestClient, sessions: SessionFactory, seeded: Seeded) -> None:
    with transaction(sessions) as session:
        case = session.get_one(BadCaseRow, seeded.bad_case_id)
        case.messages = [{"role": "user", "content": EVIL, "tool_calls": [{"x": EVIL}]}]
        case.model_output = case.expected_output = case.external_id = EVIL
        case.tags, case.alternatives, case.extra = [EVIL], [EVIL], {EVIL: {EVIL: EVIL}}
        finding = session.get_one(FindingRow, seeded.finding_id)
        finding.case_snapshot = finding.case_snapshot | {"messages": case.messages, "model_output": EVIL}
        adapter = session.get_one(AdapterRow, seeded.adapter_id)
        adapter.name, adapter.card = EVIL, {"dataset": EVIL, EVIL: {"x": [EVIL]}}
        cycle = session.get_one(CycleRow, seeded.cycle_id)
        cycle.base_model, cycle.error = EVIL, {"title": EVIL, "detail": EVIL}
        import_ = session.get_one(ImportRow, seeded.import_id)
        import_.errors = [{"line": 1, "message": EVIL}]
        session.get_one(ApiKeyRow, session.scalars(select(ApiKeyRow.id)).first()).name = EVIL
        project = case.project_id
        events.append(session, project, seeded.cycle_id, EVIL[:40], {"step": EVIL, "result_id": EVIL})
        dataset_id = add_version(session, project, 1).dataset_id
        version = add_version(session, project, 3)
        q = versions.load_examples(session, version.id)
        add_repair(session, project, [action(ActionKind.RELABEL, [q[0]], outputs=[EVIL])], version=version)
    paths = [web_pages.address(getattr(seeded, name)) for name in Seeded.__dataclass_fields__]
    for path in (*LISTS, *filter(None, paths), f"/datasets/{dataset_id}"):
        page = browser.get(path).text
        scripts = [tag for tag, _ in Tags(page).tags if tag == "script"]
        own = 1 if path.startswith(("/adapters/", "/repairs/")) else 0
        assert len(scripts) == own, path
        assert "<img" not in page, path
        assert "\u202e" not in page, path
        assert "\x07" not in page, path
        for _, attributes in Tags(page).tags:
            assert not [name for name in attributes if name.startswith("on") or name == "style"], path
    assert "&lt;script&gt;" in browser.get(f"/bad-cases/{seeded.bad_case_id}").text
    assert "{{7*7}}" in browser.get(f"/adapters/{seeded.adapter_id}").text


def test_long_texts_are_cut_and_folded(browser: TestClient, sessions: SessionFactory, seeded: Seeded) -> None:
    with transaction(sessions) as session:
        case = session.get_one(BadCaseRow, seeded.bad_case_id)
        case.model_output = "x" * 500_000
        case.messages = [{"role": "user", "content": "y" * 500_000}]
    assert len(browser.get("/bad-cases").text) < 50_000
    page = browser.get(f"/bad-cases/{seeded.bad_case_id}").text
    assert len(page) < 150_000
    assert "more characters" in page
    with transaction(sessions) as session:
        case = session.get_one(BadCaseRow, seeded.bad_case_id)
        case.messages = [{"role": "user", "content": "z" * 1000}] * 2000
        version = session.get_one(DatasetVersionRow, seeded.version_id)
        for row in session.scalars(select(ExampleRow).where(ExampleRow.dataset_id == version.dataset_id)):
            row.messages = [{"role": "user", "content": "w" * 50_000}] * 100
    page = browser.get(f"/bad-cases/{seeded.bad_case_id}").text
    assert "and 1,950 more turns" in page
    assert len(page) < 250_000
    page = browser.get(f"/dataset-versions/{seeded.version_id}").text
    assert page.count("and 88 more turns") == 5
    assert len(page) < 250_000


def test_lists_are_paged(browser: TestClient, client: TestClient) -> None:
    for i in range(0, 120, 60):
        cases = [
            {"instruction": f"Q{j}", "model_output": "a", "external_id": f"c-{j:03}"}
            for j in range(i, i + 60)
        ]
        body = "".join(f"{json.dumps(case)}\n" for case in cases)
        answer = client.post("/v1/bad-cases", content=body, headers={"Content-Type": "application/x-ndjson"})
        assert answer.is_success, answer.text
    seen: list[str] = []
    path = "/bad-cases"
    while path:
        page = browser.get(path).text
        seen += re.findall(r'class="under">(c-\d+)<', page)
        following = re.findall(r'href="(\?after=[^"]*)" rel="next"', page)
        path = f"/bad-cases{following[0]}" if following else ""
    assert seen == [f"c-{i:03}" for i in reversed(range(120))]
    assert "the newest 5" in browser.get("/").text
    nowhere = browser.get("/bad-cases?after=bc_nothing")
    assert nowhere.status_code == 422
    assert "Sign out" in nowhere.text


def test_what_runs_is_shown_with_its_last_event(
    browser: TestClient, sessions: SessionFactory, seeded: Seeded
) -> None:
    with transaction(sessions) as session:
        job = session.get_one(TrainingJobRow, seeded.job_id)
        job.status, job.progress = "running", 0.25
        events.append(session, job.project_id, job.id, "progress", {"progress": 0.2, "step": "step 1 of 8"})
        events.append(session, job.project_id, job.id, "progress", {"progress": 0.25, "step": "step 2 of 8"})
        diagnosis = session.get_one(DiagnosisRow, seeded.diagnosis_id)
        diagnosis.status = "queued"
        session.add_all(
            DiagnosisRow(
                project_id=job.project_id,
                dataset_version_id=seeded.version_id,
                cases=1,
                case_ids=[],
            )
            for _ in range(overview.RUNNING_SHOWN)
        )
    page = browser.get("/")
    assert page.headers["refresh"]
    assert f'Running <span class="count">{overview.RUNNING_SHOWN + 2}</span>' in page.text
    assert "and 2 more, made before" in page.text
    job_page = browser.get(f"/training-jobs/{seeded.job_id}")
    assert job_page.headers["refresh"]
    assert job_page.text.index("step 2 of 8") < job_page.text.index("step 1 of 8")
    with transaction(sessions) as session:
        last = overview.last_events(session, [seeded.job_id, "nothing"])
    assert {i: e.data["step"] for i, e in last.items()} == {seeded.job_id: "step 2 of 8"}


def test_plans_wait_until_they_are_applied_or_their_cycle_has_ended(
    browser: TestClient, sessions: SessionFactory, project: str
) -> None:
    with transaction(sessions) as session:
        version = add_version(session, project, 6)
        q = versions.load_examples(session, version.id)

        def drops(*decisions: Decision) -> list[ProposedAction]:
            return [action(ActionKind.DROP, [q[i]], decision=d) for i, d in enumerate(decisions)]

        proposed, approved, rejected = Decision.PROPOSED, Decision.APPROVED, Decision.REJECTED
        waits = add_repair(session, project, drops(proposed, approved, rejected), version=version)
        assert waits.diagnosis_id is not None

        def plan(*decisions: Decision) -> RepairRow:
            return add_plan(session, project, waits.diagnosis_id or "", drops(*decisions), version=version)

        plan(rejected)
        plan(approved).applied_at = datetime.now(UTC)
        left = plan(proposed)
        ended = CycleRow(
            project_id=project,
            dataset_version_id=version.id,
            case_ids=[],
            base_model="tiny",
            stage="repair",
            status="cancelled",
        )
        session.add(ended)
        session.flush()
        left.cycle_id = ended.id
        session.flush()
        (found,) = overview.waiting_plans(session, project)
        assert (found.row.id, found.proposed, found.approved, found.questions) == (waits.id, 1, 1, 0)
    page = browser.get("/").text
    assert f"/repairs/{waits.id}" in page
    assert f"/repairs/{left.id}" not in page
    assert len(re.findall(r'href="/repairs/rp_', browser.get("/repairs").text)) == 4


def test_keys_are_made_shown_once_and_revoked(browser: TestClient, client: TestClient) -> None:
    token = csrf_of(browser.get("/keys").text)
    new = {"csrf": token, "name": "<laptop>", "role": "reader"}
    assert browser.post("/keys", data=new | {"csrf": "0" * 64}).status_code == 403
    for wrong in ({"name": " "}, {"role": "god"}, {"name": "x" * 201}, {"name": "a\0b"}):
        assert browser.post("/keys", data=new | wrong).status_code == 422
    made = browser.post("/keys", data=new).text
    (secret,) = re.findall(r"<pre>(cm_[\w-]+)</pre>", made)
    assert "&lt;laptop&gt;" in made
    assert secret not in browser.get("/keys").text
    assert client.get("/v1/project", headers=bearer(secret)).status_code == 200
    (key_id,) = re.findall(r'action="/keys/(key_\w+)/revoke"', browser.get("/keys").text)
    assert browser.post(f"/keys/{key_id}/revoke", data={"csrf": "x"}).status_code == 403
    assert browser.post(f"/keys/{key_id}/revoke", data={"csrf": token}).status_code == 303
    assert client.get("/v1/project", headers=bearer(secret)).status_code == 401
    # the key that the browser is signed in with cannot go
    own = client.get("/v1/keys").json()["data"][0]["id"]
    assert browser.post(f"/keys/{own}/revoke", data={"csrf": token}).status_code == 409


def test_a_reader_reads_and_does_nothing_else(
    client: TestClient, signed_in: Callable[[str], TestClient], seeded: Seeded
) -> None:
    made = client.post("/v1/keys", json={"name": "r", "role": Role.READER}).json()
    reader = signed_in(made["id"])
    page = reader.get(f"/adapters/{seeded.adapter_id}").text
    assert "/current" not in page
    assert 'href="/keys"' not in page
    token = csrf_of(page)
    assert reader.get("/keys").status_code == 403
    assert reader.post("/keys", data={"csrf": token, "name": "x", "role": "admin"}).status_code == 403
    answer = reader.post(f"/adapters/{seeded.adapter_id}/current", data={"csrf": token})
    assert answer.status_code == 403


def test_current_is_pointed_from_the_page_of_an_adapter(
    browser: TestClient, client: TestClient, seeded: Seeded
) -> None:
    page = browser.get(f"/adapters/{seeded.adapter_id}")
    assert re.search(
        r"script-src 'sha256-[^']+'; connect-src 'self'", page.headers["content-security-policy"]
    )
    path = f"/adapters/{seeded.adapter_id}/current"
    assert browser.post(path, data={"csrf": "0" * 64}).status_code == 403
    assert browser.post(path, data={"csrf": csrf_of(page.text)}).status_code == 303
    (alias,) = client.get("/v1/aliases/current").json()["data"]
    assert alias["adapter_id"] == seeded.adapter_id
    assert path not in browser.get(f"/adapters/{seeded.adapter_id}").text


def test_the_frame_of_a_plan_takes_the_cookie(browser: TestClient, seeded: Seeded) -> None:
    page = browser.get(f"/repairs/{seeded.repair_id}")
    assert 'data-csrf="' in page.text
    assert "key-form" not in page.text.partition("<script>")[0].partition("</style>")[2]
    assert "form-action 'self'" in page.headers["content-security-policy"]
    assert browser.get(f"/v1/repairs/{seeded.repair_id}/page").status_code == 200
    token = csrf_of(page.text)
    path = f"/v1/repair-actions/{seeded.action_id}"
    assert browser.patch(path, json={"decision": "rejected"}).status_code == 403
    decided = browser.patch(path, json={"decision": "rejected"}, headers={"X-CSRF-Token": token})
    assert decided.status_code in (200, 409), decided.text


def test_the_report_links_to_pages_only_where_it_is_served(
    browser: TestClient, client: TestClient, seeded: Seeded
) -> None:
    served = links_of(browser.get(f"/diagnoses/{seeded.diagnosis_id}/report").text)
    assert f"/repairs/{seeded.repair_id}" in served
    assert f"/bad-cases/{seeded.bad_case_id}" in served
    assert "/help/causes/ood" in served
    sent = client.get(f"/v1/diagnoses/{seeded.diagnosis_id}/report?format=html").text
    assert links_of(sent) == set()


def test_every_word_of_a_finding_is_explained(browser: TestClient) -> None:
    for page in doc_pages.pages():
        shown = browser.get(f"/help/{page.folder}/{page.name}")
        assert shown.status_code == 200
        assert "How it is decided" in shown.text
        assert Tags(shown.text).open == []
    assert browser.get("/help/causes/nothing").status_code == 404


def test_events_are_told_in_a_line() -> None:
    def told(type: str, **data: object) -> str:
        return web_pages.happened(EventRow(type=type, data=data))

    assert told("progress", step="reading\nrows") == "reading rows"
    assert told("stage_started", stage="train") == "stage started: train"
    assert told("failed", error={"detail": "no rows"}) == "failed: no rows"
    assert told("failed", error="odd") == "failed"
    assert web_pages.happened(None) == "–"
