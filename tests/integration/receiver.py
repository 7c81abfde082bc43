"""A real HTTP server that takes webhooks and answers what a test tells it to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from standardwebhooks import Webhook

Answer = Callable[[BaseHTTPRequestHandler], None]


def plainly(status: int, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()

    return answer


def slowly(seconds: float) -> Answer:
    """One byte of a header at a time: every single read is in time."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        end = time.monotonic() + seconds
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while time.monotonic() < end:
            handler.wfile.write(b"x")
            time.sleep(0.05)

    return answer


def with_body_of(count: int) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        plainly(200, **{"Content-Length": str(count)})(handler)
        for _ in range(count // 65_536):
            handler.wfile.write(b"x" * 65_536)

    return answer


class Receiver:
    """``received``: headers and body of every call, in order."""

    OK: Final = staticmethod(plainly(204))

    def __init__(self) -> None:
        self.answer: Answer = self.OK
        self.received: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append(({k.lower(): v for k, v in self.headers.items()}, body))
                with suppress(OSError):  # the caller has left
                    receiver.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?token=1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def verified(self, secret: str, at: int = -1) -> dict[str, object]:
        """The message of a call, checked by the library that receivers use."""
        headers, body = self.received[at]
        message = Webhook(secret).verify(body, headers)
        assert isinstance(message, dict)
        return message

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
