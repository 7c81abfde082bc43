"""Requests of kinds that a served model was not made for: each is answered or refused."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.artifacts import ArtifactStore
from app.db.models import AdapterRow
from app.db.session import SessionFactory, transaction
from app.settings import Settings
from tests.pipeline.test_serving import (  # noqa: F401  fixtures
    adapter_ids,
    adapters,
    answer_of,
    asking,
    make_adapter,
    model,
    running,
    served,
    server_settings,
)
from tests.pipeline.tiny_model import make_tiny_model
from workers.serving.server import create_server


@pytest.mark.usefixtures("served")
def test_odd_requests_are_answered_or_refused_and_the_server_goes_on(
    client: TestClient,
    adapter_ids: list[str],  # noqa: F811
) -> None:
    before = answer_of(client, adapter_ids[0], "hi")
    function = {"name": "f", "parameters": {"type": "object", "properties": {"a": {"$ref": "#/x"}}}}
    odd: list[dict[str, Any]] = [
        {"messages": [{"role": "user", "content": ""}]},
        {"messages": [{"role": "user", "content": None}]},
        {"messages": [{"role": "user"}]},
        {"messages": [{"role": "user", "content": []}]},
        {"messages": [{"role": "martian", "content": "hi"}]},
        {"messages": [{"role": "assistant", "content": "hi"}]},
        {"messages": [{"role": "assistant", "content": None, "tool_calls": [{"id": 1}]}]},
        {"messages": [{"role": "assistant", "content": None, "tool_calls": "x"}]},
        {"messages": [{"role": "tool", "content": "x"}]},
        {"messages": asking("x" * 300_000)},
        {"messages": asking("\U0001f600 \u202e")},
        {"messages": asking("hi"), "tools": [{}]},
        {"messages": asking("hi"), "tools": [{"type": "function"}]},
        {
            "messages": asking("hi"),
            "tools": [{"type": "function", "function": {"name": 5, "parameters": []}}],
        },
        {"messages": asking("hi"), "tools": [{"type": "function", "function": function}]},
        {"messages": asking("hi"), "tools": [{"type": "function", "function": function}], "stream": True},
        {"messages": asking("hi"), "n": 3, "stop": ["e", " "], "temperature": 1.5},
        {"messages": asking("hi"), "n": 3, "stop": ["e", " "], "stream": True, "logprobs": True},
        {"messages": asking("hi"), "stop": ["", ""]},
        {"messages": asking("hi"), "temperature": 1e-9, "top_p": 1e-9, "seed": 2**63 - 1, "n": 8},
        {"messages": asking("hi"), "temperature": 2, "seed": -(2**63)},
    ]
    for body in odd:
        answer = client.post("/v1/chat/completions", json={"model": adapter_ids[0], "max_tokens": 6, **body})
        assert answer.status_code in (200, 400), (body, answer.status_code, answer.text)
        if answer.status_code == 400:
            assert answer.json()["error"]["message"]
    assert answer_of(client, adapter_ids[0], "hi") == before


@pytest.mark.usefixtures("served")
def test_an_adapter_whose_files_are_deleted_while_it_is_loaded_is_fetched_again(
    client: TestClient,
    adapter_ids: list[str],  # noqa: F811
    server_settings: Settings,  # noqa: F811
) -> None:
    said = answer_of(client, adapter_ids[0], "hi")
    shutil.rmtree(server_settings.adapters_dir)
    for other in adapter_ids[1:]:  # push it out of the memory
        answer_of(client, other, "hi")
    assert answer_of(client, adapter_ids[0], "hi") == said


@pytest.mark.usefixtures("served")
def test_two_base_models_take_turns(
    client: TestClient,
    adapter_ids: list[str],  # noqa: F811
    model: Path,  # noqa: F811
    sessions: SessionFactory,
    store: ArtifactStore,
    project: str,
    tmp_path: Path,
) -> None:
    other = make_tiny_model(tmp_path / "other")
    refused = client.post("/v1/chat/completions", json={"model": str(other), "messages": asking("hi")})
    assert refused.status_code == 404, "a folder that the project has not trained is no model"
    folder = make_adapter(other, tmp_path / "its adapter", seed=7)
    with transaction(sessions) as session:
        row = AdapterRow(
            project_id=project,
            name="of the other",
            base_model=str(other),
            uri=store.put_directory(folder).uri,
            size_bytes=1,
            card={},
            gate=None,
        )
        session.add(row)
        session.flush()
    names = [str(model), row.id, adapter_ids[0], str(other)]
    first = [answer_of(client, name, "hi") for name in names]
    assert [answer_of(client, name, "hi") for name in names] == first
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda name: answer_of(client, name, "hi"), names * 2)) == first * 2


def test_a_server_that_was_restarted_knows_the_adapters_again(
    client: TestClient,
    adapter_ids: list[str],  # noqa: F811
    server_settings: Settings,  # noqa: F811
) -> None:
    socket = server_settings.serve_socket
    socket.parent.mkdir(parents=True, exist_ok=True)
    said = []
    for _ in range(2):
        with running(create_server(server_settings, device="cpu"), uds=str(socket)):
            said.append(answer_of(client, adapter_ids[0], "hi"))
        socket.unlink(missing_ok=True)
    assert said[0] == said[1]
