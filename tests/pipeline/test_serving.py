"""Questions to a served model: a tiny one, asked over HTTP through the API and, beside it, with plain generation."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from openai import NotFoundError, OpenAI
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM
from typer.testing import CliRunner

from app.artifacts import ArtifactStore
from app.cli import cli
from app.db.models import AdapterRow
from app.db.session import SessionFactory, transaction
from app.main import create_app
from app.settings import Settings
from tests.conftest import ADMIN_KEY, bearer
from tests.pipeline.tiny_model import make_tiny_model
from tests.unit.serving.test_writers import unknown_fields
from workers.models.base_models import resolve
from workers.models.chat import Conversation
from workers.models.generator import Generator
from workers.models.running_batch import Row, Sampling
from workers.models.served_model import ServedModel
from workers.serving.server import create_server

QUESTIONS = [
    "freeze my card",
    "hi",
    "Where is my parcel, the one that I sent on Monday?",
    "退货要多少天",
    "and mine?",
]


def asking(question: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": question}]


def make_adapter(model: Path, folder: Path, *, seed: int) -> Path:
    """A LoRA adapter with random weights on both sides, so that it changes every answer."""
    torch.manual_seed(seed)
    tuned = get_peft_model(
        AutoModelForCausalLM.from_pretrained(model),
        LoraConfig(
            r=4, lora_alpha=16, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM"
        ),
    )
    tuned.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("serving") / "tiny")


@pytest.fixture(scope="module")
def adapters(model: Path) -> list[Path]:
    return [make_adapter(model, model.parent / f"adapter-{seed}", seed=seed) for seed in (1, 2, 3)]


@pytest.fixture
def server_settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"serve_max_rows": 4, "serve_max_waiting": 8, "serve_kept_adapters": 2})


@contextmanager
def running(app: FastAPI, **where: Any) -> Iterator[uvicorn.Server]:
    """The application over real HTTP, in a thread."""
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, **where))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < end
        time.sleep(0.01)
    yield server
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def served(server_settings: Settings) -> Iterator[None]:
    """The server on its socket, as ``casemend up`` has it."""
    socket = server_settings.serve_socket
    socket.parent.mkdir(parents=True, exist_ok=True)
    with running(create_server(server_settings, device="cpu"), uds=str(socket)):
        yield


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    """The API as its users reach it."""
    with running(create_app(settings), host="127.0.0.1", port=0) as server:
        (listening,) = server.servers[0].sockets
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def adapter_ids(
    sessions: SessionFactory, store: ArtifactStore, project: str, model: Path, adapters: list[Path]
) -> list[str]:
    ids = []
    for folder in adapters:
        with transaction(sessions) as session:
            row = AdapterRow(
                project_id=project,
                name=folder.name,
                base_model=str(model),
                uri=store.put_directory(folder).uri,
                size_bytes=1,
                card={},
                gate=None,
            )
            session.add(row)
            session.flush()
            ids.append(row.id)
    return ids


def plainly(model: Path, adapter: Path | None, *, tokens: int) -> list[str]:
    generator = Generator.load(resolve(str(model), model), adapter, device="cpu")
    return generator.generate([asking(q) for q in QUESTIONS], max_new_tokens=tokens)


def answer_of(client: TestClient, name: str, question: str, **options: Any) -> str:
    body = {"model": name, "messages": asking(question), "max_tokens": 12, **options}
    answer = client.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["choices"][0]["message"]["content"])


def test_rows_that_join_while_others_run_are_answered_as_if_alone(model: Path) -> None:
    served = ServedModel(resolve(str(model), model), kept_adapters=1, device="cpu")
    prompts = [served.prompt(Conversation(messages=asking(q))) for q in QUESTIONS]
    alone = []
    for prompt in prompts:
        batch = served.batch()
        tokens = [batch.join([Row(prompt, Sampling())])[0].token]
        tokens += [batch.step()[0].token for _ in range(14)]
        alone.append(tokens)

    batch, running, said = served.batch(), [], [[] for _ in prompts]  # type: ignore[var-annotated]
    for step, joining in enumerate([[0], [], [1, 2], [], [3], [4], *([[]] * 20)]):
        if joining:
            running += joining
            first = batch.join([Row(prompts[i], Sampling()) for i in joining])
            for i, chosen in zip(joining, first, strict=True):
                said[i].append(chosen.token)
        elif running:
            for i, chosen in zip(running, batch.step(), strict=True):
                said[i].append(chosen.token)
        leaving = [i for i in running if len(said[i]) >= 5 + 2 * i]
        batch.keep([at for at, i in enumerate(running) if i not in leaving])
        running = [i for i in running if i not in leaving]
        assert len(batch.rows) == len(running), step
    assert not running
    for i, tokens in enumerate(said):
        assert tokens == alone[i][: len(tokens)], QUESTIONS[i]


@pytest.mark.usefixtures("float32", "served")
def test_adapters_take_turns_and_each_answers_as_it_does_alone(
    client: TestClient, model: Path, adapters: list[Path], adapter_ids: list[str]
) -> None:
    expected = {
        name: plainly(model, folder, tokens=12) for name, folder in zip(adapter_ids, adapters, strict=True)
    }
    expected[str(model)] = plainly(model, None, tokens=12)
    assert len({tuple(answers) for answers in expected.values()}) == 4, "each says something else"
    asked = [(name, i) for i in range(len(QUESTIONS)) for name in expected]  # every request another model
    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(lambda one: answer_of(client, one[0], QUESTIONS[one[1]]), asked))
    for (name, i), text in zip(asked, said, strict=True):
        assert text.strip() == expected[name][i], (name, QUESTIONS[i])


@pytest.mark.usefixtures("served")
def test_a_stream_is_the_same_answer_in_pieces(client: TestClient, adapter_ids: list[str]) -> None:
    whole = answer_of(client, adapter_ids[0], QUESTIONS[2])
    body = {
        "model": adapter_ids[0],
        "messages": asking(QUESTIONS[2]),
        "max_tokens": 12,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    with client.stream("POST", "/v1/chat/completions", json=body) as answer:
        assert answer.status_code == 200
        lines = [line.removeprefix("data: ") for line in answer.iter_lines() if line]
    assert lines[-1] == "[DONE]"
    chunks = [json.loads(line) for line in lines[:-1]]
    assert "".join(c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"]) == whole
    assert chunks[-2]["choices"][0]["finish_reason"] in ("stop", "length")
    assert chunks[-1]["usage"]["completion_tokens"] <= 12


@pytest.mark.usefixtures("served")
def test_a_seed_makes_a_drawn_answer_repeatable_and_choices_differ(
    client: TestClient, adapter_ids: list[str]
) -> None:
    def drawn(seed: int) -> list[str]:
        body = {
            "model": adapter_ids[0],
            "messages": asking("say something"),
            "max_tokens": 12,
            "temperature": 1.5,
            "seed": seed,
            "n": 3,
        }
        choices = client.post("/v1/chat/completions", json=body).json()["choices"]
        return [choice["message"]["content"] for choice in choices]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(9)
    assert len(set(drawn(1))) > 1


@pytest.mark.usefixtures("served")
def test_probabilities_and_stop_sequences(client: TestClient, adapter_ids: list[str]) -> None:
    whole = answer_of(client, adapter_ids[0], "hi")
    cut = answer_of(client, adapter_ids[0], "hi", stop=whole[3:5])
    assert cut == whole[: whole.index(whole[3:5])]
    body = {
        "model": adapter_ids[0],
        "messages": asking("hi"),
        "max_tokens": 4,
        "logprobs": True,
        "top_logprobs": 2,
    }
    told = client.post("/v1/chat/completions", json=body).json()["choices"][0]["logprobs"]["content"]
    assert len(told) == 4
    for token in told:
        # greedy: the token itself is the likeliest
        assert token["logprob"] == pytest.approx(token["top_logprobs"][0]["logprob"])
        assert token["top_logprobs"][0]["logprob"] >= token["top_logprobs"][1]["logprob"]


@pytest.mark.usefixtures("served")
def test_an_alias_stands_for_an_adapter_and_is_rolled_back_in_one_call(
    client: TestClient, adapter_ids: list[str], model: Path
) -> None:
    first, second, third = adapter_ids
    for name in (first, second, third):
        assert client.put("/v1/aliases/current", json={"adapter_id": name}).status_code == 200
    assert answer_of(client, "current", "hi") == answer_of(client, third, "hi")
    assert client.post("/v1/aliases/current/rollback").json()["adapter_id"] == second
    assert client.post("/v1/aliases/current/rollback").json()["adapter_id"] == first
    assert client.post("/v1/aliases/current/rollback").status_code == 409
    assert answer_of(client, f"{model}:current", "hi") == answer_of(client, first, "hi")
    listed = {m["id"] for m in client.get("/v1/models").json()["data"]}
    assert {"current", first, second, third, str(model)} <= listed


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"model": "adp_unknown"}, 404, "model_not_found"),
        ({"model": "/etc"}, 404, "model_not_found"),
        ({"max_tokens": 5_000}, 400, "context_length_exceeded"),
        ({"messages": [{"role": "user", "content": "a b " * 5_000}]}, 400, "context_length_exceeded"),
        pytest.param(
            {"messages": [{"role": "user", "content": "a" * 10_000_000}]},
            400,
            "context_length_exceeded",
            id="ten megabytes",
        ),
        ({"messages": []}, 400, None),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}, 400, None),
        ({"temperature": 9}, 400, None),
        ({"response_format": {"type": "json_object"}}, 400, None),
    ],
)
def test_what_cannot_be_answered_is_refused_in_the_shape_of_the_client(
    client: TestClient, adapter_ids: list[str], body: dict[str, Any], status: int, code: str | None
) -> None:
    answer = client.post(
        "/v1/chat/completions", json={"model": adapter_ids[0], "messages": asking("hi"), **body}
    )
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == code


def test_a_server_that_is_away_is_told_with_a_time_to_ask_again(
    client: TestClient, adapter_ids: list[str]
) -> None:
    answer = client.post("/v1/chat/completions", json={"model": adapter_ids[0], "messages": asking("hi")})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert answer.json()["error"]["type"] == "server_error"


@pytest.mark.usefixtures("served")
def test_more_requests_than_may_wait_are_told_to_come_back(
    client: TestClient, adapter_ids: list[str]
) -> None:
    body = {"model": adapter_ids[0], "messages": asking("hi"), "max_tokens": 900, "n": 8, "temperature": 1}
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: client.post("/v1/chat/completions", json=body), range(6)))
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {200, 429}, statuses
    refused = next(a for a in answers if a.status_code == 429)
    assert refused.headers["Retry-After"]
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"


@pytest.mark.usefixtures("served")
def test_another_projects_adapter_does_not_exist(
    client: TestClient, adapter_ids: list[str], other_project_key: str
) -> None:
    body = {"model": adapter_ids[0], "messages": asking("hi")}
    answer = client.post("/v1/chat/completions", json=body, headers=bearer(other_project_key))
    assert answer.status_code == 404
    listed = client.get("/v1/models", headers=bearer(other_project_key)).json()["data"]
    assert adapter_ids[0] not in {m["id"] for m in listed}


@pytest.fixture
def openai(url: str) -> Iterator[OpenAI]:
    """The official client."""
    with OpenAI(base_url=f"{url}/v1", api_key=ADMIN_KEY, max_retries=0) as client:
        yield client


@pytest.mark.usefixtures("served")
def test_the_official_client_asks_streams_and_lists(
    openai: OpenAI, client: TestClient, adapter_ids: list[str]
) -> None:
    messages: Any = asking("hi")
    whole = openai.chat.completions.create(model=adapter_ids[0], messages=messages, max_tokens=12)
    assert unknown_fields(whole) == []
    said = whole.choices[0].message.content
    assert said == answer_of(client, adapter_ids[0], "hi")
    chunks = list(
        openai.chat.completions.create(
            model=adapter_ids[0], messages=messages, max_tokens=12, stream=True, n=1, logprobs=True
        )
    )
    assert [field for chunk in chunks for field in unknown_fields(chunk)] == []
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == said
    text = openai.completions.create(model=adapter_ids[0], prompt=["a", "b"], max_tokens=3, logprobs=1)
    assert unknown_fields(text) == []
    assert [choice.index for choice in text.choices] == [0, 1]
    assert adapter_ids[0] in {model.id for model in openai.models.list()}
    with pytest.raises(NotFoundError, match="no model"):
        openai.chat.completions.create(model="gpt-5", messages=messages)


@pytest.mark.usefixtures("served")
def test_the_command_line_asks(url: str, client: TestClient, adapter_ids: list[str]) -> None:
    where = ["--url", url, "--key", ADMIN_KEY]
    asked = CliRunner().invoke(cli, ["ask", "hi", "--model", adapter_ids[0], *where])
    assert asked.exit_code == 0, asked.output
    body = {"model": adapter_ids[0], "messages": asking("hi")}
    said = client.post("/v1/chat/completions", json=body).json()["choices"][0]["message"]["content"]
    assert asked.stdout == said + "\n"
    refused = CliRunner().invoke(cli, ["ask", "hi", *where])
    assert refused.exit_code == 1
    assert "current did not answer" in refused.stderr


@pytest.mark.usefixtures("served")
def test_a_reader_who_leaves_a_stream_frees_its_place(
    client: TestClient, openai: OpenAI, adapter_ids: list[str]
) -> None:
    messages: Any = asking("hi")
    for _ in range(3):
        stream = openai.chat.completions.create(
            model=adapter_ids[0], messages=messages, max_tokens=900, n=4, temperature=1, stream=True
        )
        next(iter(stream))
        stream.close()
    started = time.monotonic()
    # another adapter is asked: it waits for the batch to end, which nobody reads any more
    assert answer_of(client, adapter_ids[1], "hi")
    assert time.monotonic() - started < 60
