"""What is sent again, when, and what a caller gets to know; the service is played by the test."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import casemend_client._sync.transport
import httpx
import pytest
from casemend_client import (
    CasemendError,
    Client,
    InvalidInput,
    RateLimited,
    ServiceUnavailable,
    ServiceUnreachable,
    UnexpectedAnswer,
    models,
)
from casemend_client._bodies import Form

Answer = httpx.Response | httpx.TransportError
DATASET = {"id": "ds_1", "name": "desk", "description": None, "created_at": "2026-01-31T12:00:00Z"}


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client slept, instead of sleeping."""
    slept: list[float] = []
    monkeypatch.setattr(casemend_client._sync.transport.time, "sleep", slept.append)
    return slept


class Service:
    """Gives these answers in turn; an error is what the network does instead."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, httpx.TransportError):
            raise answer
        return answer

    def client(self, **options: Any) -> Client:
        return Client("http://service", "key", transport=httpx.MockTransport(self), **options)


def busy(status: int = 503, **headers: str) -> httpx.Response:
    problem = {"type": "/problems/unavailable", "title": "Busy", "status": status, "detail": "come again"}
    return httpx.Response(status, json=problem, headers=headers)


def created() -> httpx.Response:
    return httpx.Response(201, json=DATASET)


def test_a_busy_service_is_asked_again_when_it_says(pauses: list[float]) -> None:
    service = Service([busy(429, **{"Retry-After": "7"}), busy(503, **{"Retry-After": "2"}), created()])
    with service.client() as client:
        assert client.datasets.create(models.NewDataset(name="desk")).id == "ds_1"
    assert pauses == [7, 2]
    assert len({r.headers["Idempotency-Key"] for r in service.requests}) == 1
    assert {r.content for r in service.requests} == {b'{"name":"desk"}'}


def test_two_calls_have_two_idempotency_keys(pauses: list[float]) -> None:
    service = Service([created(), created()])
    with service.client() as client:
        for _ in range(2):
            client.datasets.create(models.NewDataset(name="desk"))
    assert len({r.headers["Idempotency-Key"] for r in service.requests}) == 2
    assert pauses == []


def test_pauses_grow_where_the_service_names_none(pauses: list[float]) -> None:
    service = Service([busy() for _ in range(4)])
    with service.client(max_retries=3) as client, pytest.raises(ServiceUnavailable, match="come again"):
        client.datasets.get("ds_1")
    assert len(service.requests) == 4
    assert all(2**n / 4 <= pause <= 2**n / 2 for n, pause in enumerate(pauses))


def test_an_hour_is_not_waited_for(pauses: list[float]) -> None:
    with (
        Service([busy(429, **{"Retry-After": "3600"})]).client() as client,
        pytest.raises(RateLimited) as caught,
    ):
        client.datasets.get("ds_1")
    assert caught.value.status == 429
    assert pauses == []


@pytest.mark.parametrize(
    ("error", "method", "sent"),
    [
        (httpx.ConnectError("refused"), "patch", 2),
        (httpx.ReadError("broke off"), "get", 2),
        (httpx.ReadError("broke off"), "post", 2),
        # It may have been done: done twice it could be wrong.
        (httpx.ReadError("broke off"), "patch", 1),
    ],
)
def test_only_what_may_be_done_twice_is_sent_twice(
    pauses: list[float], error: httpx.TransportError, method: str, sent: int
) -> None:
    calls: dict[str, Callable[[Client], object]] = {
        "get": lambda c: c.datasets.get("x"),
        "post": lambda c: c.datasets.create(models.NewDataset(name="desk")),
        "patch": lambda c: c.webhooks.update("x", models.WebhookChange()),
    }
    service = Service([error, error])
    with service.client(max_retries=1) as client, pytest.raises(ServiceUnreachable, match="http://service"):
        calls[method](client)
    assert len(service.requests) == sent


IMPORT: dict[str, Any] = {
    "id": "imp_1",
    "created_at": "2026-01-31T12:00:00Z",
    "status": "queued",
    "progress": 0,
    "error": None,
    "attempts": 0,
    "cancel_requested": False,
    "started_at": None,
    "finished_at": None,
    "dataset_id": "ds_1",
    "format": "auto",
    "strict": False,
    "encoding": None,
    "rows_total": 0,
    "rows_accepted": 0,
    "rows_rejected": 0,
    "errors": [],
    "dataset_version_id": None,
}


def test_an_upload_is_sent_again_from_its_start(pauses: list[float], tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"instruction,output\nhi,hello\n" * 20_000)
    opened = io.BytesIO(b"skipped" + path.read_bytes())
    opened.seek(len(b"skipped"))
    for file in (path, opened):
        service = Service([busy(), httpx.Response(202, json=IMPORT)])
        with service.client() as client:
            assert client.datasets.upload("ds_1", file, format="csv").id == "imp_1"
        assert [r.content for r in service.requests] == [path.read_bytes()] * 2
    assert service.requests[0].headers["Content-Type"] == "application/octet-stream"


def test_what_cannot_be_read_twice_is_sent_once(pauses: list[float]) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    service = Service([busy()])
    with service.client() as client, pytest.raises(ServiceUnavailable):
        client.datasets.upload("ds_1", Pipe(b"{}\n"))
    assert len(service.requests) == 1


def test_errors_of_other_shapes_are_told_too() -> None:
    answers = [
        httpx.Response(422, json={"error": {"code": "bad_file", "message": "line 3 is empty"}}),
        httpx.Response(400, text="<html>proxy says no</html>"),
    ]
    with Service(answers).client() as client:
        with pytest.raises(InvalidInput, match="line 3 is empty") as caught:
            client.datasets.get("x")
        assert caught.value.code == "bad_file"
        with pytest.raises(InvalidInput, match="proxy says no"):
            client.datasets.get("x")


def test_an_answer_of_another_shape_is_an_error_of_the_package() -> None:
    with (
        Service([httpx.Response(200, text="<html>hello</html>")]).client() as client,
        pytest.raises(UnexpectedAnswer, match="GET /v1/datasets/x"),
    ):
        client.datasets.get("x")


def test_a_client_without_a_usable_key_or_address_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CASEMEND_KEY", raising=False)
    with pytest.raises(CasemendError, match="CASEMEND_KEY"):
        Client("http://service")
    for url, key in (("service:8000", "key"), ("http://service", "schlüssel")):
        with pytest.raises(CasemendError, match=r"address|key"):
            Client(url, key)
    monkeypatch.setenv("CASEMEND_KEY", "k")
    monkeypatch.setenv("CASEMEND_URL", "http://elsewhere/")
    with Client() as client:
        assert client.url == "http://elsewhere"


def test_a_broken_stream_of_events_is_taken_up_where_it_broke(pauses: list[float]) -> None:
    def event(number: int) -> bytes:
        text = '{"id": %d, "subject_id": "cyc_1", "type": "progress", "data": {}, "created_at": "%s"}'
        return b"id: 1\nevent: progress\ndata: " + (text % (number, DATASET["created_at"])).encode() + b"\n\n"

    class Breaking(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            yield b"retry: 2000\n\n" + event(1)[:9]
            yield event(1)[9:] + event(2)
            raise httpx.ReadError("broke off")

    service = Service(
        [httpx.Response(200, stream=Breaking()), httpx.Response(200, content=b": still here\n\n" + event(3))]
    )
    with service.client() as client:
        assert [e.id for e in client.cycles.watch("cyc_1")] == [1, 2, 3]
    assert service.requests[1].headers["Last-Event-ID"] == "2"
    assert len(pauses) == 1


def test_a_form_with_files_is_sent_again_whole(pauses: list[float], tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a,b\n" * 100_000)
    form = Form({"file": path, "map": b"{}", "none": None}, {"purpose": "fine-tune", "left": None})
    service = Service([busy(), httpx.Response(200, json={})])
    with service.client() as client:
        client._http.read(None, "POST", "/v1/forms", body=form)
    first, second = (r.content.split(b"--" + _boundary(r)) for r in service.requests)
    assert first == second
    assert first[1:4] == [
        b'\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n',
        b'\r\nContent-Disposition: form-data; name="file"; filename="rows.csv"\r\n'
        b"Content-Type: text/csv\r\n\r\n" + path.read_bytes() + b"\r\n",
        b'\r\nContent-Disposition: form-data; name="map"; filename="upload"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n{}\r\n",
    ]


def _boundary(request: httpx.Request) -> bytes:
    return request.headers["Content-Type"].partition("boundary=")[2].encode()
