"""How fast is an import, and does its memory stay flat?

    python -m bench.imports [--rows 100000] [--write]

Rows go over HTTP, as ndjson and as gzip, into PostgreSQL; peak resident memory of the worker and of the
API is read from the kernel for a run of a tenth of the rows and for the whole one, each in a service of
its own. Peer in the same run: SQLAlchemy's own bulk insert of the same rows, parsed by the json module.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import time
from collections.abc import Iterator
from typing import Any

import psutil
from sqlalchemy import insert

from app import supervisor
from app.db import embedded
from app.db.models import DatasetRow, ExampleRow, ProjectRow
from app.db.session import make_engine, make_sessions, transaction
from app.settings import get_settings
from bench import harness

WORDS = [
    *("card", "freeze", "refund", "order", "status", "window", "account", "login", "transfer", "limit"),
    *("退款", "冻结", "账户", "网点"),
]


def rows(count: int) -> Iterator[dict[str, Any]]:
    draw = random.Random(0)  # noqa: S311 - made-up rows
    for i in range(count):
        text = " ".join(draw.choices(WORDS, k=draw.randint(6, 30)))
        yield {"id": i, "instruction": "Answer the customer.", "input": f"{text} {i}", "output": text[::-1]}


def body_of(count: int) -> bytes:
    return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows(count)).encode()


def peak_memory(process: psutil.Process) -> int:
    """Peak resident bytes since the process started, as the kernel counts them."""
    with open(f"/proc/{process.pid}/status") as status:
        line = next(x for x in status if x.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def through_http(count: int, *, packed: bool) -> dict[str, Any]:
    body = body_of(count)
    headers = {"Content-Type": "application/x-ndjson"}
    if packed:
        body = gzip.compress(body)
        headers["Content-Encoding"] = "gzip"
    with harness.service() as client:
        service = supervisor.running(get_settings())
        assert service is not None
        children = psutil.Process(service.pid).children()
        named = {
            "api": next(c for c in children if "api" in c.cmdline()),
            "worker": next(c for c in children if "cpu,llm" in c.cmdline()),
        }
        dataset = client.post("/v1/datasets", {"name": "bench"})
        started = time.monotonic()
        answer = client.send("POST", f"/v1/datasets/{dataset['id']}/versions?format=alpaca", body, headers)
        uploaded = time.monotonic() - started
        done = client.wait(f"/v1/imports/{answer['id']}", poll_seconds=0.05)
        seconds = time.monotonic() - started
        assert done["rows_accepted"] == count, done
        return {
            "rows": count,
            "packed": packed,
            "seconds": round(seconds, 2),
            "upload_seconds": round(uploaded, 2),
            "rows_per_second": round(count / seconds),
            "peak_memory_bytes": {name: peak_memory(p) for name, p in named.items()},
        }


def peer(count: int) -> dict[str, Any]:
    """SQLAlchemy's bulk insert of parsed rows: no check, no hash, no content address."""
    body = body_of(count)
    with harness.service():
        settings = get_settings()
        engine = make_engine(embedded.sqlalchemy_url(embedded.start(settings.data_dir)))
        with transaction(make_sessions(engine)) as session:
            project = ProjectRow(name="peer")
            session.add(project)
            session.flush()
            dataset = DatasetRow(project_id=project.id, name="peer")
            session.add(dataset)
            session.flush()
            started = time.monotonic()
            values = [
                {
                    "id": f"ex_{i}",
                    "dataset_id": dataset.id,
                    "content_hash": "0" * 64,
                    "record_hash": "0" * 64,
                    "messages": [
                        {"role": "user", "content": f"{row['instruction']}\n{row['input']}"},
                        {"role": "assistant", "content": row["output"]},
                    ],
                    "instruction_length": 0,
                    "extra": {},
                }
                for i, row in enumerate(json.loads(line) for line in body.splitlines())
            ]
            session.execute(insert(ExampleRow), values)
        seconds = time.monotonic() - started
        engine.dispose()
    return {"rows": count, "seconds": round(seconds, 2), "rows_per_second": round(count / seconds)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--write", action="store_true", help="keep the figures as the baseline")
    given = parser.parse_args()
    small = through_http(given.rows // 10, packed=False)
    large = through_http(given.rows, packed=False)
    packed = through_http(given.rows, packed=True)
    beside = peer(given.rows)
    growth = {
        name: large["peak_memory_bytes"][name] - small["peak_memory_bytes"][name]
        for name in large["peak_memory_bytes"]
    }
    for run in (small, large, packed):
        memory = {k: f"{v / 2**20:.0f} MiB" for k, v in run["peak_memory_bytes"].items()}
        print(
            f"{run['rows']:>7} rows, gzip {run['packed']!s:<5}: {run['rows_per_second']:>6} rows/s, peak {memory}"
        )
    print(
        f"{beside['rows']:>7} rows, bulk insert of unchecked rows (peer): {beside['rows_per_second']} rows/s"
    )
    print("growth of the peak from a tenth to all:", {k: f"{v / 2**20:.0f} MiB" for k, v in growth.items()})
    if given.write:
        runs = {"small": small, "large": large, "packed": packed, "peer": beside, "growth_bytes": growth}
        print("baseline:", harness.write_baseline("imports", runs))
    return 0 if max(growth.values()) <= 100 * 10**6 else 1


if __name__ == "__main__":
    raise SystemExit(main())
