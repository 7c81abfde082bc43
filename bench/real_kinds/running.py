"""The planted set through the engine as it is: read, diagnosed, and repaired by the default policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from app.domain.diagnosis.triage import triage
from app.domain.diagnosis.views import Vectors
from app.domain.evidence import Finding
from app.domain.formats import RowError, format_named, parse_row
from app.domain.near_duplicates.leakage import ProtectedKind, ProtectedPrompt
from app.domain.records import BadCase, ServingRequest, TrainingExample
from app.domain.repair.apply.apply import apply_actions
from app.domain.repair.draft.actions import ProposedAction
from app.domain.repair.plan import PlanInputs, RepairPolicy, plan_repair
from app.services.bad_cases import NewBadCase, check
from app.services.case_input import to_new_case
from bench.diagnosis_data import Embedding
from bench.real_kinds.planting import PlantedCase, PlantedRow, PlantedSet


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSet:
    """``refused``: rows that the import does not take, and why. Cases stand in the order of the planted ones."""

    examples: tuple[TrainingExample, ...]
    refused: tuple[tuple[str, str], ...]
    cases: tuple[BadCase, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """``after``: the rows of the next version by the id of the planted row."""

    read: ReadSet
    vectors: Vectors
    findings: tuple[Finding, ...]
    actions: tuple[ProposedAction, ...]
    after: dict[str, TrainingExample]


def read_set(planted: PlantedSet) -> ReadSet:
    examples, refused = [], []
    for row in planted.rows:
        read = read_row(row)
        if isinstance(read, TrainingExample):
            examples.append(read)
        else:
            refused.append((row.id, read))
    return ReadSet(
        examples=tuple(examples), refused=tuple(refused), cases=tuple(read_case(c) for c in planted.cases)
    )


def read_row(row: PlantedRow) -> TrainingExample | str:
    """The row as an import reads it, or why it does not."""
    form = format_named(row.format)
    assert form is not None
    try:
        return parse_row(dict(row.body), form).with_id(row.id)
    except RowError as error:
        return f"{error.code}: {error.message}"


def read_case(planted: PlantedCase) -> BadCase:
    """The case as the API takes it; a ValueError where it would refuse it."""
    sent = to_new_case(dict(planted.body))
    case = check(sent) if isinstance(sent, NewBadCase) else sent
    if not isinstance(case, NewBadCase):
        raise ValueError(f"{planted.id} is no bad case: {case.message}")
    request = None
    if case.request is not None:
        request = ServingRequest(
            system=case.request.get("system"), prompt_text=case.request.get("prompt_text")
        )
    return BadCase(
        id=planted.id,
        messages=case.messages,
        model_output=case.model_output,
        expected_output=case.expected_output,
        alternatives=case.alternatives,
        instruction_length=case.instruction_length,
        external_id=case.external_id,
        request=request,
    )


def run(planted: PlantedSet, embedding: Embedding) -> Outcome:
    """Diagnosis and repair of the whole set at once; held-back cases there are none."""
    read = read_set(planted)
    vectors = embedding.vectors(read.examples, read.cases)
    rng = np.random.default_rng
    fitted = [step for example in read.examples for step in example.steps()]
    found = triage(
        examples=fitted,
        cases=read.cases,
        vectors=embedding.vectors(fitted, read.cases),
        rng=rng(planted.seed),
    )
    material = PlanInputs(
        input_vectors=vectors.example_inputs[:],
        output_vectors=vectors.example_outputs[:],
        cases=read.cases,
        case_vectors=vectors.case_inputs,
        findings=found.findings,
        protected=[
            ProtectedPrompt(kind=ProtectedKind.BAD_CASE, id=c.id, prompt=c.prompt) for c in read.cases
        ],
        rng=rng(planted.seed),
    )
    plan = plan_repair(read.examples, material, RepairPolicy())
    return Outcome(
        read=read,
        vectors=vectors,
        findings=found.findings,
        actions=plan.actions,
        after=applied(read.examples, plan.actions),
    )


def applied(
    examples: Sequence[TrainingExample], actions: Sequence[ProposedAction]
) -> dict[str, TrainingExample]:
    number = count()
    made = apply_actions(examples, actions, new_id=lambda: f"new-{next(number)}")
    return {row.example.source_id or row.example.id: row.example for row in made.rows}
