"""What is learnt from a training set before any case is looked at; the same for every set of cases.

Immutable and without texts of cases: learnt once for a dataset version, used by every diagnosis of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray

from app.domain.diagnosis import symptoms
from app.domain.diagnosis.classifier import cause_classifier
from app.domain.diagnosis.classifier.cause_classifier import CauseClassifier
from app.domain.diagnosis.evidence import difficulty, novelty
from app.domain.diagnosis.evidence.difficulty import Demands
from app.domain.diagnosis.evidence.novelty import Vocabulary
from app.domain.diagnosis.evidence.same_question import RowIndex, questions_of
from app.domain.diagnosis.features import conflict
from app.domain.diagnosis.features.coverage import BASELINE_MIN_ROWS
from app.domain.diagnosis.features.extractor import SIMULATION_ROWS, Reference, fit_reference
from app.domain.diagnosis.features.neighbors import NEIGHBORS, Reader, part_of, read_training_set
from app.domain.diagnosis.serving.training_format import TrainingFormat, format_of
from app.domain.diagnosis.simulation.simulated_cases import CAUSES, simulate
from app.domain.diagnosis.symptoms import OutputProfile
from app.domain.diagnosis.views import ExampleInputs, Vectors, texts_of
from app.domain.instructions import known_instructions
from app.domain.language import ngram_frequencies, text
from app.domain.language.ngram_frequencies import grams_of
from app.domain.records import TrainingExample


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedTrainingSet:
    """``tasks``: the number of each task by its instruction. ``margins`` (m,) ascending: by how much training
    rows are nearer to their own group than to the next."""

    examples: Sequence[TrainingExample]
    instructions: frozenset[str]
    tasks: Mapping[str, int]
    known: Reference
    classifier: CauseClassifier
    profile: OutputProfile
    demands: Demands
    vocabulary: Vocabulary
    format: TrainingFormat
    questions: RowIndex
    answers: RowIndex
    margins: Float64[ndarray, " m"]

    def summary(self) -> dict[str, Any]:
        """What was learnt from the training set and how, JSON-ready."""
        training, simulation = self.known.training, self.classifier.simulation
        made = np.bincount(simulation.causes, minlength=len(CAUSES))
        nearest = training.sampled.cosine[:, 0]
        quantiles = (0.01, 0.05, 0.25, 0.5, 0.75) if len(training) > 1 else ()
        fitted = self.classifier.fitted
        return {
            "method": "causes simulated in the training set" if fitted else "too few rows to learn from",
            "training_rows": len(training),
            "sampled_rows": len(training.sample),
            "simulated_cases": {cause.value: int(made[i]) for i, cause in enumerate(CAUSES)},
            "expected_calibration_error": self.classifier.calibration_error,
            "search_recall": round(training.index.recall, 4),
            "same_meaning_cosine": round(training.same_meaning_cosine, 4),
            "nearest_cosine_quantiles": {
                f"{q:g}": round(float(np.quantile(nearest, q)), 4) for q in quantiles
            },
            "agreement_of_near_rows": [round(float(a), 4) for a in self.known.relevance.task_agreement],
            "tasks_with_labels": int(self.known.placed.sum()),
        }


def fit_training_set(
    examples: Sequence[TrainingExample],
    vectors: Vectors,
    rng: np.random.Generator,
    *,
    chat_template: str | None = None,
    reader: Reader = ngram_frequencies.read,
    progress: Callable[[float], None] = lambda _: None,
) -> FittedTrainingSet:
    """``vectors``: of the examples; those of cases are not looked at. ``reader`` reads the prompts' n-grams, perhaps
    on other machines. ``progress`` gets the share done."""
    instructions = known_instructions(examples)
    texts = texts_of(examples, [], instructions)
    numbers, tasks = _tasks(examples, instructions)
    training = read_training_set(texts, vectors, tasks, rng, reader)
    demands = difficulty.demands_of(texts.example_inputs, texts.example_outputs, tasks)
    vocabulary = novelty.vocabulary(texts.example_inputs)
    del texts  # from here on few prompts are read, and those out of the rows themselves
    inputs = ExampleInputs(examples, instructions)
    training = replace(training, prompts=replace(training.prompts, texts=inputs))
    progress(0.3)
    relevance = conflict.learn_relevance(training, rng)
    part = part_of(training, SIMULATION_ROWS, rng)
    grams = grams_of(part.prompts.texts)
    small = fit_reference(part, relevance, grams=grams)
    known = small if part is training else fit_reference(training, relevance)
    simulation = simulate(small, rng, grams)
    progress(0.8)
    classifier = cause_classifier.fit(simulation, seed=int(rng.integers(2**31)))
    outputs = training.outputs.whole
    near = training.sampled.first(NEIGHBORS)
    said = np.where(near.present, outputs[np.maximum(near.rows, 0)] if len(outputs) else 0, -1)
    return FittedTrainingSet(
        examples=examples,
        instructions=instructions,
        tasks=numbers,
        known=known,
        classifier=classifier,
        profile=symptoms.profile(examples, instructions),
        demands=demands,
        vocabulary=vocabulary,
        format=format_of(examples, instructions, chat_template),
        questions=questions_of(inputs),
        answers=RowIndex.build(outputs),
        margins=np.sort(difficulty.margins(near.cosine, said)),
    )


def _tasks(
    examples: Sequence[TrainingExample], instructions: frozenset[str]
) -> tuple[dict[str, int], Int64[ndarray, " n"]]:
    same: dict[str, str] = {}
    asked = (text.instruction_of(e.prompt, instructions) for e in examples)
    names = [same.setdefault(name, name) for name in asked]
    numbers = task_numbers(names)
    return numbers, np.fromiter((numbers.get(name, 0) for name in names), dtype=np.int64, count=len(names))


def task_numbers(instructions: Sequence[str]) -> dict[str, int]:
    """Tasks by the instruction of their rows, from 1 on; 0 is for rows with none or one too rare to have
    quantiles of its own."""
    rows = Counter(instructions)
    common = sorted(name for name, count in rows.items() if name and count >= BASELINE_MIN_ROWS)
    return {name: i + 1 for i, name in enumerate(common)}
