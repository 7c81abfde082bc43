"""The client against a real HTTP server that speaks the OpenAI protocol."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from workers.llm.client import LLMClient, LLMUnavailable, SpendCapReached

SECRET = "sk-very-secret"
ASK = [{"role": "user", "content": "what the customer said"}]


class Endpoint:
    """Answers with what the test queues; remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, Any]]] = []
        self.asked: list[dict[str, Any]] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                endpoint.asked.append({"key": self.headers["Authorization"], **json.loads(body)})
                status, answer = endpoint.answers.pop(0)
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Retry-After", "0")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def say(self, text: str, tokens: int = 10) -> None:
        message = {"role": "assistant", "content": text}
        self.answers.append(
            (
                200,
                {
                    "id": "c",
                    "object": "chat.completion",
                    "created": 0,
                    "model": "m",
                    "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                    "usage": {"prompt_tokens": 4, "completion_tokens": tokens - 4, "total_tokens": tokens},
                },
            )
        )

    def fail(self, status: int) -> None:
        self.answers.append((status, {"error": {"message": f"no: {SECRET}: what the customer said"}}))


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    yield endpoint
    endpoint.server.shutdown()
    endpoint.server.server_close()


class Answers(dict[str, str]):
    def put(self, key: str, value: str) -> None:
        self[key] = value


@pytest.fixture
def client_for(endpoint: Endpoint) -> Callable[..., LLMClient]:
    def make(cache: Answers | None = None, *, cap: int = 100_000, retries: int = 1) -> LLMClient:
        return LLMClient(
            base_url=endpoint.url,
            api_key=SECRET,
            model="m",
            cache=cache if cache is not None else Answers(),
            spend_cap_tokens=cap,
            max_retries=retries,
        )

    return make


def test_an_answer_is_paid_for_once_and_read_from_the_cache_by_the_next_run(
    endpoint: Endpoint, client_for: Callable[..., LLMClient]
) -> None:
    cache = Answers()
    endpoint.say("yes", tokens=42)
    first, second = client_for(cache), client_for(cache)
    assert first.complete(ASK) == second.complete(ASK) == "yes"
    assert len(endpoint.asked) == 1
    assert (first.spent_tokens, second.spent_tokens) == (42, 0)


def test_a_passing_failure_is_tried_again(endpoint: Endpoint, client_for: Callable[..., LLMClient]) -> None:
    endpoint.fail(503)
    endpoint.say("after all")
    assert client_for(retries=2).complete(ASK) == "after all"
    assert len(endpoint.asked) == 2


@pytest.mark.parametrize("status", [401, 400, 500])
def test_a_failure_names_itself_and_neither_the_key_nor_the_prompt(
    endpoint: Endpoint, client_for: Callable[..., LLMClient], status: int
) -> None:
    endpoint.fail(status)
    with pytest.raises(LLMUnavailable) as raised:
        client_for(retries=0).complete(ASK)
    assert str(status) in str(raised.value)
    assert SECRET not in str(raised.value)
    assert "customer" not in str(raised.value)


def test_the_spend_cap_stops_before_the_request_that_could_pass_it(
    endpoint: Endpoint, client_for: Callable[..., LLMClient]
) -> None:
    with pytest.raises(SpendCapReached):
        client_for(cap=50).complete(ASK)
    assert endpoint.asked == []


def test_an_empty_answer_is_no_answer_and_is_not_kept(
    endpoint: Endpoint, client_for: Callable[..., LLMClient]
) -> None:
    cache = Answers()
    endpoint.say("  ")
    with pytest.raises(LLMUnavailable, match="empty"):
        client_for(cache).complete(ASK)
    assert not cache
