"""How well contradicting rows and same meanings are found, beside kNN, cleanlab Datalab and a linear model.

Ground truth scores and nothing else: every decision is the engine's default one. ``vectors_for`` embeds texts:
a mapping of embedder names to unit rows. Figures are means over seeds with their spread.
"""

from __future__ import annotations

import contextlib
import io
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from numpy import ndarray

from app.domain.answers import agreement
from app.domain.language import label_names
from app.domain.repair.contradictions import detect, label_synonyms, paraphrase
from app.domain.repair.contradictions.paraphrase import PairViews
from bench.harness import read_rows

VectorsFor = Callable[[Sequence[str]], Mapping[str, Float32[ndarray, "n _"]]]
SEEDS = (0, 1, 2)
UNHARMED = ("hardneg", "same_answer", "both_fine")
"""Notes of rows that look like contradictions and are none."""


def score_conflict(data_dir: Path, vectors_for: VectorsFor, seeds: Sequence[int] = SEEDS) -> dict[str, Any]:
    """Per subset F1, precision and recall on ``in_conflict``, F1 on ``is_wrong``, unharmed rows flagged,
    label pairs; each for us and, where outputs repeat, for the peers on the same vectors."""
    truth = {row["id"]: row for row in read_rows(data_dir / "conflict_dev_truth.jsonl.gz")}
    subsets: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in read_rows(data_dir / "conflict_dev.jsonl.gz"):
        subsets[row["subset"]].append(row | truth[row["id"]])
    figures = {name: _score_subset(rows, vectors_for, seeds) for name, rows in sorted(subsets.items())}
    flagged = [f["unharmed_flagged"] for f in figures.values()]
    rows = sum(count for _, count in flagged)
    return {
        "subsets": figures,
        "unharmed_flagged": {
            "share": round(sum(share * count for share, count in flagged) / max(rows, 1), 4),
            "rows": rows,
        },
    }


def _score_subset(
    rows: Sequence[Mapping[str, Any]], vectors_for: VectorsFor, seeds: Sequence[int]
) -> dict[str, Any]:
    prompts, outputs = [str(r["input"]) for r in rows], [str(r["output"]) for r in rows]
    views = paraphrase.look(prompts, vectors_for(prompts))
    names = detect.labels_of(outputs)
    spoken = [label_names.spoken(n) or n for n in names]
    labels = label_synonyms.Labels(
        names=names,
        vectors=paraphrase.side_by_side(vectors_for(spoken)) if len(names) < len(rows) / 2 else None,
    )
    runs: list[dict[str, float]] = []
    for seed in seeds:
        found = detect.find(views, prompts, outputs, labels, np.random.default_rng(seed))
        run = _against_truth(rows, found.contradicted >= 0.5)
        run |= {f"wrong_{k}": v for k, v in _measured(rows, "is_wrong", found.is_wrong >= 0.5).items()}
        runs.append(run | _label_pairs(rows, found.groups))
    notes = [r["note"].partition(";")[0] in UNHARMED for r in rows]
    ours = {
        key: {"mean": round(float(np.mean(of)), 4), "spread": round(float(np.std(of)), 4)}
        for key, of in ((k, [run[k] for run in runs]) for k in runs[0])
    }
    share = ours["unharmed"]["mean"] if "unharmed" in ours else 0.0
    return {
        "rows": len(rows),
        "ours": ours,
        "peers": {k: _against_truth(rows, v) for k, v in _peers(views, outputs).items()},
        "unharmed_flagged": (share, sum(notes)),
    }


def _against_truth(rows: Sequence[Mapping[str, Any]], flagged: Bool[ndarray, " n"]) -> dict[str, float]:
    made = _measured(rows, "in_conflict", flagged)
    for note in UNHARMED:
        held = np.array([r["note"].partition(";")[0] == note for r in rows], dtype=bool)
        if held.any():
            made[note] = round(float(flagged[held].mean()), 4)
    unharmed = np.array([r["note"].partition(";")[0] in UNHARMED for r in rows], dtype=bool)
    return made | ({"unharmed": float(flagged[unharmed].mean())} if unharmed.any() else {})


def _measured(
    rows: Sequence[Mapping[str, Any]], field: str, flagged: Bool[ndarray, " n"]
) -> dict[str, float]:
    """F1, precision and recall over the rows whose truth is known; nothing where none is in question."""
    known = np.array([r[field] is not None for r in rows], dtype=bool)
    true = np.array([r[field] == 1 for r in rows], dtype=bool)[known]
    return scored(true, flagged[known]) if true.any() else {}


def scored(true: Bool[ndarray, " n"], said: Bool[ndarray, " n"]) -> dict[str, float]:
    """F1, precision and recall, 0..1."""
    hits = float((true & said).sum())
    precision, recall = hits / max(said.sum(), 1), hits / max(true.sum(), 1)
    return {
        "f1": round(2 * precision * recall / max(precision + recall, 1e-9), 4),
        "precision": round(precision, 4),
        "recall": round(recall, 4),
    }


def _label_pairs(
    rows: Sequence[Mapping[str, Any]], groups: Sequence[label_synonyms.LabelGroup]
) -> dict[str, float]:
    """F1 on pairs of labels to unify, where the truth names any that are no opaque ids."""
    merged: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row["in_conflict"] == 1 and not row["injected"]:
            merged[str(row["group"])].add(row["output"])
    true = {frozenset((a, b)) for of in merged.values() for a in of for b in of if a < b}
    if not true or max(map(len, merged.values())) < 2 or not groups:
        return {}
    said = {frozenset((a, b)) for g in groups for a in g.labels for b in g.labels if a < b}
    return {"label_pairs_f1": round(2 * len(true & said) / max(len(true) + len(said), 1), 4)}


def _peers(views: PairViews, outputs: Sequence[str]) -> dict[str, Bool[ndarray, " n"]]:
    """What others flag on the same vectors, each with its own default decision."""
    coded = detect.codes(outputs)
    nearest = views.neighbors.indices[:, 0]
    made = {
        # What F1 is worth in a set: a peer that reaches no more has told nothing apart.
        "every_row": np.ones(len(outputs), dtype=bool),
        "knn": (nearest >= 0) & (coded[nearest] != coded),
    }
    # Peers of a classifier's kind need classes that more than one row has.
    if np.bincount(coded).max(initial=0) < 2 or (np.bincount(coded)[coded] >= 2).mean() < 0.5:
        return made
    return made | {
        "cleanlab_datalab": datalab(views.vectors, coded),
        "linear_model": confident_learning(views.vectors, coded),
    }


def datalab(vectors: Float32[ndarray, "n d"], coded: Int64[ndarray, " n"]) -> Bool[ndarray, " n"]:
    from cleanlab import Datalab  # pyright: ignore[reportMissingImports] - the extra "bench"

    with contextlib.redirect_stdout(io.StringIO()):
        lab = Datalab(data={"label": coded.tolist()}, label_name="label", verbosity=0)
        lab.find_issues(features=vectors, issue_types={"label": {}})
    return lab.get_issues("label")["is_label_issue"].to_numpy(dtype=bool)


def confident_learning(vectors: Float32[ndarray, "n d"], coded: Int64[ndarray, " n"]) -> Bool[ndarray, " n"]:
    """cleanlab's filter on out-of-fold probabilities of a linear model."""
    from cleanlab.filter import find_label_issues  # pyright: ignore[reportMissingImports]

    with contextlib.redirect_stdout(io.StringIO()):
        return np.asarray(find_label_issues(coded, _out_of_fold(vectors, coded)), dtype=bool)


def _out_of_fold(vectors: Float32[ndarray, "n d"], coded: Int64[ndarray, " n"]) -> Float64[ndarray, "n c"]:
    inputs = np.hstack([vectors, np.ones((len(vectors), 1), dtype=np.float32)]).astype(np.float64)
    wanted = np.eye(int(coded.max()) + 1, dtype=np.float32)[coded]
    fold = np.random.default_rng(0).integers(0, 5, len(coded))
    scores = np.zeros(wanted.shape)
    for held in range(5):
        seen = fold != held
        gram = inputs[seen].T @ inputs[seen] + np.eye(inputs.shape[1])
        scores[~seen] = inputs[~seen] @ np.linalg.solve(gram, inputs[seen].T @ wanted[seen])
    chance = np.exp(8.0 * (scores - scores.max(axis=1, keepdims=True)))
    return chance / chance.sum(axis=1, keepdims=True)


def score_neardup(data_dir: Path, vectors_for: VectorsFor, seeds: Sequence[int] = SEEDS) -> dict[str, Any]:
    """Per subset F1 of the default decision, and AUROC; beside it one cut for all cosines (halfway between
    unrelated and equal texts) and the best F1 that any cut on the cosine can reach, chosen on the truth."""
    from sklearn.metrics import roc_auc_score

    subsets: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in read_rows(data_dir / "neardup_dev.jsonl.gz"):
        subsets[row["subset"]].append(row)
    figures: dict[str, Any] = {}
    for name, rows in sorted(subsets.items()):
        texts = [str(r["a"]) for r in rows] + [str(r["b"]) for r in rows]
        left, right = np.arange(len(rows)), np.arange(len(rows)) + len(rows)
        true = np.array([r["label"] == 1 for r in rows], dtype=bool)
        views = paraphrase.look(texts, vectors_for(texts))
        chances = [
            paraphrase.without_outputs(views, left, right, np.random.default_rng(seed)) for seed in seeds
        ]
        f1 = [scored(true, chance >= 0.5)["f1"] for chance in chances]
        cosine = paraphrase.cosines(views.vectors, left, right)
        cut = agreement.meaning_cut(views.vectors, np.random.default_rng(seeds[0]))
        figures[name] = {
            "pairs": len(rows),
            "ours": {
                "f1": {"mean": round(float(np.mean(f1)), 4), "spread": round(float(np.std(f1)), 4)},
                "auroc": round(float(roc_auc_score(true, chances[0])), 4),
            },
            "peers": {
                "cosine_fixed_cut": scored(true, cosine >= cut)["f1"],
                "cosine_best_cut": max(
                    scored(true, cosine >= c)["f1"] for c in np.quantile(cosine, np.linspace(0, 1, 201))
                ),
                "cosine_auroc": round(float(roc_auc_score(true, cosine)), 4),
            },
        }
    return figures


def conflict_lines(conflict: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{'conflict_dev':<22}{'F1':>7}{'±':>6}{'all':>7}{'knn':>7}{'datalab':>9}{'linear':>8}   unharmed flagged"
    ]
    for name, of in conflict["subsets"].items():
        ours, peers = of["ours"], of["peers"]
        if "f1" not in ours:
            continue
        lines.append(
            f"{name:<22}{ours['f1']['mean']:>7.3f}{ours['f1']['spread']:>6.3f}"
            f"{peers['every_row']['f1']:>7.3f}{peers['knn']['f1']:>7.3f}"
            f"{peers.get('cleanlab_datalab', {}).get('f1', float('nan')):>9.3f}"
            f"{peers.get('linear_model', {}).get('f1', float('nan')):>8.3f}   "
            + ", ".join(f"{n} {ours[n]['mean']:.3f}" for n in UNHARMED if n in ours)
        )
    return lines


def neardup_lines(neardup: Mapping[str, Any]) -> list[str]:
    lines = [f"{'neardup_dev':<22}{'F1':>7}{'AUROC':>8}{'fixed cut':>11}{'best cut':>10}"]
    for name, of in neardup.items():
        lines.append(
            f"{name:<22}{of['ours']['f1']['mean']:>7.3f}{of['ours']['auroc']:>8.3f}"
            f"{of['peers']['cosine_fixed_cut']:>11.3f}{of['peers']['cosine_best_cut']:>10.3f}"
        )
    return lines
