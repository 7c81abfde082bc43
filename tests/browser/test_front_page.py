"""The pages in a real browser: signed in by a link, walked through, an adapter asked, signed out."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.db.session import SessionFactory, transaction
from app.reporting import web_pages
from app.services import browser_sessions
from app.services.projects import DEFAULT_PROJECT
from tests.browser.devtools import Page, chromium
from tests.seed import Seeded

pytestmark = pytest.mark.browser

LISTS = ("/", "/datasets", "/bad-cases", "/diagnoses", "/repairs", "/cycles", "/adapters", "/keys", "/help")


class Streamed(httpx.AsyncByteStream):
    """The words of an answer as a server of models sends them, cut in the middle of lines and of characters."""

    def __init__(self, words: list[str]) -> None:
        chunks = [{"choices": [{"index": 0, "delta": {"content": word}}]} for word in words]
        lines = [json.dumps(chunk, ensure_ascii=False) for chunk in chunks] + ["[DONE]"]
        self.sent = "".join(f"data: {line}\n\n" for line in lines).encode()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.sent), 7):
            yield self.sent[start : start + 7]


class Model:
    """Stands where the server of models does."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    async def ask(self, path: str, model: Any, body: dict[str, Any]) -> httpx.Response:
        self.asked.append({"path": path, "model": model.id, **body})
        if len(self.asked) > 1:
            return httpx.Response(429, json={"error": {"message": "too many wait"}}, headers={})
        headers = {"content-type": "text/event-stream"}
        words = ["您有", " 30 ", "<b>days</b>."]
        return httpx.Response(200, headers=headers, stream=Streamed(words))

    async def close(self) -> None:
        pass


def open_page(page: Page, url: str) -> None:
    page.send("Page.navigate", url=url)
    path = "/" + url.split("/", 3)[3].partition("?")[0]
    page.until(f"document.readyState === 'complete' && location.pathname === {path!r}")


def sign_in(page: Page, sessions: SessionFactory, base_url: str) -> None:
    with transaction(sessions) as session:
        token = browser_sessions.new_link_for(session, DEFAULT_PROJECT, datetime.now(UTC))
    page.send("Page.navigate", url=f"{base_url}/sign-in?token={token}")
    page.until("document.readyState === 'complete' && location.pathname === '/'")


def test_every_page_fits_and_asks_nobody_else(
    browser: str, sessions: SessionFactory, seeded: Seeded, base_url: str, tmp_path: Path
) -> None:
    ids = [getattr(seeded, name) for name in Seeded.__dataclass_fields__]
    objects = [path for i in ids if (path := web_pages.address(i))]
    report = f"/diagnoses/{seeded.diagnosis_id}/report"
    with chromium(browser, tmp_path) as page:
        open_page(page, f"{base_url}/")
        assert page.evaluate("document.title") == "Sign in to casemend"
        sign_in(page, sessions, base_url)
        for width in (1400, 400):
            page.resize(width, 900)
            for path in (*LISTS, *objects, report):
                open_page(page, f"{base_url}{path}")
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
                _keep(page, f"{path.strip('/').replace('/', '_') or 'home'}_{width}")
            open_page(page, f"{base_url}/docs")
            page.until("document.querySelectorAll('.opblock').length > 50")
            _keep(page, f"docs_{width}")
        assert [url for url in page.requested if not url.startswith((base_url, "data:", "about:"))] == []
        assert [line for line in page.logged if "favicon" not in line] == []
        page.evaluate("document.querySelector('form[action=\"/sign-out\"] button')")
        open_page(page, f"{base_url}/")
        page.evaluate("document.querySelector('form[action=\"/sign-out\"] button').click()")
        page.until("document.title === 'Sign in to casemend'")


def test_an_adapter_is_asked_and_answers_as_it_speaks(
    browser: str, sessions: SessionFactory, seeded: Seeded, app: FastAPI, base_url: str, tmp_path: Path
) -> None:
    model = app.state.server = Model()
    with chromium(browser, tmp_path) as page:
        sign_in(page, sessions, base_url)
        open_page(page, f"{base_url}/adapters/{seeded.adapter_id}")
        page.evaluate("document.getElementById('question').value = 'How many days?'")
        page.evaluate("document.querySelector('#ask button').click()")
        page.until("document.getElementById('answer').textContent === '您有 30 <b>days</b>.'")
        page.until("!document.querySelector('#ask button').disabled")
        assert page.evaluate("document.querySelectorAll('#answer b').length") == 0
        page.evaluate("document.querySelector('#ask button').click()")
        page.until("document.getElementById('answer').textContent === 'too many wait'")
    assert [a["model"] for a in model.asked] == [seeded.adapter_id] * 2
    assert model.asked[0]["messages"] == [{"role": "user", "content": "How many days?"}]


def test_a_plan_is_decided_by_who_is_signed_in(
    browser: str, sessions: SessionFactory, seeded: Seeded, base_url: str, tmp_path: Path
) -> None:
    with chromium(browser, tmp_path) as page:
        sign_in(page, sessions, base_url)
        open_page(page, f"{base_url}/repairs/{seeded.repair_id}")
        page.until("document.querySelectorAll('.action').length > 0")
        page.until("!!document.querySelector('[data-decide=rejected]')")
        page.evaluate("document.querySelector('[data-decide=rejected]').click()")
        page.until("document.getElementById('said').textContent === 'Decided: rejected.'")


def _keep(page: Page, name: str) -> None:
    """PICTURES names a folder to keep what was seen in."""
    folder = os.environ.get("PICTURES")
    if folder:
        (Path(folder) / f"{name}.png").write_bytes(page.picture())
