"""``python -m workers --queues cpu,llm,gpu``"""

from __future__ import annotations

import argparse
import os

# Read when the first library with OpenMP is loaded. Waiting threads sleep: on a machine that also runs
# the API, the database and other workers, spinning ones make a step several times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from app.queue import Queue
from workers.main import main

parser = argparse.ArgumentParser(prog="casemend worker", description="Run the jobs of some queues.")
parser.add_argument("--queues", default="cpu,llm,gpu", help="comma-separated: cpu, llm, gpu")
names = [q.strip() for q in parser.parse_args().queues.split(",") if q.strip()]
unknown = sorted(set(names) - {q.value for q in Queue})
if unknown:
    parser.error(f"unknown queue {unknown[0]!r}; known are cpu, llm, gpu")
main(names)
