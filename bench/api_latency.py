"""Does the API answer others while a large diagnosis runs?

    python -m bench.api_latency --data FOLDER [--rows 100000] [--seconds 60]

A service of its own, perturbed real rows imported over HTTP, a diagnosis of all of it, and meanwhile one
client that reads what a person looks at: the project, the lists, pages of rows, the running diagnosis.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bench import harness
from bench.client import FINAL, Client
from bench.perturbed import grown

PAUSE_SECONDS = 0.02
CASE_FIELDS = ("instruction", "input", "model_output", "expected_output")


def api_latency_during_diagnosis(data: Path, *, rows: int = 100_000, seconds: float = 60.0) -> dict[str, Any]:
    """Milliseconds of a GET before and during a diagnosis of ``rows`` rows, watched for ``seconds`` or its end."""
    train = grown(harness.read_rows(data / "triage_dev_train.jsonl.gz"), rows)
    cases = harness.read_rows(data / "triage_dev_cases.jsonl.gz")
    with harness.service() as client:
        dataset = client.post("/v1/datasets", {"name": "bench"})
        answer = client.upload(f"/v1/datasets/{dataset['id']}/versions", train, format="alpaca")
        version = client.wait(f"/v1/imports/{answer['id']}")["dataset_version_id"]
        for case in cases:
            client.post(
                "/v1/bad-cases", {"external_id": case["id"], **{name: case[name] for name in CASE_FIELDS}}
            )
        paths = ["/v1/project", "/v1/datasets", "/v1/bad-cases?limit=50"]
        paths += [f"/v1/dataset-versions/{version}", f"/v1/dataset-versions/{version}/examples?limit=50"]
        before = _milliseconds(client, paths, until=lambda n: n >= 200)
        diagnosis = client.post("/v1/diagnoses", {"dataset_version_id": version, "filter": {}})
        running = f"/v1/diagnoses/{diagnosis['id']}"
        end = time.monotonic() + seconds
        seen: list[Mapping[str, Any]] = []

        def over(_: int) -> bool:
            seen.append(client.get(running))
            return time.monotonic() > end or seen[-1]["status"] in FINAL

        during = _milliseconds(client, [*paths, running], until=over)
    return {
        "rows": rows,
        "before": _summary(before),
        "during": _summary(during),
        "status": seen[-1]["status"],
        "progress": seen[-1]["progress"],
    }


def _milliseconds(client: Client, paths: list[str], *, until: Callable[[int], bool]) -> list[float]:
    made: list[float] = []
    for path in itertools.cycle(paths):
        started = time.perf_counter()
        client.get(path)
        made.append(1000 * (time.perf_counter() - started))
        time.sleep(PAUSE_SECONDS)
        if path == paths[-1] and until(len(made)):
            return made
    raise AssertionError("a cycle of paths has no end")


def _summary(milliseconds: list[float]) -> dict[str, float]:
    return {
        "requests": len(milliseconds),
        **{f"p{q}_ms": round(float(np.percentile(milliseconds, q)), 1) for q in (50, 95, 99)},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    found = api_latency_during_diagnosis(given.data, rows=given.rows, seconds=given.seconds)
    for when in ("before", "during"):
        print(f"{when:<7} {found[when]}")
    print(f"the diagnosis of {found['rows']} rows: {found['status']}, {found['progress']:.0%}")
    return 0 if found["during"]["p50_ms"] < 100 else 1


if __name__ == "__main__":
    raise SystemExit(main())
