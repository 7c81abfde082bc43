"""What every bench needs: a service of its own, facts about the machine, and a place for baselines."""

from __future__ import annotations

import gzip
import json
import os
import platform
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app import supervisor
from app.settings import get_settings
from bench.client import Client

BASELINES = Path(__file__).parent / "baselines"

# as the bench starts: what is committed while it runs was not measured
COMMIT = subprocess.run(
    ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
).stdout.strip()


@contextmanager
def service() -> Iterator[Client]:
    """A fresh casemend (database, API, workers) on a free port, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="casemend-bench-") as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        Path(folder).chmod(0o755)  # the embedded server runs as another user when we are root
        cache = os.environ.get("CASEMEND_BASE_MODEL_CACHE", str(Path(".casemend/models").resolve()))
        os.environ |= {
            "CASEMEND_DATA_DIR": folder,
            "CASEMEND_PORT": str(port),
            "CASEMEND_BASE_MODEL_CACHE": cache,
        }
        get_settings.cache_clear()
        settings = get_settings()
        running = supervisor.start_detached(settings)
        try:
            with Client(running.url, running.key) as client:
                yield client
        finally:
            supervisor.stop(settings)


def read_rows(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def machine() -> dict[str, Any]:
    """Where and when the figures beside this were measured."""
    model = "unknown"
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")), model)
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "commit": COMMIT,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def figure_at(figures: Any, path: Sequence[str]) -> float:
    """A figure in nested mappings."""
    for key in path:
        figures = figures[key]
    return float(figures)


def fallen(
    now: Mapping[str, Any], before: Mapping[str, Any], paths: Mapping[str, Sequence[str]], noise: float
) -> list[str]:
    """Which of the figures fell by more than ``noise`` below the baseline, in words."""
    lost = []
    for name, path in paths.items():
        new, old = figure_at(now, path), figure_at(before, path)
        if new < old - noise:
            lost.append(f"{name}: {new} where the baseline has {old}")
    return lost


def write_baseline(name: str, figures: Mapping[str, Any]) -> Path:
    BASELINES.mkdir(exist_ok=True)
    path = BASELINES / f"{name}.json"
    path.write_text(json.dumps({"machine": machine(), **figures}, indent=1, ensure_ascii=False) + "\n")
    return path
