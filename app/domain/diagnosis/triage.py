"""Triage: training rows, bad cases and their vectors in; a verdict on every case out.

Reads top to bottom: read the training set, learn from it what each cause looks like, look around every
case, judge, explain, cluster. Randomness comes in; nothing here reads files, settings or the clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from numpy import ndarray

from app.domain import similarity, text, thresholds
from app.domain.diagnosis import (
    calibration,
    clusters,
    conflict,
    coverage,
    findings,
    hardness,
    roadmap,
    serving_mismatch,
    symptoms,
)
from app.domain.diagnosis.neighborhood import (
    Near,
    Sides,
    compared,
    part_of,
    read_prompts,
    read_training_set,
    sides,
)
from app.domain.diagnosis.reference import Asked, Reference, refer
from app.domain.diagnosis.simulation import CAUSES, simulate
from app.domain.diagnosis.views import Vectors, ViewTexts, texts_of
from app.domain.records import (
    BadCase,
    Cluster,
    Evidence,
    Finding,
    Neighbor,
    RoadmapStep,
    RootCause,
    TrainingExample,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A person's verdict on a case; it teaches this diagnosis where the case is part of it."""

    bad_case_id: str
    root_cause: RootCause


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageOptions:
    """``undetermined_below``: largest probability 0..1 under which no cause is named."""

    undetermined_below: float = thresholds.UNDETERMINED_BELOW
    shown_neighbors: int = thresholds.SHOWN_NEIGHBORS
    chat_template: str | None = None
    """Source of the tuned model's chat template; with it, another model's template in a request is seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One run. ``findings`` stand in the order of the cases; ``calibration`` says what was learnt from
    the training set and how."""

    findings: tuple[Finding, ...]
    clusters: tuple[Cluster, ...]
    roadmap: tuple[RoadmapStep, ...]
    by_category: Mapping[RootCause, int]
    calibration: Mapping[str, Any] = field(default_factory=dict)
    training_defaults: Mapping[str, Any] = field(default_factory=dict)


def triage(
    *,
    examples: Sequence[TrainingExample],
    cases: Sequence[BadCase],
    vectors: Vectors,
    rng: np.random.Generator,
    overrides: Sequence[Override] = (),
    options: TriageOptions | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> Diagnosis:
    """Say for every case why it fails. ``progress`` is called with the share done, 0..1, ascending."""
    chosen = options or TriageOptions()
    texts = texts_of(examples, cases)
    instructions = text.known_instructions(examples)
    tasks = _tasks(examples, instructions)
    training = read_training_set(texts, vectors, tasks, rng)
    progress(0.3)
    relevance = conflict.learn_relevance(training, rng)
    known = refer(training, relevance)
    part = part_of(training, thresholds.SIMULATION_ROWS, rng)
    simulation = simulate(known if part is training else refer(part, relevance), rng)
    progress(0.6)
    looked = _look(cases, texts, vectors, known)
    said = _overridden(cases, overrides)
    judge = calibration.Judge(
        simulation=calibration.taught_by(
            simulation,
            looked.features[list(said)],
            np.array([CAUSES.index(c) for c in said.values()], dtype=np.int64),
            known.placed[looked.tasks[list(said)]],
        ),
        seed=int(rng.integers(2**31)),
    )
    causes = judge.probabilities(
        looked.features,
        looked.near,
        looked.sides,
        has_expected=looked.has_expected,
        has_output=looked.has_output & ~looked.already_right,
        placed=known.placed[looked.tasks],
    )
    progress(0.8)
    explained = _explain(
        examples=examples,
        cases=cases,
        looked=looked,
        causes=causes,
        instructions=instructions,
        options=chosen,
    )
    grouped = clusters.cluster_cases(
        cases, texts.case_inputs, vectors.case_inputs, [finding.root_cause for finding in explained]
    )
    by_category = Counter(finding.root_cause for finding in explained)
    counts = {cause: by_category[cause] for cause in RootCause}
    progress(1.0)
    return Diagnosis(
        findings=tuple(
            replace(finding, cluster=int(cluster))
            for finding, cluster in zip(explained, grouped.of_case, strict=True)
        ),
        clusters=grouped.clusters,
        roadmap=roadmap.roadmap(counts, grouped.clusters),
        by_category=counts,
        calibration=_summary(known, judge),
        training_defaults=roadmap.training_defaults(counts, rows=len(examples)),
    )


def _summary(known: Reference, judge: calibration.Judge) -> dict[str, Any]:
    """What was learnt from the training set and how, JSON-ready."""
    made = np.bincount(judge.simulation.causes, minlength=len(CAUSES))
    nearest = known.training.sampled.cosine[:, 0]
    quantiles = (0.01, 0.05, 0.25, 0.5, 0.75) if len(known.training) > 1 else ()
    return {
        "method": "causes simulated in the training set" if judge.learnt else "too few rows to learn from",
        "training_rows": len(known.training),
        "sampled_rows": len(known.training.sample),
        "simulated_cases": {cause.value: int(made[i]) for i, cause in enumerate(CAUSES)},
        "same_meaning_cosine": round(known.training.same_meaning_cosine, 4),
        "nearest_cosine_quantiles": {f"{q:g}": round(float(np.quantile(nearest, q)), 4) for q in quantiles},
        "agreement_of_near_rows": [round(float(a), 4) for a in known.relevance.task_agreement],
    }


def _tasks(examples: Sequence[TrainingExample], instructions: frozenset[str]) -> Int64[ndarray, " n"]:
    """Rows by task instruction, 0 = none or one too rare to have quantiles of its own."""
    named = [text.instruction_of(e.prompt, instructions) for e in examples]
    rows = Counter(named)
    common = sorted(name for name, count in rows.items() if name and count >= thresholds.BASELINE_MIN_ROWS)
    number = {name: i + 1 for i, name in enumerate(common)}
    return np.array([number.get(name, 0) for name in named], dtype=np.int64)


def _overridden(cases: Sequence[BadCase], overrides: Sequence[Override]) -> dict[int, RootCause]:
    """Row of the case -> a person's verdict, in the order of the case ids."""
    said = {o.bad_case_id: o.root_cause for o in overrides if o.root_cause in CAUSES}
    rows = [(c.id, i) for i, c in enumerate(cases) if c.id in said]
    return {i: said[case_id] for case_id, i in sorted(rows)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """The cases as arrays, in their order."""

    near: Near
    sides: Sides
    tasks: Int64[ndarray, " q"]
    relevance: Float32[ndarray, "q k"]
    features: Float64[ndarray, "q f"]
    expected_rows: Int64[ndarray, " q"]
    has_expected: Bool[ndarray, " q"]
    has_output: Bool[ndarray, " q"]
    already_right: Bool[ndarray, " q"]


def _look(cases: Sequence[BadCase], texts: ViewTexts, vectors: Vectors, known: Reference) -> _Looked:
    training = known.training
    labels = similarity.labels_of(texts.example_outputs)
    prompts, _ = read_prompts(texts.case_inputs, vectors.case_inputs)
    expected = similarity.commitments(texts.case_expected, vectors.case_expected, labels)
    wrong = similarity.commitments(texts.case_outputs, vectors.case_outputs, labels)
    near = compared(
        prompts,
        similarity.nearest(prompts.vectors, training.prompts.vectors, thresholds.NEIGHBORS),
        training.prompts,
    )
    cut = training.same_meaning_cosine
    on = sides(near, training.outputs, expected=expected, wrong=wrong, same_meaning_cosine=cut)
    each = np.arange(len(cases))
    already_right = similarity.outputs_agree(expected, each, wrong, each, same_meaning_cosine=cut)
    tasks = _tasks_of_cases(near, training.tasks)
    asked = Asked(
        prompts=prompts, near=near, sides=on, tasks=tasks, expected=expected.whole, wrong=wrong.whole
    )
    return _Looked(
        near=near,
        sides=on,
        tasks=tasks,
        relevance=known.relevance.of(near, tasks),
        features=known.features(asked),
        expected_rows=known.output_rows(expected.whole),
        has_expected=expected.whole != 0,
        has_output=wrong.whole != 0,
        already_right=already_right,
    )


def _tasks_of_cases(near: Near, tasks: Int64[ndarray, " n"]) -> Int64[ndarray, " q"]:
    """The task of most of the five nearest rows: a case's own wording may be new."""
    if not len(tasks):
        return np.zeros(len(near), dtype=np.int64)
    closest = tasks[np.maximum(near.rows[:, :5], 0)]
    return np.array([np.bincount(row).argmax() for row in closest], dtype=np.int64)


def _explain(
    *,
    examples: Sequence[TrainingExample],
    cases: Sequence[BadCase],
    looked: _Looked,
    causes: Float64[ndarray, "q 3"],
    instructions: frozenset[str],
    options: TriageOptions,
) -> list[Finding]:
    trained_format = serving_mismatch.format_of(examples, instructions, options.chat_template)
    profile = symptoms.profile(examples)
    demands = hardness.demands_of(
        [text.focus(e.prompt, instructions) for e in examples], [e.output for e in examples]
    )
    made = []
    for row, case in enumerate(cases):
        mismatches = serving_mismatch.mismatches(case, trained_format)
        serving = serving_mismatch.probability(mismatches)
        probabilities = findings.combined(causes[row], serving)
        right = bool(looked.already_right[row])
        cause = findings.root_cause(probabilities, already_right=right, below=options.undetermined_below)
        seen_symptoms = () if right else symptoms.symptoms_of(case, profile)
        asked = text.focus(case.prompt, instructions)
        made.append(
            Finding(
                bad_case_id=case.id,
                root_cause=cause,
                probabilities=probabilities,
                confidence=probabilities[cause] if cause in probabilities else max(probabilities.values()),
                evidence=Evidence(
                    neighbors=_neighbors(examples, looked, row, cause, options.shown_neighbors),
                    ood=coverage.evidence(
                        looked.features[row],
                        looked.near.cosine[row][looked.near.present[row]],
                        int(looked.expected_rows[row]),
                    ),
                    conflict=conflict.evidence(looked.near, looked.sides, looked.relevance, row),
                    hard={
                        **demands.percentiles(asked, case.expected_output or ""),
                        "model_output_is_right": right,
                    },
                    serving_mismatch={
                        "said": case.request is not None,
                        "mismatches": [m.as_dict() for m in mismatches],
                    },
                ),
                symptoms=seen_symptoms,
                recommended_actions=findings.recommended_actions(
                    cause, seen_symptoms, has_expected=bool(looked.has_expected[row]), already_right=right
                ),
            )
        )
    return made


def _neighbors(
    examples: Sequence[TrainingExample], looked: _Looked, row: int, cause: RootCause, shown: int
) -> tuple[Neighbor, ...]:
    near, on = looked.near, looked.sides
    order = findings.shown_order(
        cause,
        cosine=near.cosine[row],
        relevance=looked.relevance[row],
        expected=on.expected[row],
        wrong=on.wrong[row],
        present=near.present[row],
        room=shown,
    )
    return tuple(
        findings.neighbor(
            examples[int(near.rows[row, k])],
            float(near.cosine[row, k]),
            findings.agreement(bool(on.expected[row, k]), bool(on.wrong[row, k])),
        )
        for k in order
    )
