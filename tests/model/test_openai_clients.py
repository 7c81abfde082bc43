"""The official client, each supported major version in an environment of its own, runs a whole fine-tune."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.model.service import Shell, started_key

HERE = Path(__file__).parent

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(3600)]


def interpreter_with(requirement: str, folder: Path) -> Path:
    """A new environment's interpreter; skips where no package index is reachable."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    done = subprocess.run(
        [str(python), "-m", "pip", "install", "-q", requirement], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"{requirement} cannot be installed here: {done.stderr[-500:]}")
    return python


@pytest.mark.parametrize("major", [2, 3])
def test_a_whole_fine_tune(shell: Shell, tmp_path: Path, major: int) -> None:
    python = interpreter_with(f"openai>={major},<{major + 1}", tmp_path / "client")
    program = tmp_path / "program"
    program.mkdir()
    for source in (HERE / "whole_fine_tune.py", HERE.parent / "openai_shapes.py"):
        shutil.copy(source, program)
    key = started_key(shell)
    said = shell.run(str(python), str(program / "whole_fine_tune.py"), OPENAI_API_KEY=key, PYTHONPATH="")
    seen = json.loads(said.splitlines()[-1])
    assert seen["version"].startswith(f"{major}.")
    assert seen["statuses"][0] == "validating_files"
    assert seen["statuses"][-1] == "succeeded"
    assert seen["types"] == ["message", "metrics"]
    assert {"duplicates", "leaks"} <= set(seen["topics"])
    # the last checkpoint is the model
    assert seen["whole"] == seen["streamed"]
    assert seen["results"].startswith("step,train_loss")
