"""Which rows of a training set are wrong, and is the set right after the plan is applied by its policy?

Ground truth scores and nothing else: every plan is made by the default policy, with the bad cases of the set where
it has any. Beside it cleanlab Datalab's removal on the same vectors, and no repair.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from app.domain.diagnosis.triage import triage
from app.domain.language import text
from app.domain.records import Message, Role, TrainingExample
from app.domain.repair.apply.apply import apply_actions
from app.domain.repair.draft.actions import ActionKind, ProposedAction
from app.domain.repair.plan import PlanInputs, RepairPlan, RepairPolicy, plan_repair
from app.domain.repair.policy.decision import Decision
from bench.diagnosis_data import Embedding, TriageSet, triage_set
from bench.diagnosis_pairs import UNHARMED, scored
from bench.harness import read_rows

JUDGES = {"drop", "relabel", "merge"}
"""Kinds of action that say that a row is wrong or one too many."""

ASKS = {"ask", "label_group"}
"""Rules that name rows in dispute and leave it to a person which of them is wrong."""


OF_OUTPUTS = {"label_quality", "knn_shapley", "mismatch"}
"""Detectors of noise that say that an output belongs elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A training row of the repaired set, as a linear model takes it."""

    id: str
    task: str
    input: str
    output: str


def score_triage(data: Path, embedding: Embedding, seeds: Sequence[int]) -> dict[str, Any]:
    """Wrong rows gone or relabelled, right rows lost, and what a linear model makes of the repaired set."""
    of = triage_set(data)
    truth = {r["id"]: r for r in read_rows(data / "triage_dev_train_truth.jsonl.gz")}
    asked = LinearTasks(data, of)
    runs: list[dict[str, float]] = []
    for seed in seeds:
        plan = plan_of(of, embedding, seed)
        runs.append(_of_rows(of.examples, plan, truth) | asked.figures(repaired(of.examples, plan)))
    before = [Row(id=e.source_id or e.id, **_parts(e)) for e in of.examples]
    return {
        "ours": {
            k: {"mean": round(float(np.mean(v)), 4), "spread": round(float(np.std(v)), 4)}
            for k, v in ((k, [r[k] for r in runs]) for k in runs[0])
        },
        "peers": {
            "no_repair": _kept(before, before, truth) | asked.figures(before),
            "cleanlab_removal": _kept(before, kept := _cleanlab(of, embedding), truth) | asked.figures(kept),
        },
        "truth": asked.scale(),
        "learnable_cases": len(asked.learnable),
    }


def plan_of(of: TriageSet, embedding: Embedding, seed: int) -> RepairPlan:
    vectors = embedding.vectors(of.examples, of.cases)
    found = triage(examples=of.examples, cases=of.cases, vectors=vectors, rng=np.random.default_rng(seed))
    material = PlanInputs(
        input_vectors=vectors.example_inputs[:],
        output_vectors=vectors.example_outputs[:],
        cases=of.cases,
        case_vectors=vectors.case_inputs,
        findings=found.findings,
        rng=np.random.default_rng(seed),
    )
    return plan_repair(of.examples, material, RepairPolicy())


def repaired(examples: Sequence[TrainingExample], plan: RepairPlan) -> list[Row]:
    """The rows of the next version, by the ids that they came with."""
    number = count()
    applied = apply_actions(examples, plan.actions, new_id=lambda: f"new-{next(number)}")
    return [
        Row(
            id=row.example.source_id or row.example.id,
            **_parts(row.example),
        )
        for row in applied.rows
    ]


def _parts(example: TrainingExample) -> dict[str, str]:
    task = example.instruction or ""
    return {
        "task": task,
        "input": example.prompt.removeprefix(task).strip(),
        "output": example.output,
    }


def _of_rows(
    examples: Sequence[TrainingExample], plan: RepairPlan, truth: Mapping[str, Mapping[str, Any]]
) -> dict[str, float]:
    """Shares of the wrong and of the right rows, after the policy's own decisions; and as proposed."""
    made = _kept(
        [Row(id=e.source_id or e.id, **_parts(e)) for e in examples], repaired(examples, plan), truth
    )
    came_as = {e.id: e.source_id or e.id for e in examples}
    touched = {came_as[i] for a in plan.actions if a.kind in JUDGES for i in a.example_ids}
    wrong = {i for i, t in truth.items() if t["wrong"]}
    copies = {
        came_as[i]
        for a in plan.actions
        if a.decision is Decision.APPROVED and str(a.evidence.get("rule", "")).endswith("_duplicate")
        for i in a.example_ids
    }
    return made | {
        "right_copies_dropped": round(len(copies - wrong) / max(1, len(truth) - len(wrong)), 4),
        "wrong_proposed": round(len(touched & wrong) / max(1, len(wrong)), 4),
        "right_proposed": round(len(touched - wrong) / max(1, len(truth) - len(wrong)), 4),
        "actions": float(len(plan.actions)),
        "approved": float(sum(a.decision is Decision.APPROVED for a in plan.actions)),
    }


def _kept(
    before: Sequence[Row], after: Sequence[Row], truth: Mapping[str, Mapping[str, Any]]
) -> dict[str, float]:
    """``wrong_mended``: share of the wrong rows that are gone or say something else; ``right_lost``: share of the
    right rows that are gone or say something that means something else."""
    now = {r.id: r.output for r in after}
    was = {r.id: r.output for r in before}
    wrong = [i for i, t in truth.items() if t["wrong"]]
    right = [i for i, t in truth.items() if not t["wrong"]]
    mended = sum(i not in now or _differs(now[i], was[i]) for i in wrong)
    to_gold = sum(i in now and not _differs(now[i], str(truth[i]["gold_output"])) for i in wrong)
    lost = sum(i not in now or _other_meaning(now[i], was[i], truth[i]) for i in right)
    return {
        "wrong_mended": round(mended / max(1, len(wrong)), 4),
        "wrong_to_gold": round(to_gold / max(1, len(wrong)), 4),
        "right_lost": round(lost / max(1, len(right)), 4),
    }


def _differs(left: str, right: str) -> bool:
    return text.normalised(left) != text.normalised(right)


def _other_meaning(now: str, was: str, truth: Mapping[str, Any]) -> bool:
    """Another label of the row's own group of merged names is no loss."""
    if not _differs(now, was):
        return False
    names = str(truth["gold_output"] or "").partition(":")[2].split("|")
    return text.normalised(now) not in {text.normalised(n) for n in names if n}


class LinearTasks:
    """TF-IDF and a linear model for each task whose outputs are labels: what it makes of a training set.

    ``mended``: the set with every wrong row's gold output; ``decided``: and with a case's expected output in every
    row that contradicts it (where several cases expect different names of one row, the last one's). ``learnable``:
    conflict cases that it answers right when it is trained on the latter.
    """

    def __init__(self, data: Path, of: TriageSet) -> None:
        told = {t["id"]: t for t in of.truth}
        rows = [Row(id=e.source_id or e.id, **_parts(e)) for e in of.examples]
        outputs: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            outputs[row.task].append(row.output)
        self.tasks = {t for t, said in outputs.items() if _labels(said)}
        cases = read_rows(data / "triage_dev_cases.jsonl.gz")
        self.cases = [
            c for c in cases if told[c["id"]]["category"] == "conflict" and c["instruction"] in self.tasks
        ]
        self.good = [
            g for g in read_rows(data / "triage_dev_good.jsonl.gz") if g["instruction"] in self.tasks
        ]
        gold = {
            r["id"]: r["gold_output"]
            for r in read_rows(data / "triage_dev_train_truth.jsonl.gz")
            if r["wrong"]
        }
        self.mended = _relabelled(rows, gold)
        for case in self.cases:
            if not told[case["id"]]["injected"]:
                gold |= dict.fromkeys(told[case["id"]]["conflict_rows"], case["expected_output"])
        self.decided = _relabelled(rows, gold)
        right = self._right(self.decided, self.cases)
        self.learnable = [c for c, ok in zip(self.cases, right, strict=True) if ok]
        before = self._right(rows, self.good)
        self.known = [g for g, ok in zip(self.good, before, strict=True) if ok]

    def figures(self, rows: Sequence[Row]) -> dict[str, float]:
        """Share of the learnable conflict cases that are answered right, and of the good prompts that were."""
        return {
            "conflict_fixed": round(float(np.mean(self._right(rows, self.learnable))), 4),
            "good_kept": round(float(np.mean(self._right(rows, self.known))), 4),
        }

    def scale(self) -> dict[str, dict[str, float]]:
        """How far the measure goes: what the model makes of the truth, of which no repair can know all. That it fixes
        every case where the cases decide is how these were chosen, so it is left out."""
        kept = self.figures(self.decided)["good_kept"]
        return {"wrong_rows_mended": self.figures(self.mended), "cases_decide": {"good_kept": kept}}

    def _right(self, rows: Sequence[Row], asked: Sequence[Mapping[str, Any]]) -> list[bool]:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import RidgeClassifier
        from sklearn.pipeline import make_pipeline

        right = [False] * len(asked)
        for task in sorted(self.tasks):
            seen = [r for r in rows if r.task == task]
            of = [i for i, a in enumerate(asked) if a["instruction"] == task]
            if not of or len({r.output for r in seen}) < 2:
                continue
            model = make_pipeline(
                TfidfVectorizer(
                    analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True, max_features=50_000
                ),
                RidgeClassifier(alpha=1.0, solver="sparse_cg", tol=1e-3),
            )
            model.fit([r.input for r in seen], [r.output for r in seen])
            said = model.predict([str(asked[i]["input"]) for i in of])
            for i, answer in zip(of, said, strict=True):
                right[i] = not _differs(str(answer), str(asked[i]["expected_output"]))
        return right


def _relabelled(rows: Sequence[Row], outputs: Mapping[str, str | None]) -> list[Row]:
    return [replace(row, output=outputs.get(row.id) or row.output) for row in rows]


def _labels(outputs: Sequence[str]) -> bool:
    """Most outputs stand on several rows."""
    counts = Counter(outputs)
    return sum(c for c in counts.values() if c > 1) > 0.8 * len(outputs)


def _cleanlab(of: TriageSet, embedding: Embedding) -> list[Row]:
    """What is left where every row that cleanlab calls a label issue is removed, over outputs that repeat."""
    import contextlib
    import io

    from cleanlab import Datalab  # pyright: ignore[reportMissingImports] - the extra "bench"

    vectors = embedding.vectors(of.examples, []).example_inputs
    counts = Counter(e.output for e in of.examples)
    labelled = [i for i, e in enumerate(of.examples) if counts[e.output] > 1]
    with contextlib.redirect_stdout(io.StringIO()):
        lab = Datalab(
            data={"label": [of.examples[i].output for i in labelled]}, label_name="label", verbosity=0
        )
        lab.find_issues(features=vectors[labelled], issue_types={"label": {}})
    flagged = lab.get_issues("label")["is_label_issue"].to_numpy(dtype=bool)
    gone = {labelled[i] for i in np.flatnonzero(flagged).tolist()}
    return [Row(id=e.source_id or e.id, **_parts(e)) for i, e in enumerate(of.examples) if i not in gone]


def score_conflict_rows(data: Path, embedding: Embedding) -> dict[str, Any]:
    """conflict_dev: which rows a plan without bad cases calls wrong. F1 on ``is_wrong`` over clusters of three
    and more, rows touched that look contradictory and are none; label groups by pairs of names."""
    truth = {row["id"]: row for row in read_rows(data / "conflict_dev_truth.jsonl.gz")}
    subsets: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in read_rows(data / "conflict_dev.jsonl.gz"):
        subsets[row["subset"]].append(row | truth[row["id"]])
    return {name: _score_rows(rows, embedding) for name, rows in sorted(subsets.items())}


def _score_rows(rows: Sequence[Mapping[str, Any]], embedding: Embedding) -> dict[str, Any]:
    examples = [
        TrainingExample(
            id=str(r["id"]),
            messages=(
                Message(role=Role.USER, content=str(r["input"])),
                Message(role=Role.ASSISTANT, content=str(r["output"])),
            ),
        )
        for r in rows
    ]
    vectors = embedding.vectors(examples, [])
    plan = plan_repair(
        examples,
        PlanInputs(input_vectors=vectors.example_inputs[:], output_vectors=vectors.example_outputs[:]),
        RepairPolicy(),
    )
    blamed = {r: s for a in plan.actions for r, s in blame(a)}
    asked = {r for a in plan.actions if a.evidence.get("rule") in ASKS for r in a.example_ids}
    sizes = Counter(r["group"] for r in rows if r["group"])
    known = [r for r in rows if r["is_wrong"] is not None and sizes[r["group"]] >= 3]
    made: dict[str, Any] = {"rows": len(rows), "actions": len(plan.actions)}
    if any(r["is_wrong"] for r in known):
        true = np.array([r["is_wrong"] == 1 for r in known], dtype=bool)
        made["is_wrong"] = scored(true, np.array([r["id"] in blamed for r in known], dtype=bool))
    for note in UNHARMED:
        held = [r["id"] for r in rows if r["note"].partition(";")[0] == note]
        if held:
            made[f"{note}_touched"] = round(sum(i in blamed for i in held) / len(held), 4)
            made[f"{note}_asked"] = round(sum(i in asked for i in held) / len(held), 4)
    made |= _label_pairs(rows, plan)
    return made


def blame(action: ProposedAction) -> list[tuple[str, float]]:
    """The rows whose output an action calls wrong: not those that it asks about, takes for a copy, or drops for
    something else (an input that speaks of a picture that is not there)."""
    if action.kind not in (ActionKind.DROP, ActionKind.RELABEL):
        return []
    rule = str(action.evidence.get("rule", ""))
    detectors = {d["detector"] for d in action.evidence.get("detectors", ())}
    if rule == "noise" and not detectors & OF_OUTPUTS:
        return []
    if rule.endswith("_duplicate") or rule in ASKS:
        return []
    return [(i, action.score) for i in action.example_ids]


def _label_pairs(rows: Sequence[Mapping[str, Any]], plan: RepairPlan) -> dict[str, float]:
    """F1 on pairs of labels to unify."""
    merged: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row["in_conflict"] == 1 and not row["injected"]:
            merged[str(row["group"])].add(str(row["output"]))
    true = {frozenset((a, b)) for of in merged.values() for a in of for b in of if a < b}
    groups = plan.summary.get("label_groups", ())
    said = {frozenset((a, b)) for g in groups for a in g["labels"] for b in g["labels"] if a < b}
    if not true or max(map(len, merged.values())) < 2:
        return {}
    return {"label_pairs_f1": round(2 * len(true & said) / max(len(true) + len(said), 1), 4)}


def table(of: Mapping[str, Any]) -> str:
    """Both sets as text."""
    lines = [
        f"{'conflict_dev':<22}{'is_wrong F1':>12}{'precision':>11}{'recall':>8}   touched / only asked about"
    ]
    for name, f in of["conflict_dev"].items():
        wrong = f.get("is_wrong", {})
        cells = [wrong.get(k, float("nan")) for k in ("f1", "precision", "recall")]
        notes = ", ".join(
            f"{n} {f[f'{n}_touched']:.3f}/{f[f'{n}_asked']:.3f}" for n in UNHARMED if f"{n}_touched" in f
        )
        pairs = f"label pairs {f['label_pairs_f1']:.3f}" if "label_pairs_f1" in f else ""
        lines.append(
            f"{name:<22}{cells[0]:>12.3f}{cells[1]:>11.3f}{cells[2]:>8.3f}   {notes} {pairs}".rstrip()
        )
    triage = of["triage_dev"]
    columns = (
        "wrong_mended",
        "wrong_to_gold",
        "right_lost",
        "right_copies_dropped",
        "conflict_fixed",
        "good_kept",
    )
    lines.append(f"{'triage_dev':<25}" + "".join(f"{c:>22}" for c in columns))
    lines.append(
        f"{'ours':<25}"
        + "".join(f"{triage['ours'][c]['mean']:>15.3f} ±{triage['ours'][c]['spread']:.3f}" for c in columns)
    )
    truth = {f"truth, {name.replace('_', ' ')}": f for name, f in triage["truth"].items()}
    for name, f in (triage["peers"] | truth).items():
        lines.append(f"{name:<25}" + "".join(f"{f.get(c, float('nan')):>22.3f}" for c in columns))
    lines.append(f"learnable conflict cases: {triage['learnable_cases']}")
    return "\n".join(lines)
