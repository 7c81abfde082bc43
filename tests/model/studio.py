"""A real Label Studio in an environment of its own. ``LABEL_STUDIO`` may name the program of an installed one."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

EMAIL, PASSWORD, LEGACY_TOKEN = (
    "a@example.com",
    "password-of-a-test",
    "0123456789abcdef0123456789abcdef01234567",
)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@pytest.fixture
def program(tmp_path: Path) -> str:
    given = os.environ.get("LABEL_STUDIO")
    if given:
        return given
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    done = subprocess.run(
        [str(tmp_path / "venv/bin/python"), "-m", "pip", "install", "-q", "label-studio"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"label-studio cannot be installed here: {done.stderr[-500:]}")
    return str(tmp_path / "venv/bin/label-studio")


@dataclass(frozen=True, slots=True)
class Studio:
    """A signed-in annotator's client, and the personal token."""

    url: str
    client: httpx.Client
    personal_token: str

    def call(self, method: str, path: str, body: object = None) -> Any:
        answer = self.client.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


@pytest.fixture
def studio(program: str, tmp_path: Path) -> Iterator[Studio]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "LABEL_STUDIO_BASE_DATA_DIR": str(tmp_path / "studio"),
        "SSRF_PROTECTION_ENABLED": "false",  # its webhooks may reach this machine
        "COLLECT_ANALYTICS": "0",
    }
    command = [program, "start", "--no-browser", "--port", str(port)]
    command += ["--username", EMAIL, "--password", PASSWORD, "--user-token", LEGACY_TOKEN]
    with (tmp_path / "studio.log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
    try:
        end = time.monotonic() + 300
        while True:
            try:
                if httpx.get(f"{url}/health", timeout=5).is_success:
                    break
            except httpx.HTTPError:
                assert process.poll() is None, (tmp_path / "studio.log").read_text()[-3000:]
            assert time.monotonic() < end
            time.sleep(1)
        with httpx.Client(base_url=url, timeout=30) as client:
            yield signed_in(url, client)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def signed_in(url: str, client: httpx.Client) -> Studio:
    page = client.get("/user/login/").text
    csrf = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert csrf is not None
    form = {"csrfmiddlewaretoken": csrf[1], "email": EMAIL, "password": PASSWORD}
    answer = client.post("/user/login/", data=form, headers={"Referer": url})
    assert answer.status_code == 302, answer.text
    client.headers.update({"X-CSRFToken": client.cookies["csrftoken"], "Referer": url})
    both = {"api_tokens_enabled": True, "legacy_api_tokens_enabled": True}
    assert client.post("/api/jwt/settings", json=both).is_success
    token = client.post("/api/token/").json()["token"]
    return Studio(url, client, token)
