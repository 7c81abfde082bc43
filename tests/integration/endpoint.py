"""A real HTTP server that speaks the OpenAI protocol and answers what a test tells it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[str], str | int]


class Endpoint:
    """Answers each request with what ``answer`` makes of the user's message: a text, or an HTTP status."""

    def __init__(self) -> None:
        self.answer: Answer = lambda _: 500
        self.asked: list[str] = []
        self.hangs = threading.Event()
        self.hangs.set()  # set = does not hang
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                said = body["messages"][-1]["content"]
                endpoint.asked.append(said)
                endpoint.hangs.wait(5)
                answer = endpoint.answer(said)
                status, content = (answer, "no") if isinstance(answer, int) else (200, answer)
                choice = {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": content},
                }
                usage = {"prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 100}
                sent = {"id": "c", "object": "chat.completion", "created": 0, "model": "m"}
                sent |= {"choices": [choice], "usage": usage}
                packed = json.dumps(sent).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(packed)))
                    self.send_header("Retry-After", "0")
                    self.end_headers()
                    self.wfile.write(packed)
                except OSError:
                    pass  # the client has given up

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.hangs.set()
        self.server.shutdown()
        self.server.server_close()
