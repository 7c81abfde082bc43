"""A real HTTP server that speaks the OpenAI protocol, answers what a test tells it to, and counts its questions."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from app.db.repositories.llm_calls import Allow, CallStatus, Prices, Spent

PROMPT_TOKENS, ANSWER_TOKENS = 90, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """``text`` is what the model says; ``raw`` the whole body instead. ``cut``: the connection ends in the middle of
    it. ``seconds``: before the answer comes; ``drip``: before each byte of it."""

    text: str = "yes"
    status: int = 200
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    drip: float = 0.0
    cut: bool = False


Behaviour = Callable[[dict[str, Any], int], Reply]
"""What to answer a request, from its body and its number, from 0."""


class LlmServer:
    def __init__(self, behaviour: Behaviour = lambda _body, _number: Reply()) -> None:
        self.behaviour = behaviour
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.answered = 0
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with server._lock:
                    number = len(server.asked)
                    server.asked.append(body)
                    server.keys.append(self.headers["Authorization"])
                    server.at_once += 1
                    server.most_at_once = max(server.most_at_once, server.at_once)
                try:
                    self._reply(server.behaviour(body, number))
                except OSError:
                    pass  # the client has gone
                finally:
                    with server._lock:
                        server.at_once -= 1

            def _reply(self, reply: Reply) -> None:
                time.sleep(reply.seconds)
                packed = completion(reply.text) if reply.raw is None else reply.raw
                with server._lock:
                    server.answered += reply.status == 200
                self.send_response(reply.status)
                for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(packed)))
                self.end_headers()
                if reply.cut:
                    self.wfile.write(packed[: len(packed) // 2])
                    self.wfile.flush()
                    self.close_connection = True
                    self.connection.close()
                elif reply.drip:
                    for byte in packed:
                        self.wfile.write(bytes([byte]))
                        time.sleep(reply.drip)
                else:
                    self.wfile.write(packed)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


def completion(text: str) -> bytes:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    usage = {
        "prompt_tokens": PROMPT_TOKENS,
        "completion_tokens": ANSWER_TOKENS,
        "total_tokens": PROMPT_TOKENS + ANSWER_TOKENS,
    }
    made = {"id": "c", "object": "chat.completion", "created": 0, "model": "m"}
    return json.dumps({**made, "choices": [choice], "usage": usage}).encode()


@dataclass(slots=True)
class LedgerInMemory:
    """What ``LedgerInPostgres`` keeps, for clients without a database."""

    prices: Prices = field(default_factory=Prices)
    calls: list[CallStatus] = field(default_factory=list)

    def begin(
        self, request_key: str, *, prompt_tokens: int, answer_tokens: int, allow: Allow | None = None
    ) -> int:
        self.calls.append(CallStatus.SENT)
        return len(self.calls) - 1

    def end(self, call_id: int, status: CallStatus, **_: Any) -> None:
        self.calls[call_id] = status

    def take_over(self) -> Spent:
        return Spent()
