"""Near-duplicates: signatures and whole jobs beside their peers, and growth to a million rows.

Every function prints what it measured and returns it JSON-ready; ``bench.repair`` calls them. Truth scores and
nothing else: what is compared with which settings is the product's default, but for the peers' thresholds,
which are chosen in their favour.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.domain.language.text import normalised
from app.domain.near_duplicates import grouping
from app.domain.near_duplicates import signatures as bulk
from app.domain.near_duplicates.signatures import PERMUTATIONS
from app.domain.repair.policy.repair_policy import NEAR_DUPLICATE_JACCARD
from bench import duplicate_peers, harness
from bench.perturbed import grown
from bench.planted_copies import EDITS, MIN_CHARACTERS, edited


def signatures(data: Path, rows: int = 5000) -> dict[str, Any]:
    """Signatures a second of processor time on one core, ours, datasketch's and rensa's, on the same real prompts.

    Everything from the text on: normalising, shingling, hashing. Character 5-grams for the peers, as datasketch's
    documentation has them, and as many permutations as ours has bins. Medians of three runs, in each of
    which all three follow one another.
    """
    texts = [str(r["input"]) for r in harness.read_rows(data / "triage_dev_train.jsonl.gz")]
    _ours_signed(texts[:100])
    some = texts[:: max(1, len(texts) // rows)]
    runs = [
        (
            len(texts) / _processor_seconds(lambda: _ours_signed(texts)),
            len(texts) / _processor_seconds(lambda: _rensa(texts)),
            len(some) / _processor_seconds(lambda: [duplicate_peers.datasketch_signature(t) for t in some]),
        )
        for _ in range(3)
    ]
    ours, rensa, peer = (float(np.median(of)) for of in zip(*runs, strict=True))
    made = {
        "ours_per_second": round(ours),
        "rensa_per_second": round(rensa),
        "datasketch_per_second": round(peer),
        "ratio": round(float(np.median([run[0] / run[2] for run in runs])), 1),
        "ratios": [round(run[0] / run[2], 1) for run in runs],
    }
    print(f"signatures: {made}")
    return made


def _ours_signed(texts: Sequence[str]) -> object:
    return bulk.signatures([bulk.written(t) for t in texts])


def _rensa(texts: Sequence[str]) -> object:
    from rensa.rensa import RMinHash

    sets = [duplicate_peers.shingles(t, "characters") for t in texts]
    return RMinHash.digest_matrix_from_token_sets(sets, num_perm=PERMUTATIONS, seed=1)


def job(
    data: Path, rows: int = 100_000, *, seed: int = 0, trial_rows: int = 10_000, semantic_rows: int = 10_000
) -> dict[str, Any]:
    """The whole near-duplicate job: ours, datasketch's MinHashLSH with union-find (text-dedup's method), SemHash.

    A tenth of the rows are planted copies with 5, 10 or 20 per cent of edits, the others are real rows and ones
    grown from them. The peers' thresholds and shingles are the ones of best pair-F1 on ``trial_rows`` rows of
    the same making. SemHash embeds with the product's default encoder, beside ours on ``semantic_rows`` rows.
    """
    trial = _job_rows(data, trial_rows, seed)
    figures: dict[str, Any] = {"rows": rows, "trials": {}}
    for kind in ("characters", "words"):
        for threshold in (0.3, 0.5, 0.7, 0.8):
            figures["trials"][f"datasketch {kind} {threshold}"] = _timed(
                trial, lambda texts, t=threshold, k=kind: duplicate_peers.lsh_groups(texts, t, k)
            )
    figures["trials"]["ours"] = _timed(trial, _ours)
    peers = [name for name in figures["trials"] if name != "ours"]
    name = max(peers, key=lambda n: figures["trials"][n]["pair_f1"])
    kind, threshold = name.split()[1], float(name.split()[2])
    whole = _job_rows(data, rows, seed)
    figures["ours"] = _timed(whole, _ours)
    figures["datasketch"] = {"settings": name} | _timed(
        whole, lambda texts: duplicate_peers.lsh_groups(texts, threshold, kind)
    )
    figures["ratio"] = round(figures["datasketch"]["seconds"] / figures["ours"]["seconds"], 1)
    figures["semhash"] = _semhash(_job_rows(data, semantic_rows, seed))
    for key, value in figures.items():
        print(f"job {key}: {value}")
    return figures


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRows:
    """``source``: for the planted rows at the end the row that each was copied from; ``family``: the real row that
    each was made from."""

    texts: list[str]
    source: dict[int, int]
    family: list[int]

    def scored(self, groups: Sequence[Sequence[int]]) -> dict[str, float]:
        return duplicate_peers.pair_f1(groups, self.source, self.family)


def _job_rows(data: Path, rows: int, seed: int) -> JobRows:
    rng = np.random.default_rng(seed)
    planted_rows = rows // 10
    real = harness.read_rows(data / "triage_dev_train.jsonl.gz")
    real = [real[i] for i in rng.permutation(len(real))]
    base = grown(real, rows - planted_rows, seed=seed)
    of_id = {str(r["id"]): str(r["input"]) for r in real}
    names: dict[str, int] = {}
    family: list[int] = []
    for i, row in enumerate(base):
        origin = str(row["id"]) if i < len(real) else str(row["id"]).rpartition("-")[0]
        family.append(names.setdefault(normalised(of_id[origin]), len(names)))
    texts = [str(r["input"]) for r in base]
    usable = [i for i, t in enumerate(texts) if len(t) >= MIN_CHARACTERS]
    chosen: list[int] = rng.choice(usable, planted_rows, replace=False).tolist()
    copies = [edited(texts[i], EDITS[n % len(EDITS)], rng) for n, i in enumerate(chosen)]
    return JobRows(
        texts=[*texts, *copies],
        source={len(texts) + n: i for n, i in enumerate(chosen)},
        family=family + [family[i] for i in chosen],
    )


def _ours(texts: Sequence[str]) -> duplicate_peers.Groups:
    return grouping.same_prompts(texts, [""] * len(texts), NEAR_DUPLICATE_JACCARD).groups


def _timed(rows: JobRows, work: Callable[[list[str]], duplicate_peers.Groups]) -> dict[str, Any]:
    found: list[duplicate_peers.Groups] = []
    seconds = _processor_seconds(lambda: found.append(work(rows.texts)))
    return {"seconds": round(seconds, 2), **rows.scored(found[0])}


def _semhash(rows: JobRows) -> dict[str, Any]:
    if importlib.util.find_spec("semhash") is None:
        return {"left_out": "semhash is not installed here"}
    encoder = duplicate_peers.Encoder()
    runs = {
        threshold: _timed(rows, lambda texts, t=threshold: duplicate_peers.semhash_groups(texts, t, encoder))
        for threshold in (0.8, 0.9, 0.95)
    }
    best = max(runs, key=lambda t: runs[t]["pair_f1"])
    ours = _timed(rows, _ours)
    return {
        "rows": len(rows.texts),
        "semhash": {"threshold": best} | runs[best],
        "ours": ours,
        "ratio": round(runs[best]["seconds"] / ours["seconds"], 1),
    }


def growth(data: Path, sizes: Sequence[int] = (100_000, 1_000_000)) -> dict[str, Any]:
    """Processor seconds and peak memory by rows, each size in a process of its own; the exponent between the ends.

    The smallest size is measured three times and the median taken: a few seconds more there, as another process
    beside it costs, would make the growth look less than it is.
    """
    first = sorted((_in_child(data, sizes[0]) for _ in range(3)), key=lambda of: of["seconds"])
    figures = {str(sizes[0]): first[1]} | {str(rows): _in_child(data, rows) for rows in sizes[1:]}
    seconds = [figures[str(rows)]["seconds"] for rows in sizes]
    exponent = float(np.log(seconds[-1] / seconds[0]) / np.log(sizes[-1] / sizes[0]))
    made = {**figures, "exponent": round(exponent, 3)}
    print(f"growth: {made}")
    return made


def _in_child(data: Path, rows: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.repair_duplicates", str(data), str(rows)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _measure(data: Path, rows: int) -> dict[str, float]:
    import resource

    texts = [str(r["input"]) for r in grown(harness.read_rows(data / "triage_dev_train.jsonl.gz"), rows)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    frames = [""] * rows
    seconds = _processor_seconds(lambda: grouping.same_prompts(texts, frames, NEAR_DUPLICATE_JACCARD))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": round(seconds, 2), "peak_mib": peak // 1024, "texts_mib": before // 1024}


def _processor_seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    print(json.dumps(_measure(Path(sys.argv[1]), int(sys.argv[2]))))
