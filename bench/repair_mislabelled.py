"""Mislabelled rows of other sets: what a plan finds where nobody looked while its constants were chosen.

Real utterances with the labels of their makers, of which a twentieth gets another label: half of them that of the
nearest row that says something else (what annotators confuse), half any label. No bad cases; the default policy
decides. Beside it, on the same vectors: cleanlab Datalab, cleanlab over a linear model, and a vote of the near rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int64
from numpy import ndarray

from app.domain.answers import agreement
from app.domain.records import TrainingExample
from app.domain.repair.plan import PlanInputs, RepairPolicy, plan_repair
from app.domain.repair.policy.decision import Decision
from bench.diagnosis_data import Embedding, ood_sets
from bench.diagnosis_pairs import confident_learning, datalab, scored
from bench.repair_conflicts import blame, repaired

SETS = ("en_clinc_oos", "en_banking_near", "zh_smp_domain_holdout")
WRONG_SHARE = 0.05
MOST_ROWS = 6_000
VOTERS = 10


def held_sets(data: Path, seeds: Sequence[int]) -> dict[str, Any]:
    """Figures of every set, means over ``seeds``. What the makers themselves mislabelled counts as right."""
    embedding, made = Embedding(), {}
    for of in ood_sets(data):
        if of.name in SETS:
            runs = [_run(of.examples, embedding, seed) for seed in seeds]
            made[of.name] = {
                name: {k: round(float(np.mean([r[name][k] for r in runs])), 4) for k in figures}
                for name, figures in runs[0].items()
            }
    return made


def _run(examples: Sequence[TrainingExample], embedding: Embedding, seed: int) -> dict[str, dict[str, float]]:
    rng = np.random.default_rng(seed)
    few = np.sort(rng.permutation(len(examples))[:MOST_ROWS])
    # a changed row has an id of its own: what it came as tells which it was
    right = [replace(examples[i], source_id=examples[i].id) for i in few.tolist()]
    vectors = embedding.vectors(right, []).example_inputs[:]
    rows, wrong = mislabelled(right, vectors, rng)
    taught = embedding.vectors(rows, [])
    plan = plan_repair(
        rows,
        PlanInputs(
            input_vectors=taught.example_inputs[:],
            output_vectors=taught.example_outputs[:],
            rng=np.random.default_rng(seed),
        ),
        RepairPolicy(),
    )
    blamed = {i for a in plan.actions for i, _ in blame(a)}
    sure = {i for a in plan.actions if a.decision is Decision.APPROVED for i, _ in blame(a)}
    now = {row.id: row.output for row in repaired(rows, plan)}
    mended = np.array([now.get(r.id) != r.output for r in rows])
    gold = np.array([now.get(r.id) == w.output for r, w in zip(rows, right, strict=True)])
    _, coded = np.unique([r.output for r in rows], return_inverse=True)
    return {
        "ours": scored(wrong, np.array([r.id in blamed for r in rows])),
        "ours, approved by the policy": scored(wrong, np.array([r.id in sure for r in rows])),
        "after the plan": {
            "wrong_mended": float(mended[wrong].mean()),
            "wrong_to_gold": float(gold[wrong].mean()),
            "right_lost": float(mended[~wrong].mean()),
        },
        "cleanlab_datalab": scored(wrong, datalab(vectors, coded)),
        "cleanlab_linear": scored(wrong, confident_learning(vectors, coded)),
        "near_rows": scored(wrong, _outvoted(vectors, coded)),
    }


def mislabelled(
    rows: Sequence[TrainingExample], vectors: Float32[ndarray, "n d"], rng: np.random.Generator
) -> tuple[list[TrainingExample], Bool[ndarray, " n"]]:
    """The rows with some labels exchanged, and which (n,)."""
    _, labels = np.unique([r.output for r in rows], return_inverse=True)
    chosen = rng.choice(len(rows), int(WRONG_SHARE * len(rows)), replace=False)
    found = agreement.nearest(vectors[chosen], vectors, 64)
    said = labels[np.maximum(found.indices, 0)]
    other = found.present & (said != labels[chosen][:, None])
    confused = other.any(axis=1) & (np.arange(len(chosen)) % 2 == 0)
    donor = found.indices[np.arange(len(chosen)), other.argmax(axis=1)]
    made, wrong = list(rows), np.zeros(len(rows), dtype=bool)
    for at, row in enumerate(chosen.tolist()):
        takes = int(donor[at]) if confused[at] else int(rng.choice(np.flatnonzero(labels != labels[row])))
        answer = replace(rows[row].messages[-1], content=rows[takes].output)
        made[row] = replace(rows[row], messages=(*rows[row].messages[:-1], answer))
        wrong[row] = True
    return made, wrong


def _outvoted(vectors: Float32[ndarray, "n d"], labels: Int64[ndarray, " n"]) -> Bool[ndarray, " n"]:
    """Most of the ten nearest rows agree on another label."""
    found = agreement.nearest(vectors, vectors, VOTERS + 1)
    near = np.where(found.present & (found.indices != np.arange(len(vectors))[:, None]), found.indices, -1)
    votes = np.where(near >= 0, labels[np.maximum(near, 0)], -1)
    counts = (votes[:, :, None] == votes[:, None, :]).sum(axis=2) * (votes >= 0)
    best = counts.argmax(axis=1)
    each = np.arange(len(votes))
    return (votes[each, best] != labels) & (2 * counts[each, best] > VOTERS)


def table(figures: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """The sets as text."""
    lines = [f"{'mislabelled rows':<24}{'':<30}{'F1':>8}{'precision':>11}{'recall':>8}"]
    for of, by_name in figures.items():
        for name, f in by_name.items():
            if "f1" in f:
                lines.append(f"{of:<24}{name:<30}{f['f1']:>8.3f}{f['precision']:>11.3f}{f['recall']:>8.3f}")
            else:
                lines.append(f"{of:<24}{name:<30}" + ", ".join(f"{k} {v:.3f}" for k, v in f.items()))
    return "\n".join(lines)
