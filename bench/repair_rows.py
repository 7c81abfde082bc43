"""Noisy rows and quality scores on real rows with known defects, beside cleanlab's Datalab and chance.

``injected`` plants every defect into real right rows and tells each detector's precision and recall;
``wrong_rows`` ranks the rows that people or their makers know to be wrong. Figures are JSON-ready.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Float64
from numpy import ndarray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from app.domain.language import text
from app.domain.records import Message, Role, TrainingExample
from app.domain.repair.draft.draft import Draft
from app.domain.repair.policy.repair_policy import CONFIDENT_SCORE, RepairPolicy
from app.domain.repair.row_quality.defects import DETECTORS, JudgedRows, NoisyRow
from app.domain.repair.row_quality.defects.finding import PROPOSED_FROM
from app.domain.repair.row_quality.defects_step import combined
from app.domain.repair.row_quality.scores import QualityPolicy, score_rows
from bench.diagnosis_data import Embedding, ood_sets
from bench.diagnosis_speed import examples_of
from bench.harness import read_rows

DEFECTS = ("empty", "truncated", "refusal", "copied_prompt", "wrong_language", "broken_markup", "swapped")
REFUSALS = {
    False: (
        "I'm sorry, but I can't help with that request.",
        "As an AI language model, I am unable to answer this.",
    ),
    True: ("抱歉，我无法回答这个问题。", "作为一个人工智能语言模型，我不能提供相关帮助。"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """``wrong`` (n,): the row is known to be bad; ``kinds`` (n) which defect was planted, '' = none."""

    examples: list[TrainingExample]
    wrong: Bool[ndarray, " n"]
    kinds: list[str]


def triage_rows(data: Path) -> Rows:
    rows = read_rows(data / "triage_dev_train.jsonl.gz")
    truth = {t["id"]: t for t in read_rows(data / "triage_dev_train_truth.jsonl.gz")}
    wrong = np.array([bool(truth[r["id"]]["wrong"]) for r in rows])
    return Rows(examples=examples_of(rows), wrong=wrong, kinds=[""] * len(rows))


def reading_of(examples: Sequence[TrainingExample], embedding: Embedding) -> JudgedRows:
    draft = Draft.of(examples, RepairPolicy())
    return JudgedRows.of(
        draft.examples,
        draft.prompts,
        draft.tasks,
        draft.instructions,
        embedding.rows(draft.prompts),
        embedding.rows([e.output for e in examples]),
    )


def with_defects(clean: Rows, seed: int, share: float = 0.05) -> Rows:
    """Plant the defects of ``DEFECTS`` into ``share`` of the right rows, the same number of each kind."""
    rng = np.random.default_rng(seed)
    right = np.flatnonzero(~clean.wrong)
    chosen = rng.permutation(right)[: round(share * len(right))]
    examples, kinds = list(clean.examples), [""] * len(clean.examples)
    tasks: dict[str, list[int]] = {}
    for row in right.tolist():
        tasks.setdefault(examples[row].instruction or "", []).append(row)
    for number, row in enumerate(chosen.tolist()):
        kind = DEFECTS[number % len(DEFECTS)]
        output = _broken(kind, clean.examples, row, tasks[clean.examples[row].instruction or ""], rng)
        if output is not None and output != clean.examples[row].output:
            answer = replace(examples[row].messages[-1], content=output)
            examples[row] = replace(examples[row], messages=(*examples[row].messages[:-1], answer))
            kinds[row] = kind
    return Rows(examples=examples, wrong=np.array([bool(k) for k in kinds]), kinds=kinds)


def _broken(
    kind: str, examples: Sequence[TrainingExample], row: int, task: Sequence[int], rng: np.random.Generator
) -> str | None:
    """The row's output with a defect; None where it cannot have it."""
    output = examples[row].output
    match kind:
        case "empty":
            return ("", " ", "\n", "\u200b")[int(rng.integers(4))]
        case "truncated":
            # A letter or a short label has no middle to be cut in.
            return output[: int(len(output) * rng.uniform(0.3, 0.85))].rstrip() if len(output) >= 12 else None
        case "refusal":
            return str(rng.choice(REFUSALS[text.is_chinese(examples[row].prompt)]))
        case "copied_prompt":
            return examples[row].prompt
        case "wrong_language":
            # A real answer of a row in the other language, a sentence at least.
            chinese = text.is_chinese(examples[row].prompt)
            for other in rng.permutation(len(examples))[:400].tolist():
                said = examples[other].prompt
                if text.is_chinese(said) is not chinese and len(text.tokens(said)) > 8:
                    return said[:300]
            return None
        case "broken_markup":
            return (
                '```json\n{"answer": "' + output,
                "<answer>" + output + "</reply>",
                '{"answer": "' + output,
            )[int(rng.integers(3))]
        case _:
            return examples[int(rng.choice(task))].output


def proposed(rows: JudgedRows) -> dict[str, Float64[ndarray, " n"]]:
    """Each detector's score of every row, 0 = silent, and what the step makes of all of them."""
    made = {name: np.zeros(len(rows)) for name, _ in DETECTORS}
    found: dict[int, list[NoisyRow]] = {}
    for name, detect in DETECTORS:
        for noisy in detect(rows):
            made[name][noisy.row] = noisy.score
            found.setdefault(noisy.row, []).append(noisy)
    made["all together"] = np.zeros(len(rows))
    for row, signs in found.items():
        made["all together"][row] = combined(signs)
    return made


def datalab(rows: JudgedRows) -> dict[str, tuple[Float64[ndarray, " n"], Bool[ndarray, " n"]]]:
    """cleanlab's Datalab on the same vectors: 1 - its score of every row, and whether it names the row.

    ``label``: task by task over the outputs that stand on three rows and more, with out-of-sample probabilities
    of a logistic regression in three folds, as its documentation shows; other rows score 0. ``outlier``: on
    input and output vectors side by side. Defaults otherwise.
    """
    from cleanlab import Datalab  # pyright: ignore[reportMissingImports] - the extra "bench"

    scores, named = np.zeros(len(rows)), np.zeros(len(rows), dtype=bool)
    for members in rows.task_rows:
        counts = Counter(rows.normal[r] for r in members.tolist())
        kept = members[[counts[rows.normal[r]] >= 3 for r in members.tolist()]]
        if len({rows.normal[r] for r in kept.tolist()}) < 2 or len(kept) < len(members) / 2:
            continue
        said = [rows.normal[r] for r in kept.tolist()]
        labels = np.unique(said, return_inverse=True)[1]
        features = rows.input_vectors[kept]
        model = LogisticRegression(C=10.0, max_iter=100)
        folds = StratifiedKFold(3, shuffle=True, random_state=0)
        chance = np.asarray(cross_val_predict(model, features, labels, cv=folds, method="predict_proba"))
        lab = Datalab(data={"label": labels.tolist()}, label_name="label", verbosity=0)
        lab.find_issues(pred_probs=chance, issue_types={"label": {}})
        issues = lab.get_issues("label")
        scores[kept] = 1 - issues["label_score"].to_numpy()
        named[kept] = issues["is_label_issue"].to_numpy()
    lab = Datalab(data={"row": list(range(len(rows)))}, verbosity=0)
    lab.find_issues(
        features=np.hstack([rows.input_vectors, rows.output_vectors]), issue_types={"outlier": {}}
    )
    issues = lab.get_issues("outlier")
    return {
        "datalab label": (scores, named),
        "datalab outlier": (
            1 - issues["outlier_score"].to_numpy(dtype=np.float64),
            issues["is_outlier_issue"].to_numpy(dtype=bool),
        ),
    }


def injected(data: Path, *, seeds: Sequence[int] = (0, 1, 2), peers: bool = True) -> dict[str, Any]:
    """Precision and recall of every detector on planted defects among real right rows, mean of the seeds."""
    clean, embedding = _right_only(triage_rows(data)), Embedding()
    runs = []
    for seed in seeds:
        dirty = with_defects(clean, seed)
        rows = reading_of(dirty.examples, embedding)
        scores = proposed(rows)
        named = {name: values >= PROPOSED_FROM for name, values in scores.items()}
        quality = score_rows(rows, QualityPolicy())
        scores["quality"], named["quality"] = 1 - quality.scores, quality.scores < quality.policy.drop_below
        if peers and seed == seeds[0]:
            for name, (values, issue) in datalab(rows).items():
                scores[name], named[name] = values, issue
        scores["random"] = np.random.default_rng(seed).random(len(rows))
        named["random"] = scores["random"] < dirty.wrong.mean()
        runs.append({name: _figures(scores[name], named[name], dirty) for name in scores})
        runs[-1]["all together"]["approved_precision"] = _precision(
            scores["all together"] >= CONFIDENT_SCORE, dirty.wrong
        )
        runs[-1]["swapped outputs found, by task"] = _swapped_by_task(rows, named["all together"], dirty)
    return {"rows": len(clean.examples), "seeds": list(seeds), "detectors": _mean(runs)}


def _swapped_by_task(read: JudgedRows, named: Bool[ndarray, " n"], rows: Rows) -> dict[str, float]:
    """Recall of swapped outputs in each task: option letters do not tell whose they are."""
    swapped = np.array(rows.kinds) == "swapped"
    return {
        (read.examples[int(members[0])].instruction or "all")[:30]: float(
            named[members][swapped[members]].mean()
        )
        for members in read.task_rows
        if swapped[members].any()
    }


def _right_only(rows: Rows) -> Rows:
    kept = np.flatnonzero(~rows.wrong).tolist()
    return Rows(
        examples=[rows.examples[r] for r in kept],
        wrong=np.zeros(len(kept), dtype=bool),
        kinds=[""] * len(kept),
    )


def _figures(scores: Float64[ndarray, " n"], named: Bool[ndarray, " n"], rows: Rows) -> dict[str, float]:
    kinds = np.array(rows.kinds)
    return {
        "proposed": float(named.sum()),
        "precision": _precision(named, rows.wrong),
        "recall": float(named[rows.wrong].mean()),
        "right_rows_proposed": float(named[~rows.wrong].mean()),
        "auroc": float(roc_auc_score(rows.wrong, scores)),
        **{f"recall_{kind}": float(named[kinds == kind].mean()) for kind in DEFECTS},
    }


def _precision(named: Bool[ndarray, " n"], wrong: Bool[ndarray, " n"]) -> float:
    return float(wrong[named].mean()) if named.any() else float("nan")


def _mean(runs: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, float]]:
    """Of the runs that have the figure."""
    return {
        name: {
            key: round(float(np.nanmean([run[name][key] for run in runs if name in run])), 4)
            for key in figures
            if not all(np.isnan(run[name][key]) for run in runs if name in run)
        }
        for name, figures in runs[0].items()
    }


def wrong_rows(data: Path, *, peers: bool = True) -> dict[str, Any]:
    """How well the rows known to be wrong rank first, task by task, and what share of the right is proposed."""
    rows = triage_rows(data)
    return _ranked(rows, reading_of(rows.examples, Embedding()), peers=peers)


def mmlu_wrong(data: Path) -> dict[str, Any]:
    """The same on answers of a knowledge test that annotators marked wrong: nothing near says so."""
    found = [r for r in read_rows(data / "conflict_dev.jsonl.gz") if r["subset"] == "en_mmlu_redux_wrong"]
    truth = {t["id"]: t for t in read_rows(data / "conflict_dev_truth.jsonl.gz")}
    examples = examples_of([{**r, "instruction": "Answer the question."} for r in found])
    wrong = np.array([bool(truth[r["id"]]["is_wrong"]) for r in found])
    rows = Rows(examples=examples, wrong=wrong, kinds=[""] * len(wrong))
    return _ranked(rows, reading_of(examples, Embedding()), peers=False)


def clean_sets(data: Path) -> dict[str, dict[str, float]]:
    """Share of the rows of real label sets as published, and of real instructions, that would be proposed.

    Their own labels are not free of mistakes: the share is an upper bound of the right rows that are proposed.
    """
    embedding, made = Embedding(), {}
    sets = {s.name: list(s.examples) for s in ood_sets(data)}
    pairs = [r for r in read_rows(data / "conflict_dev.jsonl.gz") if r["subset"] == "en_alpaca_pairs"]
    sets["en_alpaca_pairs"] = examples_of([{**r, "instruction": r["input"], "input": ""} for r in pairs])
    for name, examples in sets.items():
        read = reading_of(examples, embedding)
        scores = proposed(read)["all together"]
        quality = score_rows(read, QualityPolicy())
        made[name] = {
            "rows": len(examples),
            "noise_proposed": round(float((scores >= PROPOSED_FROM).mean()), 5),
            "noise_approved": int((scores >= CONFIDENT_SCORE).sum()),
            "quality_proposed": round(float((quality.scores < quality.policy.drop_below).mean()), 5),
            "quality_used": round(float((quality.scores > quality.policy.use_above).mean()), 4),
        }
    return made


def _ranked(rows: Rows, read: JudgedRows, *, peers: bool) -> dict[str, Any]:
    found = read.statistics
    scores = {
        "self_confidence": -np.nan_to_num(found.self_confidence, nan=1.0),
        "normalised_margin": -np.nan_to_num(found.margin, nan=1.0),
        "knn_shapley": -np.nan_to_num(found.shapley, nan=1.0),
        "mismatch": found.mismatch,
        **{name: s for name, s in proposed(read).items() if name == "all together"},
    }
    quality = score_rows(read, QualityPolicy())
    scores["quality"] = 1 - quality.scores
    if peers:
        scores["datalab label"] = datalab(read)["datalab label"][0]
    named, low = scores["all together"] >= PROPOSED_FROM, quality.scores < quality.policy.drop_below
    tasks = {}
    for members in read.task_rows:
        wrong = rows.wrong[members]
        if wrong.any() and not wrong.all():
            tasks[(rows.examples[int(members[0])].instruction or "all")[:40]] = {
                "rows": len(members),
                "wrong": int(wrong.sum()),
                **{name: _ranking(values[members], wrong) for name, values in scores.items()},
            }
    return {
        "tasks": tasks,
        "noise_proposed": int(named.sum()),
        "noise_precision": round(_precision(named, rows.wrong), 4) if named.any() else None,
        "right_rows_proposed_by_noise": round(float(named[~rows.wrong].mean()), 5),
        "right_rows_proposed_by_quality": round(float(low[~rows.wrong].mean()), 5),
        "right_rows_approved": int(((scores["all together"] >= CONFIDENT_SCORE) & ~rows.wrong).sum()),
    }


def _ranking(scores: Float64[ndarray, " r"], wrong: Bool[ndarray, " r"]) -> dict[str, float]:
    return {
        "auroc": round(float(roc_auc_score(wrong, scores)), 4),
        "average_precision": round(float(average_precision_score(wrong, scores)), 4),
    }


def table(figures: Mapping[str, Mapping[str, float]]) -> str:
    """Detectors by line."""
    columns = [
        "precision",
        "recall",
        "auroc",
        "right_rows_proposed",
        *(f"recall_{kind}" for kind in DEFECTS),
    ]
    lines = [f"{'':<16}" + "".join(f"{c.removeprefix('recall_')[:14]:>15}" for c in columns)]
    lines += [
        f"{name:<16}" + "".join(f"{row.get(c, float('nan')):>15.3f}" for c in columns)
        for name, row in figures.items()
        if "precision" in row
    ]
    return "\n".join(lines)


def speed(rows: int = 100_000, dimensions: int = 512, seed: int = 0) -> dict[str, float]:
    """Seconds for noise and quality of ``rows`` rows; the vectors stand around as many centres as labels."""
    rng = np.random.default_rng(seed)
    labels = 200
    of_row = rng.integers(labels, size=rows)
    inputs = _around(rng.normal(size=(labels, dimensions)), of_row, rng)
    outputs = _around(rng.normal(size=(labels, dimensions)), of_row, rng)
    words = [f"word{i}" for i in range(5000)]
    examples = [
        TrainingExample(
            id=f"s{i}",
            messages=(
                Message(role=Role.USER, content=" ".join(rng.choice(words, 20))),
                Message(
                    role=Role.ASSISTANT,
                    content=f"label {of_row[i]}" if i % 2 else " ".join(rng.choice(words, 40)) + ".",
                ),
            ),
        )
        for i in range(rows)
    ]
    draft = Draft.of(examples, RepairPolicy())
    tasks = [("labels", "texts")[1 - i % 2] for i in range(rows)]
    read = JudgedRows.of(draft.examples, draft.prompts, tasks, draft.instructions, inputs, outputs)
    seconds: dict[str, float] = {}
    for name, work in (
        ("neighbours", lambda: read.near),
        ("statistics", lambda: read.statistics),
        ("detectors", lambda: proposed(read)),
        ("quality", lambda: score_rows(read, QualityPolicy())),
    ):
        started = time.perf_counter()
        work()
        seconds[name] = round(time.perf_counter() - started, 2)
    return {"rows": rows, **seconds, "all": round(sum(seconds.values()), 2)}


def _around(
    centres: Float64[ndarray, "l d"], of_row: ndarray, rng: np.random.Generator
) -> Float32[ndarray, "n d"]:
    made = centres[of_row].astype(np.float32)
    made += 1.5 * rng.standard_normal(made.shape, dtype=np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)
