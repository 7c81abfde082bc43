"""Does the repair fix the model? The closed loop on real rows, beside the naive remedy.

    python -m bench.efficacy --data FOLDER [--seed 0] [--ceiling] [--write]

FOLDER holds train, pool and heldout (JSON lines, gzip; ``instruction``, ``input``, ``output``; ``slice`` in
pool and heldout says which defect is behind a row and is used for scoring only). One run:

1. fine-tune on the defective training set, ask the model every prompt of the pool; what it answers wrong
   are the bad cases;
2. run a cycle on them: diagnosis, repair, augmentation, mixture, training, verification, all over HTTP;
3. the naive remedy: append the same bad cases to the defective set and retrain.

Each adapter answers the held-out rows; the figure is exact match by slice.
"""

from __future__ import annotations

import argparse
import collections
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import harness
from bench.client import Client

TARGETS = {"missing": 0.88, "contradictory": 0.90, "untouched": 0.94}
MAX_NEW_TOKENS = 12


class Loop:
    """One service, driven over HTTP as a user would."""

    def __init__(self, client: Client, base_model: str, seed: int) -> None:
        self.client, self.base_model, self.seed = client, base_model, seed

    def load(self, name: str, rows: Sequence[Mapping[str, Any]]) -> str:
        dataset = self.client.post("/v1/datasets", {"name": name})
        started = self.client.upload(f"/v1/datasets/{dataset['id']}/versions", rows, format="alpaca")
        return self.client.wait(f"/v1/imports/{started['id']}")["dataset_version_id"]

    def train(self, version: str) -> str:
        body = {
            "dataset_version_id": version,
            "base_model": self.base_model,
            "hyperparameters": {"seed": self.seed},
        }
        job = self.client.post("/v1/training-jobs", body)
        return self.client.wait(f"/v1/training-jobs/{job['id']}")["adapter_id"]

    def answers(self, version: str, adapter: str) -> list[dict[str, Any]]:
        body = {
            "dataset_version_id": version,
            "base_model": self.base_model,
            "adapter_id": adapter,
            "options": {"max_new_tokens": MAX_NEW_TOKENS},
        }
        run = self.client.post("/v1/evaluations", body)
        self.client.wait(f"/v1/evaluations/{run['id']}")
        return list(self.client.pages(f"/v1/evaluations/{run['id']}/answers"))

    def submit(self, wrong: Sequence[Mapping[str, Any]], adapter: str) -> list[str]:
        items = [
            {
                "external_id": f"{adapter}-{a['source_id']}",
                "messages": a["prompt_messages"],
                "model_output": a["output"],
                "expected_output": a["expected_output"],
                "adapter_id": adapter,
            }
            for a in wrong
        ]
        return [x["id"] for x in self.client.post("/v1/bad-cases", {"items": items})["data"]]

    def cycle(self, version: str, case_ids: Sequence[str], policy: Mapping[str, Any]) -> dict[str, Any]:
        body = {
            "dataset_version_id": version,
            "bad_case_ids": list(case_ids),
            "base_model": self.base_model,
            "policy": {"seed": self.seed, **policy},
        }
        started = self.client.post("/v1/cycles", body)
        return self.client.wait(f"/v1/cycles/{started['id']}")


def exact_match(answers: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Share of answers equal to the expected one after trimming, by slice."""
    hits: dict[str, list[bool]] = collections.defaultdict(list)
    for answer in answers:
        same = answer["output"].strip() == answer["expected_output"].strip()
        hits[answer["metadata"]["slice"]].append(same)
    return {name: round(sum(h) / len(h), 4) for name, h in sorted(hits.items())}


def without_slice(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k != "slice"} for row in rows]


def run(data: Path, *, base_model: str, seed: int, ceiling: bool) -> dict[str, Any]:
    train, pool, heldout = (
        harness.read_rows(data / f"{name}.jsonl.gz") for name in ("train", "pool", "heldout")
    )
    seconds: dict[str, float] = {}
    figures: dict[str, Any] = {}
    with harness.service() as client:
        loop = Loop(client, base_model, seed)

        def timed(name: str, work: Any) -> Any:
            started = time.monotonic()
            result = work()
            seconds[name] = round(time.monotonic() - started, 1)
            print(f"{name}: {seconds[name]} s", flush=True)
            return result

        version = loop.load("train", train)
        heldout_version = loop.load("heldout", heldout)
        before = timed("train defective", lambda: loop.train(version))
        asked = timed("ask the pool", lambda: loop.answers(loop.load("pool", pool), before))
        wrong = [a for a in asked if not a["correct"]]
        right = [a for a in asked if a["correct"]]
        slices = collections.Counter(a["metadata"]["slice"] for a in wrong)
        print(f"bad cases, really generated and wrong: {dict(slices)}", flush=True)
        figures["defective"] = timed(
            "score defective", lambda: exact_match(loop.answers(heldout_version, before))
        )
        print(figures["defective"], flush=True)

        ids = loop.submit(wrong, before)
        right_ids = {a["source_id"] for a in right}
        retention = loop.load("retention", without_slice([r for r in pool if r["id"] in right_ids]))
        policy = {
            "before_adapter_id": before,
            "retention_dataset_version_id": retention,
            "max_attempts": 1,
            "hold_back": 0.1,
            "verification": {"max_new_tokens": MAX_NEW_TOKENS},
        }
        cycle = timed("cycle", lambda: loop.cycle(version, ids, policy))
        figures["casemend"] = timed(
            "score casemend", lambda: exact_match(loop.answers(heldout_version, cycle["adapter_id"]))
        )
        print(figures["casemend"], flush=True)

        wrong_ids = {a["source_id"] for a in wrong}
        naive_rows = [*train, *without_slice([r for r in pool if r["id"] in wrong_ids])]
        naive = timed("train naive", lambda: loop.train(loop.load("naive", naive_rows)))
        figures["naive"] = timed("score naive", lambda: exact_match(loop.answers(heldout_version, naive)))
        if ceiling:
            clean = loop.load("clean", harness.read_rows(data / "train_clean.jsonl.gz"))
            best = timed("train ceiling", lambda: loop.train(clean))
            figures["ceiling"] = exact_match(loop.answers(heldout_version, best))
        planted = {f"{a['source_id']}": a["metadata"]["slice"] for a in wrong}
        diagnosis_id = next(s["result_id"] for s in cycle["stages"] if s["name"] == "diagnose")
        diagnosed = collections.Counter(
            f"{planted[f['external_id'].split('-', 1)[1]]} -> {f['category']}"
            for f in client.pages(f"/v1/diagnoses/{diagnosis_id}/findings")
        )
        repair_id = next(s["result_id"] for s in cycle["stages"] if s["name"] == "repair")
        actions = collections.Counter(
            f"{a['kind']} {a['decision']}" for a in client.pages(f"/v1/repairs/{repair_id}/actions")
        )
    return {
        "base_model": base_model,
        "seed": seed,
        "exact_match": figures,
        "bad_cases": dict(slices),
        "diagnosed": dict(sorted(diagnosed.items())),
        "repair_actions": dict(actions),
        "cycle_verdict": {k: v for k, v in cycle["verdict"].items() if k != "verification_id"},
        "seconds": seconds,
    }


def table(figures: Mapping[str, Mapping[str, float]]) -> str:
    names = list(TARGETS)
    lines = [f"{'trained on':<12}" + "".join(f"{n:>15}" for n in names)]
    for label, row in figures.items():
        lines.append(f"{label:<12}" + "".join(f"{row.get(n, float('nan')):>15.3f}" for n in names))
    lines.append(f"{'target':<12}" + "".join(f"{TARGETS[n]:>15.2f}" for n in names))
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--base-model", default="smollm2-135m-instruct")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ceiling", action="store_true", help="also train on the clean set")
    parser.add_argument("--write", action="store_true", help="keep the figures as the baseline")
    given = parser.parse_args()
    result = run(given.data, base_model=given.base_model, seed=given.seed, ceiling=given.ceiling)
    print(table(result["exact_match"]))
    print("diagnosed:", result["diagnosed"])
    print("repair:", result["repair_actions"])
    print("verdict:", result["cycle_verdict"])
    if given.write:
        print("baseline:", harness.write_baseline(f"efficacy-seed{given.seed}", result))
    reached = all(result["exact_match"]["casemend"].get(n, 0.0) >= t for n, t in TARGETS.items())
    print("targets reached" if reached else "TARGETS MISSED")
    return 0 if reached else 1


if __name__ == "__main__":
    raise SystemExit(main())
