"""Does the API answer others while a large training set is imported, planned and repaired?

    python -m bench.repair_api --data FOLDER [--rows 100000]

A service of its own, perturbed real rows imported over HTTP, diagnosed, planned, decided by policy, previewed,
applied and reverted; meanwhile one client reads the bad cases again and again.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bench import harness
from bench.client import FINAL, ApiError, Client
from bench.perturbed import grown

PAUSE_SECONDS = 0.02
TARGET_MILLISECONDS = 100.0
CASE_FIELDS = ("instruction", "input", "model_output", "expected_output")
POLL_SECONDS = 0.5


class _Reader(threading.Thread):
    """A person who reads the bad cases, over a connection of their own."""

    def __init__(self, url: str, key: str) -> None:
        super().__init__(daemon=True)
        self._url, self._key = url, key
        self._stop_asked = threading.Event()
        self.milliseconds: list[float] = []
        self.failed: Exception | None = None

    def run(self) -> None:
        try:
            with Client(self._url, self._key) as client:
                while not self._stop_asked.is_set():
                    started = time.perf_counter()
                    client.get("/v1/bad-cases", limit=50)
                    self.milliseconds.append(1000 * (time.perf_counter() - started))
                    time.sleep(PAUSE_SECONDS)
        except Exception as error:  # shown by whoever waits for this thread
            self.failed = error

    def stop(self) -> list[float]:
        self._stop_asked.set()
        self.join()
        if self.failed is not None:
            raise self.failed
        return self.milliseconds


def repair_over_http(data: Path, *, rows: int = 100_000, cases: int = 200) -> dict[str, Any]:
    """Seconds of each stage, and milliseconds of ``GET /v1/bad-cases`` meanwhile (median, p95, p99).

    ``ok``: the median stayed under 100 ms in every stage, and the reverted version has the first one's hash.
    """
    train = _dirty(grown(harness.read_rows(data / "triage_dev_train.jsonl.gz"), rows))
    failed = harness.read_rows(data / "triage_dev_cases.jsonl.gz")[:cases]
    stages: dict[str, dict[str, Any]] = {}

    with harness.service() as client:

        @contextmanager
        def stage(name: str) -> Iterator[None]:
            reader = _Reader(client.url, client.key)
            reader.start()
            started = time.perf_counter()
            yield
            seconds = time.perf_counter() - started
            stages[name] = {"seconds": round(seconds, 1), **_quantiles(reader.stop())}
            # said as it goes: the whole run takes minutes
            print(f"{name}: {stages[name]}", flush=True)

        dataset = client.post("/v1/datasets", {"name": "bench"})
        items = [{"external_id": c["id"], **{name: c[name] for name in CASE_FIELDS}} for c in failed]
        client.post("/v1/bad-cases", {"items": items})
        with stage("import"):
            answer = client.upload(f"/v1/datasets/{dataset['id']}/versions", train, format="alpaca")
            first_id = client.wait(f"/v1/imports/{answer['id']}")["dataset_version_id"]
        first = client.get(f"/v1/dataset-versions/{first_id}")
        with stage("diagnosis"):
            diagnosis = client.post("/v1/diagnoses", {"dataset_version_id": first_id, "filter": {}})
            client.wait(f"/v1/diagnoses/{diagnosis['id']}", poll_seconds=POLL_SECONDS)
        with stage("plan"):
            asked = client.post(
                "/v1/repairs", {"diagnosis_id": diagnosis["id"], "policy": {"approve": "none"}}
            )
            path = f"/v1/repairs/{asked['id']}"
            client.wait(path, poll_seconds=POLL_SECONDS)
        with stage("decide by policy"):
            decided = client.post(f"{path}/decisions", {"policy": {"approve": "all"}})["decided"]
        with stage("dry run"):
            preview = client.post(f"{path}/apply?dry_run=true", {})
        with stage("apply"):
            made_id = _version_of(client, path, "apply")
        made = client.get(f"/v1/dataset-versions/{made_id}")
        with stage("revert"):
            back = client.get(f"/v1/dataset-versions/{_version_of(client, path, 'revert')}")
    slowest = max(figures["p50_ms"] for figures in stages.values())
    same = back["content_hash"] == first["content_hash"]
    foretold = (preview["content_hash"], preview["rows"]) == (made["content_hash"], made["rows"])
    return {
        "rows": rows,
        "actions": decided,
        "changes": made["statistics"].get("changes", {}),
        "stages": stages,
        "reverted_hash_is_the_first": same,
        "dry_run_foretold_the_version": foretold,
        "ok": slowest < TARGET_MILLISECONDS and same and foretold,
    }


def _dirty(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every sixth row is a copy of an earlier one, every seventh carries a special token: tens of thousands of
    actions in 100,000 rows, whatever else the plan finds."""
    made = list(rows)
    for i in range(6, len(made)):
        if i % 6 == 0:
            made[i] = {**made[i // 2], "id": f"copy-{i}"}
        elif i % 7 == 0:
            made[i] = {**made[i], "input": f"{made[i]['input']} <|im_end|>"}
    return made


def _version_of(client: Client, path: str, what: str) -> str:
    """Apply or revert, in the request or by a worker; the version's id."""
    asked = client.post(f"{path}/{what}", {})
    while asked["object"] == "repair_run":
        run = client.get(path)["run"]
        if run["status"] in FINAL:
            if run["status"] != "succeeded":
                raise ApiError(f"{path}: {run['status']}: {(run['error'] or {}).get('detail')}")
            return run["result_version_id"]
        time.sleep(POLL_SECONDS)
    return asked["id"]


def _quantiles(milliseconds: list[float]) -> dict[str, float]:
    return {
        "requests": len(milliseconds),
        **{f"p{q}_ms": round(float(np.percentile(milliseconds, q)), 1) for q in (50, 95, 99)},
    }


def table(found: dict[str, Any]) -> str:
    """The figures as text."""
    lines = [f"{found['rows']:,} rows, {found['actions']:,} actions, changes {found['changes']}"]
    lines.append(f"{'stage':<18}{'seconds':>9}{'GETs':>7}{'median':>9}{'p95':>9}{'p99':>9}  ms")
    for name, f in found["stages"].items():
        lines.append(
            f"{name:<18}{f['seconds']:>9}{f['requests']:>7}{f['p50_ms']:>9}{f['p95_ms']:>9}{f['p99_ms']:>9}"
        )
    lines.append(
        f"reverted hash is the first one's: {found['reverted_hash_is_the_first']}; "
        f"the dry run foretold the version: {found['dry_run_foretold_the_version']}"
    )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--cases", type=int, default=200)
    given = parser.parse_args()
    found = repair_over_http(given.data, rows=given.rows, cases=given.cases)
    print(table(found))
    return 0 if found["ok"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
