"""Small training sets with defects that the tests know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from app.domain.evidence import Evidence, Finding
from app.domain.records import BadCase, Message, Role, RootCause, TrainingExample


def example(
    example_id: str, prompt: str, output: str, *, system: str | None = None, instruction: str = ""
) -> TrainingExample:
    content = f"{instruction}\n{prompt}" if instruction else prompt
    head = (Message(role=Role.SYSTEM, content=system),) if system else ()
    return TrainingExample(
        id=example_id,
        messages=(
            *head,
            Message(role=Role.USER, content=content),
            Message(role=Role.ASSISTANT, content=output),
        ),
        instruction_length=len(instruction),
    )


def bad_case(
    case_id: str, prompt: str, wrong: str, expected: str | None, *, instruction: str = ""
) -> BadCase:
    content = f"{instruction}\n{prompt}" if instruction else prompt
    return BadCase(
        id=case_id,
        messages=(Message(role=Role.USER, content=content),),
        model_output=wrong,
        expected_output=expected,
        instruction_length=len(instruction),
    )


def finding(case_id: str, cause: RootCause) -> Finding:
    return Finding(
        bad_case_id=case_id, root_cause=cause, probabilities={cause: 1.0}, confidence=1.0, evidence=Evidence()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelTask:
    """Rows around one centre for each topic; ``gold`` is each row's right label."""

    examples: list[TrainingExample]
    gold: list[str]
    inputs: Float32[ndarray, "n d"]
    cases: list[BadCase]
    case_inputs: Float32[ndarray, "m d"]

    @property
    def outputs(self) -> Float32[ndarray, "n d"]:
        return np.zeros((len(self.examples), 4), dtype=np.float32)


def label_task(
    rng: np.random.Generator,
    *,
    labels: tuple[str, ...] = ("cards", "loans", "travel", "weather", "music", "sports"),
    swapped: tuple[tuple[str, str], ...] = (),
    rows_each: int = 20,
    cases_each: int = 6,
    noise: float = 0.5,
    spread: float = 0.25,
) -> LabelTask:
    """For each (right, wrong) of ``swapped`` a share ``noise`` of the right label's rows carries the wrong
    one, and ``cases_each`` bad cases expect the right one where the model said the wrong one."""
    dimensions = 32
    centres = {label: _unit(rng.normal(size=dimensions)) for label in labels}

    def near(label: str) -> Float32[ndarray, " d"]:
        return _unit(centres[label] + spread * rng.normal(size=dimensions) / np.sqrt(dimensions) * 3)

    wrong_of = dict(swapped)
    examples, gold, vectors = [], [], []
    for label in labels:
        flipped = round(noise * rows_each) if label in wrong_of else 0
        for i in range(rows_each):
            said = wrong_of[label] if i < flipped else label
            number = len(examples)
            examples.append(example(f"ex_{number}", f"{label} question number {number} about it", said))
            gold.append(label)
            vectors.append(near(label))
    cases, case_vectors = [], []
    for right, wrong in swapped:
        for i in range(cases_each):
            cases.append(bad_case(f"bc_{right}_{i}", f"{right} case {i} that went wrong", wrong, right))
            case_vectors.append(near(right))
    return LabelTask(
        examples=examples,
        gold=gold,
        inputs=np.array(vectors, dtype=np.float32),
        cases=cases,
        case_inputs=np.array(case_vectors, dtype=np.float32).reshape(-1, dimensions),
    )


def _unit(vector: ndarray) -> Float32[ndarray, " d"]:
    return (vector / np.linalg.norm(vector)).astype(np.float32)
