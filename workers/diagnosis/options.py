"""What a diagnosis does only where it is asked to: ask the adapter that failed, and a language model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from app.domain.answers import agreement
from app.domain.diagnosis.triage import Diagnosis
from app.domain.records import BadCase, TrainingExample
from app.domain.vectors.half_precision import UnitVectors
from workers.context import StageContext
from workers.diagnosis.adapter import NEAREST_ROWS, look_at_adapter, with_adapter_evidence
from workers.diagnosis.judge import ask_language_model


def with_options(
    context: StageContext,
    diagnosis: Diagnosis,
    options: Mapping[str, Any],
    *,
    examples: Sequence[TrainingExample],
    cases: Sequence[BadCase],
    case_vectors: Float32[ndarray, "q d"],
    example_vectors: UnitVectors,
    progress: Callable[[float], None],
) -> Diagnosis:
    """The diagnosis with what ``options`` (``adapter_id``, ``judge``, ``seed``) ask for beside it.

    The adapter is evidence and moves no verdict; the language model breaks near ties. What was asked and what
    could not be had stands in ``calibration`` under ``adapter`` and ``language_model``.
    """
    adapter_id = options.get("adapter_id")
    notes: dict[str, Any] = {}
    if adapter_id is not None:
        nearest = agreement.nearest(case_vectors, example_vectors, NEAREST_ROWS).indices
        found = look_at_adapter(
            context,
            adapter_id,
            examples=examples,
            cases=cases,
            findings=diagnosis.findings,
            nearest=np.asarray(nearest, dtype=np.int64),
            seed=int(options.get("seed", 0)),
            progress=lambda share: progress(0.7 * share),
        )
        diagnosis = replace(diagnosis, findings=with_adapter_evidence(diagnosis.findings, found))
        notes["adapter"] = {
            "id": adapter_id,
            "cases_asked": len(found.signals),
            "cases_attributed": len(found.attribution),
            "notes": list(found.notes),
        }
    diagnosis, said = ask_language_model(
        context,
        diagnosis,
        cases=cases,
        training_rows=len(examples),
        judge_wanted=bool(options.get("judge", False)),
        progress=lambda share: progress(0.7 + 0.3 * share),
    )
    if said:
        notes["language_model"] = said
    return replace(diagnosis, calibration={**diagnosis.calibration, **notes})
