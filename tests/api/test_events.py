"""Events of long work, as a list and as a stream."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.services import events
from tests.conftest import rows_of
from tests.importing import Uploads, alpaca_rows, ndjson

STREAM = {"Accept": "text/event-stream"}


def parsed(text: str) -> list[dict[str, str]]:
    """The events of a stream; comments and the retry line are left out."""
    blocks = [b for b in text.split("\n\n") if b.startswith("id:")]
    return [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]


def test_events_are_listed_in_order(uploads: Uploads, client: TestClient) -> None:
    done = uploads.imported(ndjson(alpaca_rows(1)))
    listed = rows_of(client, f"/v1/imports/{done['id']}/events", limit=1)
    assert [e["type"] for e in listed] == ["queued", "running", "succeeded"]
    assert {e["subject_id"] for e in listed} == {done["id"]}


def test_a_stream_tells_every_event_and_ends_with_the_work(uploads: Uploads, client: TestClient) -> None:
    queued = uploads.upload(ndjson(alpaca_rows(1)))
    streamed: dict[str, Any] = {}

    def listen() -> None:
        with client.stream("GET", f"/v1/imports/{queued['id']}/events", headers=STREAM) as answer:
            streamed["type"] = answer.headers["content-type"]
            streamed["text"] = "".join(answer.iter_text())

    listener = threading.Thread(target=listen)
    listener.start()
    time.sleep(0.3)
    uploads.finished(queued["id"])
    listener.join(timeout=20)
    assert not listener.is_alive()
    assert streamed["type"].startswith("text/event-stream")
    told = parsed(streamed["text"])
    assert [e["event"] for e in told] == ["queued", "running", "succeeded"]
    assert json.loads(told[-1]["data"])["subject_id"] == queued["id"]


def test_a_stream_resumes_after_the_last_event_that_was_seen(uploads: Uploads, client: TestClient) -> None:
    done = uploads.imported(ndjson(alpaca_rows(1)))
    path = f"/v1/imports/{done['id']}/events"
    first = parsed(client.get(path, headers=STREAM).text)[0]
    resumed = parsed(client.get(path, headers={**STREAM, "Last-Event-ID": first["id"]}).text)
    assert [e["event"] for e in resumed] == ["running", "succeeded"]


@pytest.mark.parametrize("bad", ["x", "-1", "9" * 20, "1.5", "99999999999999999999"])
def test_a_last_event_id_that_is_none_is_refused(uploads: Uploads, client: TestClient, bad: str) -> None:
    queued = uploads.upload(ndjson(alpaca_rows(1)))
    path = f"/v1/imports/{queued['id']}/events"
    assert client.get(path, headers={**STREAM, "Last-Event-ID": bad}).status_code == 422
    assert client.get(path, params={"after": bad}).status_code == 422


@pytest.mark.parametrize("noun", events.SUBJECTS)
def test_every_kind_of_long_work_has_events(refusing_client: TestClient, noun: str) -> None:
    assert refusing_client.get(f"/v1/{noun}/unknown_1/events").status_code == 404
    assert refusing_client.get(f"/v1/{noun}/unknown_1/events", headers=STREAM).status_code == 404
