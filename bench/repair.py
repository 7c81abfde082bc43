"""Is the repair right, and is it fast? Each part beside its peers in the same run.

    python -m bench.repair --data FOLDER [--parts conflicts,held,...] [--seeds 3] [--rows 100000] [--write]

FOLDER holds the accuracy sets (triage_dev, conflict_dev, ...; JSON lines, gzip). Ground truth scores and nothing
else. Parts: conflicts (which rows are wrong, and the training set after its plan is applied by policy), held
(mislabelled rows of other sets), rows (noise and quality), text (normalisation and personal data), duplicates
(planted copies, labelled pairs, signatures, a whole job); and, asked for by name, growth (to a million rows) and api
(100,000 rows over HTTP). Without --write the figures are held against the committed baselines.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import (
    harness,
    planted_copies,
    repair_api,
    repair_conflicts,
    repair_duplicates,
    repair_mislabelled,
    repair_rows,
    repair_text,
)
from bench.diagnosis_data import Embedding

PARTS = ("conflicts", "held", "rows", "text", "duplicates", "growth", "api")
BY_DEFAULT = PARTS[:5]
NOISE = 0.03


def conflicts(data: Path, seeds: Sequence[int]) -> dict[str, Any]:
    embedding = Embedding()
    made = {
        "conflict_dev": repair_conflicts.score_conflict_rows(data, embedding),
        "triage_dev": repair_conflicts.score_triage(data, embedding, seeds),
    }
    print(repair_conflicts.table(made))
    return made


def held(data: Path, seeds: Sequence[int]) -> dict[str, Any]:
    made = repair_mislabelled.held_sets(data, seeds)
    print(repair_mislabelled.table(made))
    return made


def rows(data: Path, seeds: Sequence[int]) -> dict[str, Any]:
    made = {
        "injected": repair_rows.injected(data, seeds=seeds),
        "wrong_rows": repair_rows.wrong_rows(data),
        "mmlu_wrong": repair_rows.mmlu_wrong(data),
        "clean_sets": repair_rows.clean_sets(data),
        "speed": repair_rows.speed(),
    }
    print(repair_rows.table(made["injected"]["detectors"]))
    for name in ("wrong_rows", "mmlu_wrong", "clean_sets", "speed"):
        print(name, json.dumps(made[name]))
    return made


def texts(data: Path) -> dict[str, Any]:
    made = {
        "normalisation": repair_text.normalisation(data),
        "personal_data": repair_text.personal_data(data),
    }
    repair_text.show(made, Console(width=200))
    return made


def duplicates(data: Path, size: int) -> dict[str, Any]:
    return {
        "planted": planted_copies.planted(data),
        "planted_prompts": planted_copies.planted(data, answered=False),
        "labelled_pairs": planted_copies.labelled_pairs(data),
        "signatures": repair_duplicates.signatures(data),
        "job": repair_duplicates.job(data, size),
    }


def api(data: Path, size: int) -> dict[str, Any]:
    made = repair_api.repair_over_http(data, rows=size, cases=20)
    print(repair_api.table(made))
    return made


def worse(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    """What the part ``conflicts`` lost against its baseline, in words."""
    paths = {
        "wrong rows mended": ("triage_dev", "ours", "wrong_mended", "mean"),
        "conflict cases fixed": ("triage_dev", "ours", "conflict_fixed", "mean"),
        "good prompts kept": ("triage_dev", "ours", "good_kept", "mean"),
        "wrong rows of en_qqp_faq, F1": ("conflict_dev", "en_qqp_faq", "is_wrong", "f1"),
        "wrong rows of zh_lcqmc_faq, F1": ("conflict_dev", "zh_lcqmc_faq", "is_wrong", "f1"),
    }
    return harness.fallen(now, before, paths, NOISE)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--parts", default=",".join(BY_DEFAULT))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the parts duplicates and api")
    parser.add_argument("--write", action="store_true", help="keep the figures as the baselines")
    given = parser.parse_args()
    asked = given.parts.split(",")
    if unknown := sorted(set(asked) - set(PARTS)):
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    seeds = range(given.seeds)
    measure = {
        "conflicts": lambda: conflicts(given.data, seeds),
        "held": lambda: held(given.data, seeds),
        "rows": lambda: rows(given.data, seeds),
        "text": lambda: texts(given.data),
        "duplicates": lambda: duplicates(given.data, given.rows),
        "growth": lambda: repair_duplicates.growth(given.data),
        "api": lambda: api(given.data, given.rows),
    }
    lost: list[str] = []
    for part in asked:
        figures = measure[part]()
        baseline = harness.BASELINES / f"repair-{part}.json"
        if given.write:
            print("baseline:", harness.write_baseline(f"repair-{part}", figures))
        elif part == "conflicts" and baseline.exists():
            lost += worse(figures, json.loads(baseline.read_text()))
    print("\n".join(lost) or "as good as the baselines, or better")
    return 1 if lost else 0


if __name__ == "__main__":
    raise SystemExit(main())
