"""Into the pages and out again: links that work once, cookies, CSRF tokens, revoked keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.db.models import ApiKeyRow, BrowserSessionRow, SignInLinkRow
from app.db.session import SessionFactory, transaction
from app.services import browser_sessions, projects
from app.services.projects import Role
from tests.conftest import ADMIN_KEY, bearer

HTML = {"Accept": "text/html,application/xhtml+xml"}
HERE = {"Origin": "http://testserver"}


@pytest.fixture
def browser(client: TestClient) -> Iterator[TestClient]:
    """The same service as a browser sees it: no key, cookies kept, redirects shown."""
    with TestClient(client.app, headers=HTML, follow_redirects=False) as made:
        yield made


def link(sessions: SessionFactory, project: str, *, ago: timedelta = timedelta()) -> str:
    with transaction(sessions) as session:
        key = session.scalars(select(ApiKeyRow).where(ApiKeyRow.project_id == project)).first()
        assert key is not None
        return f"/sign-in?token={browser_sessions.new_link(session, key.id, datetime.now(UTC) - ago)}"


def csrf_of(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
    assert found is not None, page.text
    return found[1]


def test_a_link_signs_in_once(browser: TestClient, sessions: SessionFactory, project: str) -> None:
    address = link(sessions, project)
    answer = browser.get(address)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    home = browser.get("/")
    assert home.status_code == 200
    assert "Nothing runs now" in home.text
    browser.cookies.clear()
    again = browser.get(address)
    assert again.status_code == 401
    assert "used before" in again.text
    assert not again.headers.get("set-cookie")


def test_a_cookie_is_hidden_from_scripts_and_other_sites(
    browser: TestClient, sessions: SessionFactory, project: str
) -> None:
    answer = browser.get(link(sessions, project))
    (cookie,) = SimpleCookie(answer.headers["set-cookie"]).values()
    assert cookie.key == "casemend_session_8000"
    assert cookie["httponly"]
    assert cookie["samesite"] == "lax"
    assert not cookie["secure"]
    assert cookie["path"] == "/"
    with transaction(sessions) as session:
        (row,) = session.scalars(select(BrowserSessionRow))
        assert cookie.value not in (row.token_hash, "")
        assert session.scalars(select(SignInLinkRow)).all() == []
    assert cookie.value not in browser.get("/").text


def test_a_cookie_over_https_stays_there(browser: TestClient, sessions: SessionFactory, project: str) -> None:
    answer = browser.get(f"https://testserver{link(sessions, project)}")
    assert "; Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize("token", ["", "x", "é", "%00", "a" * 43])
def test_a_wrong_token_signs_nobody_in(browser: TestClient, token: str) -> None:
    answer = browser.get(f"/sign-in?token={token}")
    assert answer.status_code == (401 if token else 200)
    assert "set-cookie" not in answer.headers
    assert browser.get("/datasets").status_code in (401, 404)


def test_a_link_expires(browser: TestClient, sessions: SessionFactory, project: str) -> None:
    assert (
        browser.get(
            link(sessions, project, ago=browser_sessions.LINK_LASTS - timedelta(seconds=60))
        ).status_code
        == 303
    )
    assert browser.get(link(sessions, project, ago=browser_sessions.LINK_LASTS)).status_code == 401


def test_a_session_expires(browser: TestClient, sessions: SessionFactory, project: str) -> None:
    browser.get(link(sessions, project))
    with transaction(sessions) as session:
        (row,) = session.scalars(select(BrowserSessionRow))
        row.expires_at = datetime.now(UTC)
    assert "Sign in" in browser.get("/").text
    browser.get(link(sessions, project))
    with transaction(sessions) as session:
        assert len(session.scalars(select(BrowserSessionRow)).all()) == 1  # the old one is cleared away


def test_a_revoked_key_ends_its_sessions_and_links(
    client: TestClient, browser: TestClient, sessions: SessionFactory, project: str
) -> None:
    made = client.post("/v1/keys", json={"name": "laptop", "role": "reader"}).json()
    with transaction(sessions) as session:
        unused = browser_sessions.new_link(session, made["id"], datetime.now(UTC))
    assert browser.post("/sign-in", data={"key": made["secret"]}, headers=HERE).status_code == 303
    assert browser.get("/v1/project").status_code == 200
    assert client.delete(f"/v1/keys/{made['id']}").status_code == 204
    assert browser.get("/v1/project").status_code == 401
    assert "signed out" in browser.get("/").text
    assert browser.get(f"/sign-in?token={unused}").status_code == 401


def test_a_key_is_exchanged_for_a_cookie(browser: TestClient, project: str) -> None:
    answer = browser.post("/sign-in", data={"key": ADMIN_KEY, "back_to": "/adapters?x=1"}, headers=HERE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/adapters?x=1")
    assert ADMIN_KEY not in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    "path", ["https://evil.example/", "//evil.example", "/\\evil.example", "", "/a\r\nb"]
)
def test_the_sign_in_leads_to_our_own_pages_only(browser: TestClient, project: str, path: str) -> None:
    answer = browser.post("/sign-in", data={"key": ADMIN_KEY, "back_to": path}, headers=HERE)
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://testserver", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://testserver", "Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_key_from_another_site_is_refused(
    browser: TestClient,
    project: str,
    sent: dict[str, str],
) -> None:
    answer = browser.post("/sign-in", data={"key": ADMIN_KEY}, headers=sent)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("key", ["", "cm_wrong", "x\0y"])
def test_a_wrong_key_is_refused(browser: TestClient, key: str) -> None:
    answer = browser.post("/sign-in", data={"key": key}, headers=HERE)
    assert answer.status_code in (401, 422)
    assert "set-cookie" not in answer.headers


def test_only_forms_sign_in(browser: TestClient) -> None:
    assert browser.post("/sign-in", json={"key": ADMIN_KEY}, headers=HERE).status_code == 415
    assert browser.post("/sign-in", data={"key": "x" * 100_000}, headers=HERE).status_code == 413


def test_signing_out_needs_the_token_of_the_page(
    browser: TestClient, sessions: SessionFactory, project: str
) -> None:
    browser.get(link(sessions, project))
    token = csrf_of(browser.get("/"))
    for form in ({"x": "y"}, {"csrf": ""}, {"csrf": "0" * 64}, {"csrf": "é"}):
        assert browser.post("/sign-out", data=form).status_code == 403
    kept = dict(browser.cookies)
    assert browser.post("/sign-out", data={"csrf": token}).status_code == 303
    assert not browser.cookies
    # the cookie itself is worth nothing any more
    browser.cookies.update(kept)
    assert browser.get("/v1/project").status_code == 401


def test_the_api_takes_the_cookie_and_for_writes_the_token(
    browser: TestClient, sessions: SessionFactory, project: str
) -> None:
    browser.get(link(sessions, project))
    assert browser.get("/v1/project").json()["id"] == project
    token = csrf_of(browser.get("/"))
    for headers in ({}, {"X-CSRF-Token": "0" * 64}, {"X-CSRF-Token": token[:-1]}):
        answer = browser.post("/v1/datasets", json={"name": "x"}, headers=headers)
        assert answer.status_code == 403
        assert answer.json()["type"] == "/problems/csrf"
    assert (
        browser.post("/v1/datasets", json={"name": "x"}, headers={"X-CSRF-Token": token}).status_code == 201
    )
    # a key that is sent counts, whatever cookie comes along
    assert browser.get("/v1/project", headers=bearer("cm_wrong")).status_code == 401


def test_a_token_belongs_to_its_session(browser: TestClient, sessions: SessionFactory, project: str) -> None:
    browser.get(link(sessions, project))
    first = csrf_of(browser.get("/"))
    browser.get(link(sessions, project))
    assert csrf_of(browser.get("/")) != first
    assert browser.post("/sign-out", data={"csrf": first}).status_code == 403


def test_a_session_may_what_its_key_may(
    browser: TestClient, sessions: SessionFactory, client: TestClient
) -> None:
    made = client.post("/v1/keys", json={"name": "r", "role": "reader"}).json()
    browser.post("/sign-in", data={"key": made["secret"]}, headers=HERE)
    token = csrf_of(browser.get("/"))
    headers = {"X-CSRF-Token": token}
    assert browser.post("/v1/datasets", json={"name": "x"}, headers=headers).status_code == 403
    assert browser.get("/v1/keys").status_code == 403


def test_the_front_page_is_json_for_programs(client: TestClient) -> None:
    for accept in ("application/json", "*/*"):
        answer = client.get("/", headers={"Accept": accept})
        assert answer.headers["content-type"] == "application/json"
        assert (answer.json()["docs"], answer.json()["api"]) == ("/docs", "/v1")
    assert "accept" in answer.headers["vary"].lower()


def test_without_a_cookie_the_front_page_tells_how_to_sign_in(browser: TestClient) -> None:
    answer = browser.get("/")
    assert answer.status_code == 200
    assert "casemend sign-in" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert answer.headers["referrer-policy"] == "same-origin"


def test_a_link_is_for_an_admin_key_that_is_good(sessions: SessionFactory, project: str) -> None:
    with transaction(sessions) as session:
        now = datetime.now(UTC)
        assert browser_sessions.new_link_for(session, "default", now)
        other = projects.create_project(session, "empty")
        projects.create_key(session, other.id, name="r", role=Role.READER)
        for name in ("empty", "nobody's"):
            with pytest.raises(browser_sessions.NotFound, match="no project"):
                browser_sessions.new_link_for(session, name, now)
