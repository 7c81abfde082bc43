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
from app.domain.diagnosis.lens import Lens, lens
from app.domain.diagnosis.neighborhood import (
    Neighborhoods,
    look_around,
    read_prompts,
    read_training_set,
)
from app.domain.diagnosis.simulation import simulate
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
    seen = lens(training, rng)
    simulation = simulate(seen, rng)
    progress(0.6)
    looked = _look(cases, texts, vectors, seen)
    judge = calibration.Judge(
        simulation=calibration.taught_by(simulation, looked.features, _overridden(cases, overrides)),
        seed=int(rng.integers(2**31)),
    )
    causes = judge.probabilities(
        looked.features,
        looked.around,
        has_expected=looked.has_expected,
        has_output=looked.has_output & ~looked.already_right,
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
        calibration=judge.summary(seen),
        training_defaults=roadmap.training_defaults(counts, rows=len(examples)),
    )


def _tasks(examples: Sequence[TrainingExample], instructions: frozenset[str]) -> Int64[ndarray, " n"]:
    """Rows by task instruction, 0 = none or one too rare to have quantiles of its own."""
    named = [text.instruction_of(e.prompt, instructions) for e in examples]
    rows = Counter(named)
    common = sorted(name for name, count in rows.items() if name and count >= thresholds.BASELINE_MIN_ROWS)
    number = {name: i + 1 for i, name in enumerate(common)}
    return np.array([number.get(name, 0) for name in named], dtype=np.int64)


def _overridden(cases: Sequence[BadCase], overrides: Sequence[Override]) -> dict[int, RootCause]:
    """Row of the case -> a person's verdict, in the order of the case ids."""
    said = {o.bad_case_id: o.root_cause for o in overrides}
    rows = [(c.id, i) for i, c in enumerate(cases) if c.id in said]
    return {i: said[case_id] for case_id, i in sorted(rows)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """The cases as arrays, in their order."""

    around: Neighborhoods
    relevance: Float32[ndarray, "q k"]
    features: Float64[ndarray, "q f"]
    expected_rows: Int64[ndarray, " q"]
    has_expected: Bool[ndarray, " q"]
    has_output: Bool[ndarray, " q"]
    already_right: Bool[ndarray, " q"]


def _look(cases: Sequence[BadCase], texts: ViewTexts, vectors: Vectors, seen: Lens) -> _Looked:
    training = seen.training
    labels = similarity.labels_of(texts.example_outputs)
    prompts = read_prompts(texts.case_inputs, vectors.case_inputs)
    expected = similarity.commitments(texts.case_expected, vectors.case_expected, labels)
    wrong = similarity.commitments(texts.case_outputs, vectors.case_outputs, labels)
    around = look_around(
        prompts,
        similarity.nearest(prompts.vectors, training.prompts.vectors, thresholds.NEIGHBORS),
        training.prompts,
        training.outputs,
        expected=expected,
        wrong=wrong,
        same_meaning_cosine=training.same_meaning_cosine,
    )
    each = np.arange(len(cases))
    already_right = similarity.outputs_agree(
        expected, each, wrong, each, same_meaning_cosine=training.same_meaning_cosine
    )
    tasks = _tasks_of_cases(around, training.tasks)
    rows_by_output = Counter(training.outputs.whole.tolist())
    expected_rows = np.array([rows_by_output[w] if w else 0 for w in expected.whole.tolist()], dtype=np.int64)
    return _Looked(
        around=around,
        relevance=seen.relevance.of(around, tasks),
        features=seen.features(around, tasks, expected_rows),
        expected_rows=expected_rows,
        has_expected=expected.whole != 0,
        has_output=wrong.whole != 0,
        already_right=already_right,
    )


def _tasks_of_cases(around: Neighborhoods, tasks: Int64[ndarray, " n"]) -> Int64[ndarray, " q"]:
    """The task of most of the five nearest rows: a case's own wording may be new."""
    if not len(tasks):
        return np.zeros(len(around), dtype=np.int64)
    near = tasks[np.maximum(around.rows[:, :5], 0)]
    return np.array([np.bincount(row).argmax() for row in near], dtype=np.int64)


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
                        looked.features[row], looked.around, row, int(looked.expected_rows[row])
                    ),
                    conflict=conflict.evidence(looked.around, looked.relevance, row),
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
    around = looked.around
    order = findings.shown_order(
        cause,
        cosine=around.cosine[row],
        relevance=looked.relevance[row],
        expected=around.expected[row],
        wrong=around.wrong[row],
        present=around.present[row],
        room=shown,
    )
    return tuple(
        findings.neighbor(
            examples[int(around.rows[row, k])],
            float(around.cosine[row, k]),
            findings.agreement(bool(around.expected[row, k]), bool(around.wrong[row, k])),
        )
        for k in order
    )
