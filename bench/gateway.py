"""What does it cost that chat requests go through the API? 200 of them, 8 at once, against an echo.

    python -m bench.gateway [--requests 200] [--at-once 8] [--rounds 5] [--write]

The echo is a process of its own that answers at once; the same client asks it directly and through an API process, in
turn, a round each. A round's overhead is the difference of the two percentiles; the median of the rounds counts: on a
shared machine single rounds are disturbed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from app.db.embedded import sqlalchemy_url, start
from app.db.migrate import upgrade
from app.domain.training_config import BUNDLED_MODEL
from bench import harness

KEY = "cm_key_of_the_bench"
TARGETS = {"p50_ms": 15.0, "p99_ms": 60.0}
PATH = "/v1/chat/completions"


async def _echo(request: Request) -> JSONResponse:
    asked = await request.json()
    message = {"role": "assistant", "content": asked["messages"][-1]["content"]}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    made = {"id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": asked["model"]}
    return JSONResponse({**made, "choices": [choice], "usage": usage})


def serve_echo(port: int) -> None:
    app = Starlette(routes=[Route(PATH, _echo, methods=["POST"])])
    uvicorn.run(app, port=port, log_config=None, access_log=False)


@contextmanager
def _process(command: list[str], url: str, **environment: str) -> Iterator[None]:
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(command, env={**os.environ, **environment}, stdout=log, stderr=log)
        try:
            end = time.monotonic() + 60
            while True:
                try:
                    httpx.get(url, trust_env=False)
                    break
                except httpx.TransportError:
                    if child.poll() is not None or time.monotonic() > end:
                        log.seek(0)
                        raise RuntimeError(log.read().decode()[-2000:]) from None
                    time.sleep(0.1)
            yield
        finally:
            child.terminate()
            child.wait(20)


async def _milliseconds(url: str, requests: int, at_once: int) -> list[float]:
    made: list[float] = []
    left = iter(range(requests))
    async with httpx.AsyncClient(
        base_url=url, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False
    ) as client:

        async def ask_on() -> None:
            for number in left:
                message = {"role": "user", "content": f"question {number}"}
                started = time.perf_counter()
                answer = await client.post(PATH, json={"model": BUNDLED_MODEL, "messages": [message]})
                made.append(1000 * (time.perf_counter() - started))
                assert answer.json()["choices"][0]["message"]["content"] == f"question {number}", answer.text

        await asyncio.gather(*(ask_on() for _ in range(at_once)))
    return made


def _summary(milliseconds: list[float]) -> dict[str, float]:
    return {f"p{q}_ms": float(np.percentile(milliseconds, q)) for q in (50, 99)}


def overhead(*, requests: int, at_once: int, rounds: int) -> dict[str, Any]:
    """Medians over ``rounds`` of both ways' percentiles and of their differences, in milliseconds."""
    with tempfile.TemporaryDirectory(prefix="casemend-bench-") as folder:
        Path(folder).chmod(0o755)  # the embedded server runs as another user when we are root
        database = start(Path(folder))
        upgrade(sqlalchemy_url(database))
        echo_port, api_port = _free_port(), _free_port()
        echo, api = f"http://127.0.0.1:{echo_port}", f"http://127.0.0.1:{api_port}"
        environment = {
            "DATABASE_URL": database,
            "CASEMEND_DATA_DIR": folder,
            "CASEMEND_SERVE_URL": echo,
            "CASEMEND_BOOTSTRAP_KEY": KEY,
            "CASEMEND_LOG_LEVEL": "WARNING",
        }
        serve = ["uvicorn", "app.main:create_app", "--factory", "--port", str(api_port), "--no-access-log"]
        with (
            _process([sys.executable, "-m", "bench.gateway", "--echo", str(echo_port)], echo),
            _process([sys.executable, "-m", *serve], f"{api}/healthz", **environment),
        ):
            found: dict[str, list[dict[str, float]]] = {"directly": [], "through": []}
            for number in range(rounds + 1):
                for way, url in (("directly", echo), ("through", api)):
                    measured = asyncio.run(_milliseconds(url, requests, at_once))
                    if number:  # the first round opens connections
                        found[way].append(_summary(measured))
    differences = [
        {name: through[name] - directly[name] for name in TARGETS}
        for directly, through in zip(found["directly"], found["through"], strict=True)
    ]
    return {
        "requests": requests,
        "at_once": at_once,
        "rounds": rounds,
        **{way: _medians(rows) for way, rows in {**found, "overhead": differences}.items()},
    }


def _medians(rows: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(float(np.median([row[name] for row in rows])), 1) for name in TARGETS}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="keep the figures in bench/baselines")
    parser.add_argument("--echo", type=int, metavar="PORT", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.echo is not None:
        serve_echo(given.echo)
        return 0
    found = overhead(requests=given.requests, at_once=given.at_once, rounds=given.rounds)
    print(json.dumps(found, indent=2))
    if given.write:
        print(harness.write_baseline("gateway", found))
    return 0 if all(found["overhead"][name] <= most for name, most in TARGETS.items()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
