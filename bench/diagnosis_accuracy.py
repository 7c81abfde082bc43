"""Is the verdict right? Root causes and coverage against ground truth, beside kNN, cleanlab and a linear model.

Ground truth scores and nothing else. All peers see the vectors that we see.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from numpy import ndarray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from app.domain.answers import agreement
from app.domain.diagnosis.classifier.cause_classifier import expected_calibration_error
from app.domain.diagnosis.triage import triage
from app.domain.evidence import Finding
from app.domain.records import RootCause
from bench.diagnosis_data import CAUSES, Embedding, OodSet, TriageSet

NEIGHBORS = 5


def score_triage(data: TriageSet, embedding: Embedding, seeds: Sequence[int]) -> dict[str, Any]:
    """Macro-F1 over the three causes, recall, calibration error, evidence precision; ours by seed, the peers'
    once: they draw nothing."""
    vectors = embedding.vectors(data.examples, data.cases)
    ours = []
    for seed in seeds:
        found = triage(
            examples=data.examples, cases=data.cases, vectors=vectors, rng=np.random.default_rng(seed)
        )
        ours.append(_triage_figures(data, found.findings))
    told = _peers_of_triage(data, vectors.example_inputs[:], vectors.case_inputs)
    return {"ours": summarised(ours), "peers": {name: _figures(data, said) for name, said in told.items()}}


def _triage_figures(data: TriageSet, findings: Sequence[Finding]) -> dict[str, Any]:
    said = np.array([_index(f.root_cause) for f in findings])
    confidence = np.array([f.confidence for f in findings])
    error = expected_calibration_error(confidence, said == data.causes, np.ones(len(said)))
    precision = evidence_precision(data, findings)
    return {**_figures(data, said), "calibration_error": error, "evidence_precision": precision}


def _index(cause: RootCause) -> int:
    return CAUSES.index(cause.value) if cause.value in CAUSES else -1


def _figures(data: TriageSet, said: Int64[ndarray, " q"]) -> dict[str, Any]:
    families = np.array([f"{t['family']}/{t['lang']}" for t in data.truth])
    scored = {"macro_f1": macro_f1(data.causes, said)}
    for i, cause in enumerate(CAUSES):
        scored[f"recall_{cause}"] = round(float((said[data.causes == i] == i).mean()), 4)
    of_family = {
        str(f): macro_f1(data.causes[families == f], said[families == f]) for f in np.unique(families)
    }
    return {**scored, "families": of_family}


def macro_f1(true: Int64[ndarray, " q"], said: Int64[ndarray, " q"]) -> float:
    scores = []
    for cause in range(len(CAUSES)):
        both = int(((true == cause) & (said == cause)).sum())
        scores.append(2 * both / max(1, int((true == cause).sum() + (said == cause).sum())))
    return round(float(np.mean(scores)), 4)


def evidence_precision(data: TriageSet, findings: Sequence[Finding]) -> float | None:
    """Of the first three neighbours that do not agree, in conflicts that are rightly found: share that the
    ground truth names."""
    by_id = {e.source_id: e for e in data.examples}
    named = right = 0
    for truth, finding in zip(data.truth, findings, strict=True):
        wrong = {(by_id[i].prompt, by_id[i].output) for i in truth.get("conflict_rows") or () if i in by_id}
        if truth["category"] != "conflict" or finding.root_cause is not RootCause.CONFLICT or not wrong:
            continue
        shown = [n for n in finding.evidence.neighbors if n.agrees_with.value != "expected"][:3]
        named += len(shown)
        right += sum((n.input, n.output) in wrong for n in shown)
    return round(right / named, 4) if named else None


def _peers_of_triage(
    data: TriageSet, rows: Float32[ndarray, "n d"], asked: Float32[ndarray, "q d"]
) -> dict[str, Int64[ndarray, " q"]]:
    """Verdicts of the simple methods: far from the rows is ood; near a row that is flagged, or that says
    something else than expected, is a conflict; the rest is hard."""
    outputs = np.array([e.output for e in data.examples])
    expected = np.array([c.expected_output for c in data.cases])
    model = np.array([c.model_output for c in data.cases])
    found = agreement.nearest(asked, rows, NEIGHBORS)
    own = agreement.nearest_others(rows, NEIGHBORS).similarities.mean(axis=1)
    far = found.similarities.mean(axis=1) < np.quantile(own, 0.1)
    near = outputs[found.indices]
    of_model, other = near == model[:, None], near != expected[:, None]
    against = np.asarray(of_model.any(axis=1) & other.any(axis=1))
    flagged, outlying = _datalab(rows, outputs)
    near_flagged = np.asarray(flagged[found.indices].any(axis=1))
    far_linear, against_linear = _linear_verdicts(rows, outputs, asked, expected, model)
    return {
        "kNN": _verdicts(far, against),
        "cleanlab Datalab": _verdicts(found.similarities.mean(axis=1) < outlying, near_flagged),
        "linear model": _verdicts(far_linear, against_linear),
    }


def _verdicts(far: ndarray, against: ndarray) -> Int64[ndarray, " q"]:
    return np.where(far, 0, np.where(against, 1, 2))


def _datalab(rows: Float32[ndarray, "n d"], outputs: ndarray) -> tuple[Bool[ndarray, " n"], float]:
    """Rows with a label issue among those whose output repeats; the mean similarity from which Datalab calls
    a row an outlier."""
    from cleanlab import Datalab  # pyright: ignore[reportMissingImports] - the extra "bench"

    _, code, counts = np.unique(outputs, return_inverse=True, return_counts=True)
    labelled = np.flatnonzero(counts[code] > 1)
    _, own = np.unique(code[labelled], return_inverse=True)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        lab = Datalab(data={"label": own.tolist()}, label_name="label", task="classification", verbosity=0)
        lab.find_issues(features=rows[labelled], issue_types={"label": {}, "outlier": {}})
        issues = lab.get_issues()
    flagged = np.zeros(len(rows), dtype=bool)
    flagged[labelled] = issues["is_label_issue"].to_numpy()
    outliers = labelled[issues["is_outlier_issue"].to_numpy()]
    own_similarity = agreement.nearest_others(rows, NEIGHBORS, outliers).similarities.mean(axis=1)
    return flagged, float(own_similarity.max(initial=-1.0))


def _linear_verdicts(
    rows: Float32[ndarray, "n d"],
    outputs: ndarray,
    asked: Float32[ndarray, "q d"],
    expected: ndarray,
    model: ndarray,
) -> tuple[Bool[ndarray, " q"], Bool[ndarray, " q"]]:
    """Logistic regression on the labels that ten rows and more have: unsure is far; where it prefers what the
    model said to what is expected, the rows contradict."""
    names, code, counts = np.unique(outputs, return_inverse=True, return_counts=True)
    frequent = np.flatnonzero(counts >= 10)
    kept = np.flatnonzero(np.isin(code, frequent))
    fitted = LogisticRegression(C=10.0, max_iter=60).fit(rows[kept], code[kept])
    own, chances = fitted.predict_proba(rows[kept]).max(axis=1), fitted.predict_proba(asked)
    place = {str(names[c]): i for i, c in enumerate(fitted.classes_)}
    far = chances.max(axis=1) < np.quantile(own, 0.1)

    def chance_of(said: ndarray) -> Float64[ndarray, " q"]:
        return np.array([chances[i, place[s]] if s in place else 0.0 for i, s in enumerate(said.tolist())])

    return far, chance_of(model) > chance_of(expected)


def score_ood(sets: Sequence[OodSet], embedding: Embedding, seeds: Sequence[int]) -> dict[str, Any]:
    """AUROC and FPR at 95 % TPR of P(ood), without expected or model output; means over the subsets."""
    made: dict[str, Any] = {}
    for data in sets:
        vectors = embedding.vectors(data.examples, data.cases)
        ours = []
        for seed in seeds:
            found = triage(
                examples=data.examples, cases=data.cases, vectors=vectors, rng=np.random.default_rng(seed)
            )
            chance = np.array([f.probabilities[RootCause.OOD] for f in found.findings])
            ours.append(_ranking(data.uncovered, chance))
        peers = _peers_of_ood(vectors.example_inputs[:], data.labels, vectors.case_inputs)
        made[data.name] = {
            "ours": summarised(ours),
            "peers": {name: _ranking(data.uncovered, score) for name, score in peers.items()},
        }
    return {"subsets": made, "mean": _mean_of(list(made.values()))}


def _ranking(true: Bool[ndarray, " q"], score: Float64[ndarray, " q"]) -> dict[str, float]:
    cut = np.quantile(score[true], 0.05)
    return {
        "auroc": round(float(roc_auc_score(true, score)), 4),
        "fpr95": round(float((score[~true] >= cut).mean()), 4),
    }


def _peers_of_ood(
    rows: Float32[ndarray, "n d"], labels: Sequence[str], asked: Float32[ndarray, "q d"]
) -> dict[str, Float64[ndarray, " q"]]:
    from cleanlab.outlier import OutOfDistribution  # pyright: ignore[reportMissingImports] - extra "bench"

    lab = OutOfDistribution()
    with contextlib.redirect_stdout(io.StringIO()):
        lab.fit(features=rows.astype(np.float64))
        quality = lab.score(features=asked.astype(np.float64))
    linear = LogisticRegression(C=10.0, max_iter=60).fit(rows, list(labels))
    return {
        "kNN": -agreement.nearest(asked, rows, NEIGHBORS).similarities.mean(axis=1).astype(np.float64),
        "cleanlab OutOfDistribution": -np.asarray(quality, dtype=np.float64),
        "linear model": -linear.decision_function(asked).max(axis=1),
    }


def _mean_of(subsets: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    def mean(of: Sequence[Mapping[str, float]]) -> dict[str, float]:
        return {key: round(float(np.mean([f[key] for f in of])), 4) for key in ("auroc", "fpr95")}

    names = subsets[0]["peers"]
    return {
        "ours": mean([s["ours"]["mean"] for s in subsets]),
        "peers": {name: mean([s["peers"][name] for s in subsets]) for name in names},
    }


def summarised(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Mean and standard deviation over the seeds of every figure."""
    numbers = [k for k, v in runs[0].items() if isinstance(v, (int, float))]
    nested = [k for k, v in runs[0].items() if isinstance(v, Mapping)]
    mean = {k: round(float(np.mean([r[k] for r in runs])), 4) for k in numbers}
    spread = {k: round(float(np.std([r[k] for r in runs])), 4) for k in numbers}
    return {
        "seeds": len(runs),
        "mean": mean,
        "spread": spread,
        **{k: summarised([r[k] for r in runs])["mean"] for k in nested},
    }
