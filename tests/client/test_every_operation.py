"""Each operation of openapi.json is a method, sync and async, that sends its request."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
from casemend_client import AsyncClient, Client, NotFound
from casemend_client._async import resources as async_resources
from casemend_client._sync import resources as sync_resources

ROOT = Path(__file__).parents[2]
FACES = ("files", "uploads", "fine_tuning", "models", "chat", "completions")
"""OpenAI's package is the client of these."""


def described() -> set[tuple[str, str]]:
    paths = json.loads((ROOT / "openapi.json").read_text())["paths"]
    return {
        (method.upper(), re.sub(r"\{\w+\}", "X", path))
        for path, methods in paths.items()
        for method in methods
        if path.startswith("/v1/") and path.split("/")[2] not in FACES
    }


def calls(client: object, base: type) -> Iterator[Any]:
    """Every method of every resource, bound to arguments that fit its signature."""
    for resource in vars(client).values():
        if not isinstance(resource, base):
            continue
        for name, method in inspect.getmembers(resource, callable):
            if name.startswith("_") or name in ("wait", "watch"):
                continue
            needed = [
                p
                for p in inspect.signature(method).parameters.values()
                if p.default is inspect.Parameter.empty
            ]
            positional = [b"{}" if p.name == "body" else "X" for p in needed if p.kind is not p.KEYWORD_ONLY]
            yield lambda m=method, a=positional, n=needed: m(
                *a, **{p.name: "alpaca" for p in n if p.kind is p.KEYWORD_ONLY}
            )


class Recorder:
    """Refuses every request, and keeps its method and path."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, str]] = set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.add((request.method, request.url.path))
        return httpx.Response(404, json={"type": "/problems/not-found", "detail": "refused"})


def test_every_operation_has_a_method() -> None:
    recorder = Recorder()
    with Client("http://service", "key", transport=httpx.MockTransport(recorder)) as client:
        for call in calls(client, sync_resources.Resource):
            with suppress(NotFound):
                made = call()
                if hasattr(made, "page"):
                    made.page()
                else:
                    made.read()
    assert recorder.seen == described()


def test_every_operation_has_an_async_method() -> None:
    recorder = Recorder()

    async def ask() -> None:
        async with AsyncClient("http://service", "key", transport=httpx.MockTransport(recorder)) as client:
            for call in calls(client, async_resources.Resource):
                made = call()
                if hasattr(made, "page"):
                    made = made.page()
                elif hasattr(made, "read"):
                    made = made.read()
                with suppress(NotFound):
                    await made

    asyncio.run(ask())
    assert recorder.seen == described()


def test_what_is_generated_is_up_to_date() -> None:
    script = ROOT / "clients/python/scripts/generate.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
