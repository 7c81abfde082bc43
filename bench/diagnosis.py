"""Is the diagnosis right, and is it fast? Accuracy and speed, each beside its peers in the same run.

    python -m bench.diagnosis --data FOLDER [--parts accuracy,speed,...] [--seeds 3] [--write]

FOLDER holds accuracy sets (triage_dev, ood_dev, conflict_dev, neardup_dev; JSON lines, gzip), all or some of them;
sets that are not the baseline's own are measured and held against nothing. Ground truth scores and nothing else.
Parts: accuracy, speed; and, asked for by name, ablation, growth and api. Without --write the figures are held
against the committed baselines: accuracy may not fall by more than the noise of the seeds, ratios of speed not to
less than two thirds.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import diagnosis_accuracy, diagnosis_pairs, diagnosis_speed, harness
from bench.api_latency import api_latency_during_diagnosis
from bench.diagnosis_ablation import ablation
from bench.diagnosis_data import Embedding, ood_sets, triage_set

PARTS = ("accuracy", "speed", "ablation", "growth", "api")
NOISE = 0.02
SLOWER = 2 / 3


def accuracy(data: Path, seeds: Sequence[int]) -> dict[str, Any]:
    embedding = Embedding()
    measures: dict[str, Callable[[], dict[str, Any]]] = {
        "triage_dev": lambda: diagnosis_accuracy.score_triage(triage_set(data), embedding, seeds),
        "ood_dev": lambda: diagnosis_accuracy.score_ood(ood_sets(data), embedding, seeds),
        "conflict_dev": lambda: diagnosis_pairs.score_conflict(data, embedding.by_name, seeds),
        "neardup_dev": lambda: diagnosis_pairs.score_neardup(data, embedding.by_name, seeds),
    }
    made = {name: measure() for name, measure in measures.items() if list(data.glob(f"{name}*.jsonl.gz"))}
    print(accuracy_table(made))
    return made


def accuracy_table(of: Mapping[str, Any]) -> str:
    lines = [
        *(_triage_lines(of["triage_dev"]) if "triage_dev" in of else ()),
        *(_ood_lines(of["ood_dev"]) if "ood_dev" in of else ()),
        *(diagnosis_pairs.conflict_lines(of["conflict_dev"]) if "conflict_dev" in of else ()),
        *(diagnosis_pairs.neardup_lines(of["neardup_dev"]) if "neardup_dev" in of else ()),
    ]
    return "\n".join(lines)


def _triage_lines(triage: Mapping[str, Any]) -> list[str]:
    ours = triage["ours"]
    recalls = [k for k in ours["mean"] if k.startswith("recall_")]
    lines = [f"{'triage_dev':<28}{'macro-F1':>9}{'±':>7}" + "".join(f"{r[7:]:>10}" for r in recalls)]
    lines.append(
        f"{'ours':<28}{ours['mean']['macro_f1']:>9.3f}{ours['spread']['macro_f1']:>7.3f}"
        + "".join(f"{ours['mean'][r]:>10.3f}" for r in recalls)
    )
    lines += [
        f"{name:<28}{f['macro_f1']:>9.3f}{'':>7}" + "".join(f"{f[r]:>10.3f}" for r in recalls)
        for name, f in triage["peers"].items()
    ]
    lines.append(
        f"calibration error {ours['mean']['calibration_error']:.3f}, "
        f"evidence precision {ours['mean'].get('evidence_precision', float('nan')):.3f}; by family "
        + ", ".join(f"{name} {f1:.3f}" for name, f1 in ours["families"].items())
    )
    return lines


def _ood_lines(ood: Mapping[str, Any]) -> list[str]:
    lines = [f"{'ood_dev, AUROC (FPR95)':<28}" + "".join(f"{n[:22]:>24}" for n in (*ood["subsets"], "mean"))]
    names = ["ours", *ood["mean"]["peers"]]
    for name in names:
        cells = [_of(s, name) for s in (*ood["subsets"].values(), ood["mean"])]
        lines.append(f"{name:<28}" + "".join(f"{c['auroc']:>16.3f} ({c['fpr95']:.3f})" for c in cells))
    return lines


def _of(subset: Mapping[str, Any], name: str) -> Mapping[str, float]:
    if name != "ours":
        return subset["peers"][name]
    return subset["ours"].get("mean", subset["ours"])


def speed(data: Path, threads: int) -> dict[str, Any]:
    made = diagnosis_speed.against_peer(data, threads=threads)
    diagnosis_speed.print_against_peer(made)
    return made


def ablation_table(of: Mapping[str, Mapping[str, float]]) -> str:
    lines = [f"{'triage_dev':<62}{'macro-F1':>9}{'calibration error':>19}"]
    lines += [f"{n:<62}{f['macro_f1']:>9.3f}{f['calibration_error']:>19.3f}" for n, f in of.items()]
    return "\n".join(lines)


def differences(now: Mapping[str, Any], before: Mapping[str, Any], part: str) -> list[str]:
    """What got worse than the baseline says, in words."""
    if part == "speed":
        return [
            f"{key}: {now[key]} where the baseline has {before[key]}"
            for key in ("first_ratio", "second_ratio")
            if now[key] < SLOWER * before[key]
        ]
    figures = {
        "triage_dev macro-F1": ("triage_dev", "ours", "mean", "macro_f1"),
        "ood_dev AUROC": ("ood_dev", "mean", "ours", "auroc"),
        "ood_dev banking AUROC": ("ood_dev", "subsets", "en_banking_near", "ours", "mean", "auroc"),
        **{
            f"conflict_dev {name} F1": ("conflict_dev", "subsets", name, "ours", "f1", "mean")
            for name, of in before["conflict_dev"]["subsets"].items()
            if "f1" in of["ours"]
        },
        **{
            f"neardup_dev {name} F1": ("neardup_dev", name, "ours", "f1", "mean")
            for name in before["neardup_dev"]
        },
    }
    same = [name for name in now if name in before and _sets_in(now[name]) == _sets_in(before[name])]
    return harness.fallen(now, before, {n: p for n, p in figures.items() if p[0] in same}, NOISE)


def _sets_in(measured: Mapping[str, Any]) -> set[str]:
    return set(measured.get("subsets", measured))


def measured_before(log: Path | None) -> dict[int, dict[str, Any]]:
    """Runs of the part growth by rows, from what it printed; other lines are left alone."""
    lines = log.read_text().splitlines() if log else []
    runs = [json.loads(line) for line in lines if line.startswith('{"rows"')]
    return {run["rows"]: run for run in runs}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--parts", default="accuracy,speed", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sizes", default="10000,30000,100000", help="numbers of rows for the part growth")
    parser.add_argument(
        "--measured",
        type=Path,
        help="what the part growth printed before: these sizes are not measured again",
    )
    parser.add_argument("--write", action="store_true", help="keep the figures as the baselines")
    given = parser.parse_args()
    asked = given.parts.split(",")
    if unknown := sorted(set(asked) - set(PARTS)):
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    seeds = range(given.seeds)
    found: dict[str, dict[str, Any]] = {}
    if "accuracy" in asked:
        found["accuracy"] = accuracy(given.data, seeds)
    if "ablation" in asked:
        found["ablation"] = ablation(triage_set(given.data), Embedding(), seeds)
        print(ablation_table(found["ablation"]))
    if "speed" in asked:
        found["speed"] = speed(given.data, given.threads)
    if "growth" in asked:
        sizes = [int(n) for n in given.sizes.split(",")]
        found["growth"] = diagnosis_speed.growth(
            given.data, threads=given.threads, sizes=sizes, measured=measured_before(given.measured)
        )
        diagnosis_speed.print_growth(found["growth"])
    if "api" in asked:
        found["api"] = api_latency_during_diagnosis(given.data)
        print(found["api"])
    worse: list[str] = []
    for part, figures in found.items():
        baseline = harness.BASELINES / f"diagnosis-{part}.json"
        if given.write:
            print("baseline:", harness.write_baseline(f"diagnosis-{part}", {"seeds": given.seeds, **figures}))
        elif part in ("accuracy", "speed") and baseline.exists():
            worse += differences(figures, json.loads(baseline.read_text()), part)
    print("\n".join(worse) or "as good as the baselines, or better")
    return 1 if worse else 0


if __name__ == "__main__":
    raise SystemExit(main())
