"""MLflow and promptfoo for real, each in an environment of its own: what they write is read, our suite runs.

``MLFLOW_PYTHON`` and ``PROMPTFOO`` may name what is installed already.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.artifacts import ArtifactStore
from app.db.session import SessionFactory
from app.queue import Stage
from app.settings import Settings
from tests.model.test_openai_clients import interpreter_with
from workers.context import Resources
from workers.run_stage import run_stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

TRACES = """
import sys
import mlflow

mlflow.set_tracking_uri("sqlite:///traces.db")
mlflow.set_experiment("support")


@mlflow.trace
def answer(question):
    return "Quito"


@mlflow.trace(span_type="CHAT_MODEL")
def chat(messages):
    function = {"name": "look_up", "arguments": '{"order": 7}'}
    call = {"id": "1", "type": "function", "function": function}
    return {"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": [call]}}]}


def traced(run, given):
    run(given)
    mlflow.flush_trace_async_logging()
    return mlflow.get_last_active_trace_id()


first = traced(answer, "Capital of Peru?")
mlflow.log_feedback(trace_id=first, name="correctness", value=False)
mlflow.log_expectation(trace_id=first, name="expected_response", value="Lima")
second = traced(chat, [{"role": "user", "content": "Hello"}])
mlflow.log_feedback(trace_id=second, name="correctness", value="no")
right = traced(answer, "Capital of Ecuador?")
mlflow.log_feedback(trace_id=right, name="correctness", value=True)
with open("traces.jsonl", "w") as file:
    for trace_id in (first, second, right):
        file.write(mlflow.get_trace(trace_id).to_json() + "\\n")
"""

Upload = Callable[[str, bytes], dict[str, Any]]


@pytest.fixture
def upload(client: TestClient, sessions: SessionFactory, store: ArtifactStore, settings: Settings) -> Upload:
    def send(tool: str, body: bytes) -> dict[str, Any]:
        answer = client.post(f"/v1/integrations/{tool}/deliveries", content=body)
        assert answer.status_code == 202, answer.text
        resources = Resources(settings=settings, sessions=sessions, store=store)
        run_stage(resources, Stage.INTEGRATE, answer.json()["id"])
        return client.get(answer.headers["location"]).json()

    return send


def test_mlflow(client: TestClient, upload: Upload, tmp_path: Path) -> None:
    given = os.environ.get("MLFLOW_PYTHON")
    python = Path(given) if given else interpreter_with("mlflow>=3", tmp_path / "venv")
    subprocess.run([str(python), "-c", TRACES], cwd=tmp_path, check=True, timeout=600)
    done = upload("mlflow", (tmp_path / "traces.jsonl").read_bytes())
    assert done["counts"] == {"records": 3, "created": 2, "skipped": 1}
    cases = {c["messages"][-1]["content"]: c for c in client.get("/v1/bad-cases").json()["data"]}
    assert cases["Capital of Peru?"]["expected_output"] == "Lima"
    assert json.loads(cases["Hello"]["model_output"])["tool_calls"][0]["function"]["name"] == "look_up"


def test_promptfoo(client: TestClient, upload: Upload, tmp_path: Path) -> None:
    program = os.environ.get("PROMPTFOO") or installed_promptfoo(tmp_path)
    prompt = [{"role": "user", "content": 'Say "{{ nothing }}" & <b>.'}]
    # The provider `echo` answers with the prompt: the first case passes, the second does not.
    said = json.dumps(prompt, separators=(",", ":"))
    items = [
        {"external_id": "echoed", "messages": prompt, "model_output": "no", "expected_output": said},
        {"external_id": "other", "messages": prompt, "model_output": "no", "expected_output": "{{ yes }}"},
    ]
    sent = client.post("/v1/bad-cases", json={"items": items}).json()["data"]
    ids = [case["id"] for case in sent]
    suite = client.get("/v1/integrations/promptfoo/suite", params={"bad_case_id": ids}).json()
    (tmp_path / "promptfooconfig.json").write_text(json.dumps({**suite, "providers": ["echo"]}))
    environment = {
        **os.environ,
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "PROMPTFOO_DISABLE_UPDATE": "1",
        "PROMPTFOO_CONFIG_DIR": str(tmp_path / "config"),
    }
    subprocess.run(
        [program, "eval", "-c", "promptfooconfig.json", "-o", "results.json", "--no-progress-bar"],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,  # a failed test is an exit code
        timeout=600,
    )
    results = (tmp_path / "results.json").read_bytes()
    verdicts = {
        r["testCase"]["metadata"]["external_id"]: r["success"]
        for r in json.loads(results)["results"]["results"]
    }
    assert verdicts == {"echoed": True, "other": False}
    done = upload("promptfoo", results)
    assert done["counts"] == {"records": 2, "skipped": 1, "updated": 1}
    cases = {c["external_id"]: c for c in client.get("/v1/bad-cases").json()["data"]}
    assert (cases["other"]["model_output"], cases["other"]["expected_output"]) == (said, "{{ yes }}")
    assert cases["other"]["messages"] == prompt


def installed_promptfoo(folder: Path) -> str:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed here")
    command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder / "npm"), "promptfoo"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"promptfoo cannot be installed here: {done.stderr[-500:]}")
    return str(folder / "npm/node_modules/.bin/promptfoo")
