"""Triage: training rows, bad cases and their vectors in; a verdict on every case out.

Reads top to bottom: learn from the training set what each cause looks like, look around every case, judge,
explain, cluster. Randomness comes in; nothing here reads files, settings or the clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from numpy import ndarray

from app.domain.answers import agreement, choices, contradiction
from app.domain.answers.labels import CLOSED_ANSWER_MAX_TOKENS
from app.domain.diagnosis import explain, roadmap, symptoms
from app.domain.diagnosis.classifier import cause_classifier
from app.domain.diagnosis.clusters import clustering
from app.domain.diagnosis.evidence import findings, rightness, same_question
from app.domain.diagnosis.evidence.findings import SHOWN_NEIGHBORS, UNDETERMINED_BELOW
from app.domain.diagnosis.evidence.rightness import Rightness
from app.domain.diagnosis.evidence.same_question import SameQuestion
from app.domain.diagnosis.features.extractor import Asked
from app.domain.diagnosis.features.neighbors import NEIGHBORS, Near, Sides, compared, read_prompts, sides
from app.domain.diagnosis.fit import FittedTrainingSet, fit_training_set
from app.domain.diagnosis.serving import mismatch
from app.domain.diagnosis.serving.training_format import TaskFormat
from app.domain.diagnosis.simulation.simulated_cases import CAUSES
from app.domain.diagnosis.views import Vectors, ViewTexts, texts_of
from app.domain.evidence import Evidence, Finding, ServingEvidence
from app.domain.language import text
from app.domain.records import (
    BadCase,
    Cluster,
    RoadmapStep,
    RootCause,
    TrainingExample,
)
from app.domain.vectors.half_precision import UnitVectors
from app.domain.vectors.search import Neighbors


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A person's verdict on a case, of this diagnosis or of an earlier one; it teaches this diagnosis."""

    case: BadCase
    root_cause: RootCause


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageOptions:
    """``undetermined_below``: largest probability 0..1 under which no cause is named. ``known_scripts``: what
    the embedder can read; None = not known."""

    undetermined_below: float = UNDETERMINED_BELOW
    shown_neighbors: int = SHOWN_NEIGHBORS
    known_scripts: frozenset[str] | None = explain.KNOWN_SCRIPTS


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
    chat_template: str | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> Diagnosis:
    """Say for every case why it fails. ``vectors`` of the cases cover those of the overrides, behind them.
    ``progress`` is called with the share done, 0..1, ascending."""
    fitted = fit_training_set(
        examples, vectors, rng, chat_template=chat_template, progress=lambda share: progress(0.7 * share)
    )
    return diagnose(
        fitted,
        cases,
        vectors,
        overrides=overrides,
        options=options,
        progress=lambda share: progress(0.7 + 0.3 * share),
    )


def diagnose(
    fitted: FittedTrainingSet,
    cases: Sequence[BadCase],
    vectors: Vectors,
    *,
    overrides: Sequence[Override] = (),
    options: TriageOptions | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> Diagnosis:
    """The same for cases of a training set that is learnt already; of ``vectors`` only the cases' are used."""
    chosen = options or TriageOptions()
    taught = [o for o in overrides if o.root_cause in CAUSES]
    everything = [*cases, *(o.case for o in taught)]
    texts = texts_of([], everything, fitted.instructions)
    looked = _look(everything, texts, vectors, fitted)
    progress(0.3)
    classifier = _taught(fitted, looked, taught, len(cases))
    labelled = fitted.known.placed[looked.tasks]
    causes = classifier.probabilities(
        looked.features,
        looked.near,
        looked.sides,
        has_expected=looked.has_expected,
        has_output=looked.has_output & ~(looked.rightness.right | looked.rightness.looks_alike),
        placed=labelled,
    )
    for row, same in enumerate(looked.same):
        causes[row] = same_question.with_evidence(
            causes[row], same, has_expected=bool(looked.has_expected[row]), labelled=bool(labelled[row])
        )
    progress(0.5)
    explained = [_explained(fitted, case, looked, causes, row, chosen) for row, case in enumerate(cases)]
    progress(0.8)
    grouped = clustering.cluster_cases(
        cases,
        texts.case_inputs[: len(cases)],
        vectors.case_inputs[: len(cases)],
        [finding.root_cause for finding in explained],
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
        calibration={**fitted.summary(), "overrides_learnt_from": len(taught)},
        training_defaults=roadmap.training_defaults(counts, rows=len(fitted.examples)),
    )


def _taught(
    fitted: FittedTrainingSet, looked: _Looked, overrides: Sequence[Override], cases: int
) -> cause_classifier.CauseClassifier:
    """The classifier, fitted to what people said as well; in the order of the case ids, however they came in."""
    if not overrides:
        return fitted.classifier
    order = sorted(range(len(overrides)), key=lambda i: overrides[i].case.id)
    rows = np.array([cases + i for i in order], dtype=np.int64)
    simulation = cause_classifier.taught_by(
        fitted.classifier.simulation,
        looked.features[rows],
        np.array([CAUSES.index(overrides[i].root_cause) for i in order], dtype=np.int64),
        fitted.known.placed[looked.tasks[rows]],
    )
    return cause_classifier.CauseClassifier(simulation=simulation, seed=fitted.classifier.seed)


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
    rightness: Rightness
    same: Sequence[SameQuestion]


def _look(cases: Sequence[BadCase], texts: ViewTexts, vectors: Vectors, fitted: FittedTrainingSet) -> _Looked:
    known, training = fitted.known, fitted.known.training
    prompts, _ = read_prompts(texts.case_inputs, vectors.case_inputs)
    labels = frozenset(known.labels.names.tolist())
    expected = agreement.commitments(texts.case_expected, vectors.case_expected, labels)
    wrong = agreement.commitments(texts.case_outputs, vectors.case_outputs, labels)
    asking = [_asking(fitted, case, int(wrong.whole[i])) for i, case in enumerate(cases)]
    found = training.index.search(prompts.vectors[:], NEIGHBORS)
    found = _with_rows(found, [same for same, _ in asking], prompts.vectors, training.prompts.vectors)
    near = compared(prompts, found, training.prompts)
    cut = training.same_meaning_cosine
    on = sides(near, training.outputs, expected=expected, wrong=wrong, same_meaning_cosine=cut)
    tasks = _tasks_of_cases(cases, near, fitted)
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
        rightness=rightness.of_cases(cases),
        same=[
            _on_sides(fitted, case, rows, uninstructed, near, on, i)
            for i, (case, (rows, uninstructed)) in enumerate(zip(cases, asking, strict=True))
        ],
    )


def _asking(fitted: FittedTrainingSet, case: BadCase, said: int) -> tuple[list[int], list[int]]:
    """Rows that ask what the case asks, and those that do so under an instruction that it lacks. ``said``: whole-hash
    of the model's output; an answer of more rows than are looked at is a label, and nobody's own."""
    examples, instructions = fitted.examples, fitted.instructions
    most = NEIGHBORS
    same, without = same_question.candidates(case, examples, fitted.questions, instructions, most)
    own = fitted.answers.find(said).tolist()
    others = [row for row in own if row not in same]
    # Who asks the same and says so is found; and an answer of many rows is nobody's own.
    if len(others) == len(own) <= same_question.OWN_ROWS:
        same = [*same, *same_question.taught_by(case, others, examples, instructions)][:most]
    return same, without


def _with_rows(
    found: Neighbors, rows: Sequence[Sequence[int]], queries: UnitVectors, corpus: UnitVectors
) -> Neighbors:
    """``found`` with these rows among it, in the place of the farthest: another frame may lie further off."""
    indices, cosines = found.indices.copy(), found.similarities.copy()
    width = indices.shape[1]
    for query, asking in enumerate(rows):
        wanted = np.array(asking, dtype=np.int64)
        missing = np.setdiff1d(wanted, indices[query])
        if missing.size:
            others = ~np.isin(indices[query], wanted)
            kept = ~others | (others & (np.cumsum(others) <= width - len(wanted)))
            own = np.asarray(corpus[missing], dtype=np.float32) @ np.asarray(queries[query], dtype=np.float32)
            joined, near = (
                np.concatenate([indices[query, kept], missing]),
                np.concatenate([cosines[query, kept], own]),
            )
            order = np.argsort(-near, kind="stable")[:width]
            indices[query], cosines[query] = joined[order], near[order]
    return Neighbors(indices=indices, similarities=cosines)


def _on_sides(
    fitted: FittedTrainingSet,
    case: BadCase,
    rows: Sequence[int],
    uninstructed: Sequence[int],
    near: Near,
    on: Sides,
    query: int,
) -> SameQuestion:
    """What the rows that ask the same answer. A free answer of neither side excludes the expected one only where that
    can be pointed at."""
    place = {int(row): column for column, row in enumerate(near.rows[query])}
    labels, tasks = fitted.known.labels.of, fitted.known.training.tasks

    def side(row: int) -> str:
        if on.expected[query, place[row]]:
            return "supporting"
        if on.wrong[query, place[row]]:
            return "teaching"
        if labels[row] >= 0 and fitted.known.placed[tasks[row]]:
            return "contradicting"
        output = fitted.examples[row].output
        excluded = case.wanted and contradiction.contradiction(case.prompt, case.wanted, output)
        return "contradicting" if excluded else "others"

    # Asked under several system prompts, and the case has none: whose answer it should have had is not known.
    systems = {fitted.examples[row].system for row in rows}
    unknown = len(systems) > 1 and not case.system and not (case.request and case.request.system)
    sides_of = [(row, "others" if unknown else side(row)) for row in rows]
    made = {name: tuple(row for row, its in sides_of if its == name) for name in same_question.SIDES}
    return SameQuestion(**made, uninstructed=tuple(uninstructed))


def _tasks_of_cases(cases: Sequence[BadCase], near: Near, fitted: FittedTrainingSet) -> Int64[ndarray, " q"]:
    """What the case's instruction says; where it is of no task, the task of most of the five nearest rows."""
    tasks = fitted.known.training.tasks
    made = np.zeros(len(cases), dtype=np.int64)
    if not len(tasks):
        return made
    closest = tasks[np.maximum(near.rows[:, :5], 0)]
    for row, case in enumerate(cases):
        said = fitted.tasks.get(text.instruction_of(case.prompt, fitted.instructions))
        made[row] = np.bincount(closest[row]).argmax() if said is None else said
    return made


def _explained(
    fitted: FittedTrainingSet,
    case: BadCase,
    looked: _Looked,
    causes: Float64[ndarray, "q 3"],
    row: int,
    options: TriageOptions,
) -> Finding:
    same = looked.same[row]
    mismatches = mismatch.mismatches(case, fitted.format, _task_format(fitted, same, looked.near.rows[row]))
    probabilities = findings.combined(causes[row], mismatch.probability(mismatches))
    right, alike = bool(looked.rightness.right[row]), bool(looked.rightness.looks_alike[row])
    cause = findings.root_cause(probabilities, already_right=right or alike, below=options.undetermined_below)
    seen = () if right else symptoms.symptom_findings(case, fitted.profile)
    near, on, relevance = looked.near, looked.sides, looked.relevance
    task = int(looked.tasks[row])
    labelled = bool(fitted.known.placed[task])
    return Finding(
        bad_case_id=case.id,
        root_cause=cause,
        probabilities=probabilities,
        confidence=probabilities[cause] if cause in probabilities else max(probabilities.values()),
        evidence=Evidence(
            neighbors=explain.neighbors(
                fitted, near, on, relevance, row, task, cause, options.shown_neighbors, same
            ),
            ood=explain.ood(
                fitted,
                case,
                looked.features[row],
                near.cosine[row][near.present[row]],
                int(looked.expected_rows[row]),
                options.known_scripts,
                labelled=labelled,
            ),
            conflict=explain.contradiction(
                fitted,
                case,
                near,
                on,
                relevance,
                looked.features[row],
                row,
                task,
                probabilities[RootCause.CONFLICT],
                same,
            ),
            hard=explain.hard(
                fitted,
                case,
                near,
                row,
                task,
                same,
                right=looked.rightness.how[row],
                looks_alike=alike,
            ),
            serving_mismatch=ServingEvidence(said=case.request is not None, mismatches=mismatches),
            symptoms=seen,
        ),
        symptoms=tuple(s.symptom for s in seen),
        recommended_actions=findings.recommended_actions(
            cause,
            tuple(s.symptom for s in seen),
            has_expected=bool(looked.has_expected[row]),
            already_right=right,
            labelled=labelled,
            nearest=float(near.cosine[row, 0]) if near.present[row].any() else None,
            taught=bool(same.supporting),
            answer_is_label=_is_label(case, int(looked.expected_rows[row])),
        ),
    )


def _task_format(fitted: FittedTrainingSet, same: SameQuestion, near: Int64[ndarray, " k"]) -> TaskFormat:
    left_out = {_instruction(fitted, row) for row in same.uninstructed}
    around = same.rows or same.uninstructed or [row for row in near[:3].tolist() if row >= 0]
    return TaskFormat(
        left_out=left_out.pop() if len(left_out) == 1 and not same.rows else "",
        systems=frozenset(text.normalised(fitted.examples[row].system or "") for row in around),
    )


def _instruction(fitted: FittedTrainingSet, row: int) -> str:
    return text.instruction_of(fitted.examples[row].prompt, fitted.instructions)


def _is_label(case: BadCase, expected_rows: int) -> bool:
    """Whether the expected answer is a word or two that other rows have as well, and neither a number nor an option's
    letter: those may take steps to reach."""
    wanted = case.wanted
    if expected_rows < 2 or not wanted or text.has_digit(wanted) or choices.chosen(case.prompt, wanted):
        return False
    return len(text.tokens(wanted)) <= CLOSED_ANSWER_MAX_TOKENS
