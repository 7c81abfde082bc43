"""Is it right on the kinds of data that people have? Figures by kind, beside plain rules in the same run.

    python -m bench.real_kinds [--seeds 1,2,3] [--kind sql] [--failures 3] [--out FILE] [--write] [--rows FOLDER]

The default policy repairs the set. Figures are means over the seeds; counts too. Without --write they are held
against the committed baseline. --rows writes the planted rows and cases as JSON lines, and measures nothing.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# Before the first library with OpenMP: a spinning thread takes the core from the one that it waits for.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

from bench import harness
from bench.diagnosis_data import Embedding
from bench.real_kinds import peers
from bench.real_kinds.kinds import KINDS
from bench.real_kinds.planting import PlantedSet, planted_set
from bench.real_kinds.running import run
from bench.real_kinds.scoring import Failure, equal_by_writing, score, verdict_of

NOISE = 0.02
SHOWN = {
    "macro-F1": "macro_f1",
    "closed wrong": "closed_though_wrong",
    "equal closed": "equal_closed",
    "rows lost": "right_lost",
    "rows changed": "right_changed",
    "wrong fixed": "wrong_fixed",
    "wrong shown": "wrong_row_shown",
    "ood at prompt": "uncovered_beside_the_very_prompt",
    "questions": "questions",
    "refused": "rows_refused",
}
"""Title in the table, and the figure."""


def measure(seeds: Sequence[int], kinds: Sequence[str]) -> tuple[dict[str, Any], list[Failure]]:
    embedding = Embedding()
    runs: list[dict[str, dict[str, float]]] = []
    beside: list[dict[str, dict[str, float]]] = []
    failures: list[Failure] = []
    writings: Counter[str] = Counter()
    closed: Counter[str] = Counter()
    for seed in seeds:
        planted = planted_set(seed, [k for k in KINDS if not kinds or k.name in kinds])
        outcome = run(planted, embedding)
        scores = score(planted, outcome)
        runs.append({kind: s.figures for kind, s in scores.items()})
        beside.append(
            {
                "nearest rows": peers.nearest_rows(planted, outcome),
                "majority of equal prompts": peers.majority_of_equal_prompts(planted, outcome),
            }
        )
        failures += [f for s in scores.values() for f in s.failures]
        print(f"seed {seed}:", json.dumps(runs[-1]["all"]), flush=True)
        verdicts = {f.bad_case_id: verdict_of(f) for f in outcome.findings}
        for writing, (right, of) in equal_by_writing(planted.cases, verdicts).items():
            writings[writing] += of
            closed[writing] += right
    found = {
        "seeds": list(seeds),
        "kinds": mean_of(runs),
        "peers": mean_of(beside),
        "equal_closed_by_writing": {w: [closed[w], of] for w, of in writings.most_common()},
    }
    return found, failures


def mean_of(runs: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, float]]:
    return {
        name: {key: round(float(np.mean([run[name][key] for run in runs])), 4) for key in figures}
        for name, figures in runs[0].items()
    }


def table(found: Mapping[str, Any]) -> str:
    lines = [f"{'':<28}" + "".join(f"{t:>14}" for t in SHOWN)]
    for name, figures in (*found["kinds"].items(), *found["peers"].items()):
        cells = [f"{figures[k]:>14.3f}" if k in figures else f"{'':>14}" for k in SHOWN.values()]
        lines.append(f"{name:<28}" + "".join(cells))
    by = found["equal_closed_by_writing"]
    lines.append("equal ones closed: " + ", ".join(f"{w} {n} of {of}" for w, (n, of) in by.items()))
    return "\n".join(lines)


def failure_lists(failures: Sequence[Failure], most: int) -> str:
    """By figure and kind, ``most`` of each."""
    lines = []
    for what in dict.fromkeys(f.what for f in failures):
        lines.append(f"\n## {what}: {sum(f.what == what for f in failures)}")
        for kind in sorted({f.kind for f in failures if f.what == what}):
            of = [f for f in failures if f.what == what and f.kind == kind]
            lines.append(f"### {kind}: {len(of)}")
            lines += [f"- {f.id}: {f.detail}" for f in of[:most]]
    return "\n".join(lines)


def worse(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    """What the figures lost against the baseline, in words."""
    shares = {
        f"{kind}, {name}": ("kinds", kind, name)
        for kind in before["kinds"]
        for name in ("macro_f1", "equal_closed", "wrong_fixed")
    }
    grown = [
        f"{name} of {kind}: {now['kinds'][kind][name]} where the baseline has {before['kinds'][kind][name]}"
        for kind in before["kinds"]
        for name in ("closed_though_wrong", "right_lost", "right_changed", "rows_refused")
        if now["kinds"][kind][name] > before["kinds"][kind][name]
    ]
    return harness.fallen(now, before, shares, NOISE) + grown


def write_rows(planted: PlantedSet, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in (
        ("rows", [{"part": r.part, "kind": r.kind, "format": r.format, "row": r.body} for r in planted.rows]),
        (
            "cases",
            [{"cause": c.cause, "kind": c.kind, "differs": c.differs, "case": c.body} for c in planted.cases],
        ),
    ):
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        (folder / f"{name}-{planted.seed}.jsonl").write_text(text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--kind", action="append", default=[], help="only these kinds, in a set of their own")
    parser.add_argument("--failures", type=int, default=0, help="how many of each to print")
    parser.add_argument("--out", type=Path, help="where the figures and the failures go as text")
    parser.add_argument("--rows", type=Path, help="write the planted rows and cases there")
    parser.add_argument("--write", action="store_true", help="keep the figures as the baseline")
    given = parser.parse_args()
    if unknown := set(given.kind) - {k.name for k in KINDS}:
        parser.error(f"no kind {', '.join(sorted(unknown))}; there are {', '.join(k.name for k in KINDS)}")
    seeds = [int(s) for s in given.seeds.split(",")]
    if given.rows:
        for seed in seeds:
            write_rows(planted_set(seed), given.rows)
        return 0
    found, failures = measure(seeds, given.kind)
    print(table(found))
    if given.failures:
        print(failure_lists(failures, given.failures))
    if given.out:
        given.out.write_text(f"{table(found)}\n{failure_lists(failures, given.failures or 3)}\n")
    if given.write:
        print("baseline:", harness.write_baseline("real_kinds", found))
        return 0
    baseline = harness.BASELINES / "real_kinds.json"
    if given.kind or not baseline.exists():
        return 0
    lost = worse(found, json.loads(baseline.read_text()))
    print("\n".join(lost) or "as good as the baseline, or better")
    return 1 if lost else 0


if __name__ == "__main__":
    raise SystemExit(main())
