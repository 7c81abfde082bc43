"""Chat requests to a vLLM: a stand-in that answers its endpoints as its documentation and its source say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.artifacts import ArtifactStore
from app.db.models import AdapterRow
from app.db.session import SessionFactory, transaction
from app.settings import Settings

BASE = "smollm2-135m-instruct"


class VLLM:
    """``adapters``: name -> path. ``asked``: path and body of every call. ``breaks``: it dies while it answers."""

    def __init__(self) -> None:
        self.adapters: dict[str, str] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.refuses: int | None = None
        self.breaks = False
        vllm = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                vllm.asked.append((self.path, body))
                status, answer = vllm.answer(self.path, body)
                packed = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header(
                    "Content-Type", "text/event-stream" if body.get("stream") else "application/json"
                )
                self.send_header("Content-Length", str(len(packed) + (100 if vllm.breaks else 0)))
                self.end_headers()
                self.wfile.write(packed)
                self.close_connection = vllm.breaks

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        name = body.get("lora_name", "")
        if path == "/v1/load_lora_adapter":
            if self.refuses is not None:
                return self.refuses, _error("LoRA rank 64 is greater than max_lora_rank 16.")
            if name in self.adapters and not body.get("load_inplace"):
                return 400, _error(f"The lora adapter '{name}' has already been loaded.")
            if not (Path(body["lora_path"]) / "adapter_config.json").is_file():
                return 404, _error(f"No adapter found for {body['lora_path']}")
            self.adapters[name] = body["lora_path"]
            return 200, f"Success: LoRA adapter '{name}' added successfully."
        if path == "/v1/unload_lora_adapter":
            if self.adapters.pop(name, None) is None:
                return 404, _error(f"The lora adapter '{name}' cannot be found.")
            return 200, f"Success: LoRA adapter '{name}' removed successfully."
        if body["model"] not in (*self.adapters, BASE):
            return 404, _error(f"The model `{body['model']}` does not exist.")
        if body.get("stream"):
            return 200, 'data: {"id": "1", "choices": []}\n\n'
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": body["model"]},
            "finish_reason": "stop",
        }
        return 200, {
            "id": "1",
            "object": "chat.completion",
            "created": 0,
            "model": body["model"],
            "choices": [choice],
        }

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "NotFoundError", "param": None, "code": 404}}


@pytest.fixture
def vllm() -> Iterator[VLLM]:
    vllm = VLLM()
    yield vllm
    vllm.close()


@pytest.fixture
def settings(settings: Settings, vllm: VLLM, tmp_path: Path) -> Settings:
    where = {"serve_url": vllm.url, "serve_adapters_dir": tmp_path / "shared", "serve_kept_adapters": 2}
    return settings.model_copy(update=where)


@pytest.fixture
def adapters(sessions: SessionFactory, store: ArtifactStore, project: str, tmp_path: Path) -> list[str]:
    ids = []
    for number in range(3):
        folder = tmp_path / f"adapter-{number}"
        folder.mkdir()
        (folder / "adapter_config.json").write_text(f'{{"number": {number}}}')
        with transaction(sessions) as session:
            row = AdapterRow(
                project_id=project,
                name=folder.name,
                base_model=BASE,
                uri=store.put_directory(folder).uri,
                size_bytes=1,
                card={},
                gate=None,
            )
            session.add(row)
            session.flush()
            ids.append(row.id)
    return ids


def ask(client: TestClient, model: str, **options: Any) -> Any:
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}], **options}
    return client.post("/v1/chat/completions", json=body)


def said(client: TestClient, model: str) -> str:
    answer = ask(client, model)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["choices"][0]["message"]["content"])


def paths(vllm: VLLM) -> list[str]:
    return [path.removeprefix("/v1/") for path, _ in vllm.asked]


def test_an_adapter_is_loaded_once_from_the_shared_folder_and_the_base_not_at_all(
    client: TestClient, vllm: VLLM, adapters: list[str], tmp_path: Path
) -> None:
    assert said(client, adapters[0]) == adapters[0]
    assert said(client, adapters[0]) == adapters[0]
    assert said(client, BASE) == BASE
    chat, load = "chat/completions", "load_lora_adapter"
    assert paths(vllm) == [chat, load, chat, chat, chat]
    folder = Path(vllm.adapters[adapters[0]])
    assert folder.is_relative_to(tmp_path / "shared")
    assert json.loads((folder / "adapter_config.json").read_text()) == {"number": 0}


def test_a_promotion_takes_effect_in_place_and_the_adapter_unused_longest_is_unloaded(
    client: TestClient, vllm: VLLM, adapters: list[str]
) -> None:
    first, second, third = adapters
    for adapter in (first, second):
        client.put("/v1/aliases/current", json={"adapter_id": adapter})
        assert said(client, "current") == adapter
    assert said(client, first) == first
    client.put("/v1/aliases/current", json={"adapter_id": third})
    assert said(client, "current") == third
    assert set(vllm.adapters) == {first, third}
    assert client.post("/v1/aliases/current/rollback").status_code == 200
    assert said(client, "current") == second, "loaded again"
    assert set(vllm.adapters) == {third, second}


def test_a_vllm_that_was_restarted_is_given_its_adapters_again(
    client: TestClient, vllm: VLLM, adapters: list[str]
) -> None:
    said(client, adapters[0])
    vllm.adapters.clear()
    assert said(client, adapters[0]) == adapters[0]


def test_an_adapter_that_somebody_else_loads_at_the_same_time_is_no_error(
    client: TestClient, vllm: VLLM, adapters: list[str]
) -> None:
    answer = vllm.answer

    def overtaken(path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if path == "/v1/load_lora_adapter":
            answer(path, body)
        return answer(path, body)

    vllm.answer = overtaken  # type: ignore[method-assign]
    assert said(client, adapters[0]) == adapters[0]


@pytest.mark.parametrize(("status", "told"), [(400, 400), (404, 400), (500, 503)])
def test_an_adapter_that_vllm_refuses_is_said_to_be_refused(
    client: TestClient, vllm: VLLM, adapters: list[str], status: int, told: int
) -> None:
    vllm.refuses = status
    answer = ask(client, adapters[0])
    assert answer.status_code == told
    assert adapters[0] in answer.json()["error"]["message"]
    assert str(vllm.url) not in answer.text


def test_a_vllm_that_dies_while_it_answers_is_told_in_the_clients_shape(
    client: TestClient, vllm: VLLM, adapters: list[str]
) -> None:
    said(client, adapters[0])
    vllm.breaks = True
    answer = ask(client, adapters[0])
    assert answer.status_code == 503
    assert answer.json()["error"]["type"] == "server_error"
    with client.stream(
        "POST",
        "/v1/chat/completions",
        json={"model": adapters[0], "messages": [{"role": "user", "content": "hi"}], "stream": True},
    ) as streaming:
        events = [line.removeprefix("data: ") for line in streaming.iter_lines() if line]
    assert json.loads(events[0])["id"] == "1"
    assert json.loads(events[-1])["error"]["type"] == "server_error"


def test_tenants_reach_neither_its_endpoints_nor_its_own_fields(
    client: TestClient, vllm: VLLM, adapters: list[str]
) -> None:
    for path in (
        "load_lora_adapter",
        "unload_lora_adapter",
        "tokenize",
        "chat/completions/../load_lora_adapter",
    ):
        body = {"lora_name": adapters[0], "lora_path": "/etc"}
        assert client.post(f"/v1/{path}", json=body).status_code in (404, 405)
    assert vllm.asked == []
    own = {
        "chat_template": "{{ 1 }}",
        "vllm_xargs": {"a": 1},
        "priority": -9,
        "lora_path": "/etc",
        "user": "u",
    }
    assert ask(client, adapters[0], max_tokens=3, tool_choice="none", **own).status_code == 200
    path, body = vllm.asked[-1]
    assert set(body) == {"model", "messages", "max_tokens", "tool_choice"}
