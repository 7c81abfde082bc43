"""The official client's version before the present one, in an environment of its own, against a served model."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.conftest import ADMIN_KEY
from tests.pipeline.test_serving import (  # noqa: F401  fixtures
    adapter_ids,
    adapters,
    model,
    served,
    server_settings,
    url,
)

SCRIPT = """
import json, sys
import openai
client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key=sys.argv[2], max_retries=0)
asked = {"model": sys.argv[3], "messages": [{"role": "user", "content": "hi"}], "max_tokens": 8}
whole = client.chat.completions.create(**asked)
chunks = list(client.chat.completions.create(stream=True, **asked))
def unknown(value):
    found = list(value.model_extra or {})
    for name in type(value).model_fields:
        inner = getattr(value, name)
        for one in inner if isinstance(inner, list) else [inner]:
            if isinstance(one, openai.BaseModel):
                found += unknown(one)
    return found
try:
    client.chat.completions.create(model="gpt-5", messages=asked["messages"])
    refused = None
except openai.NotFoundError as error:
    refused = error.code
print(json.dumps({
    "version": openai.__version__,
    "whole": whole.choices[0].message.content,
    "streamed": "".join(c.choices[0].delta.content or "" for c in chunks),
    "unknown": [name for made in (whole, *chunks) for name in unknown(made)],
    "models": [m.id for m in client.models.list()],
    "refused": refused,
}))
"""


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("served")
def test_client_2_asks_streams_and_lists(url: str, adapter_ids: list[str], tmp_path: Path) -> None:  # noqa: F811
    folder = tmp_path / "client"
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "openai==2.*"], check=True)
    command = [python, "-c", SCRIPT, url, ADMIN_KEY, adapter_ids[0]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["version"].startswith("2.")
    assert said["whole"]
    assert said["streamed"] == said["whole"]
    assert said["unknown"] == []
    assert adapter_ids[0] in said["models"]
    assert said["refused"] == "model_not_found"
