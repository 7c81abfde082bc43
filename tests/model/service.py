"""The whole service, started from its command line for one test, and a shell beside it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Shell:
    """A folder to work in, with the service's settings and the client's in its environment."""

    folder: Path
    environment: dict[str, str]

    def run(self, *command: str, **more: str) -> str:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def shell_in(folder: Path, model_cache: Path) -> Shell:
    """Nothing runs yet. The service will have a data folder and a port of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    scripts = Path(sys.executable).parent
    environment = {
        **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "CASEMEND_DATA_DIR": str(folder / "data"),
        "CASEMEND_PORT": str(port),
        "CASEMEND_BASE_MODEL_CACHE": str(model_cache),
        "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1",
    }
    return Shell(folder, environment)


def started_key(shell: Shell, start: str = "casemend up --detach") -> str:
    """Start the service; its key."""
    printed = shell.run("sh", "-e", "-c", start)
    key = re.search(r"API key: (\S+)", printed)
    assert key is not None, printed
    return key[1]
