"""An HTTP server in Label Studio's place: gives what a test puts there, or is slow, or redirects."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PERSONAL_TOKEN = "header.payload.signature"


class StandIn:
    """``answers``: by method and path, a status and a JSON value. ``asked``: method, path, authorization, body."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], tuple[int, Any]] = {
            ("POST", "/api/token/refresh"): (200, {"access": "short-lived"})
        }
        self.redirect: str | None = None
        self.drip_seconds = 0.0
        self.asked: list[tuple[str, str, str | None, Any]] = []
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                path = self.path.partition("?")[0]
                stand_in.asked.append(
                    (
                        self.command,
                        path,
                        self.headers.get("Authorization"),
                        json.loads(body) if body else None,
                    )
                )
                with suppress(OSError):  # the caller has left
                    stand_in.write(self, path)

            do_GET = do_POST = answer

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def write(self, handler: BaseHTTPRequestHandler, path: str) -> None:
        if self.drip_seconds:
            end = time.monotonic() + self.drip_seconds
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while time.monotonic() < end:
                handler.wfile.write(b"x")
                time.sleep(0.02)
            return
        status, value = self.answers.get((handler.command, path), (404, {"detail": "Not found."}))
        sent = value if isinstance(value, bytes) else json.dumps(value).encode()
        handler.send_response(302 if self.redirect else status)
        if self.redirect:
            handler.send_header("Location", self.redirect)
        handler.send_header("Content-Length", str(len(sent)))
        handler.end_headers()
        handler.wfile.write(sent)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
