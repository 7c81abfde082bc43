"""Rows of the accuracy sets as the engine takes them, and their vectors: each text embedded once a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

from app.domain.diagnosis.views import Vectors, texts_of
from app.domain.records import BadCase, Message, Role, TrainingExample
from app.embedding import default_embedder
from bench.diagnosis_speed import cases_of, examples_of
from bench.harness import read_rows

CAUSES = ("ood", "conflict", "hard")


@dataclass(slots=True)
class Embedding:
    """The default embedder with a memory."""

    known: dict[str, Float32[ndarray, " d"]] = field(default_factory=dict)

    def rows(self, texts: Sequence[str]) -> Float32[ndarray, "n d"]:
        new = [t for t in dict.fromkeys(texts) if t not in self.known]
        self.known.update(zip(new, default_embedder().encode(new), strict=True))
        made = [self.known[t] for t in texts]
        return np.array(made, dtype=np.float32).reshape(-1, default_embedder().dimensions)

    def by_name(self, texts: Sequence[str]) -> Mapping[str, Float32[ndarray, "n d"]]:
        return {default_embedder().name: self.rows(texts)}

    def vectors(self, examples: Sequence[TrainingExample], cases: Sequence[BadCase]) -> Vectors:
        texts = texts_of(examples, cases)
        unique = texts.unique()
        return Vectors.from_lookup(texts, unique, self.rows(unique))


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageSet:
    """``truth`` holds one record a case, ``causes`` (q,) its index into ``CAUSES``."""

    examples: Sequence[TrainingExample]
    cases: Sequence[BadCase]
    truth: Sequence[Mapping[str, Any]]
    causes: ndarray


def triage_set(data: Path) -> TriageSet:
    cases = read_rows(data / "triage_dev_cases.jsonl.gz")
    truth = {t["id"]: t for t in read_rows(data / "triage_dev_cases_truth.jsonl.gz")}
    told = [truth[c["id"]] for c in cases]
    return TriageSet(
        examples=examples_of(read_rows(data / "triage_dev_train.jsonl.gz")),
        cases=cases_of(cases),
        truth=told,
        causes=np.array([CAUSES.index(t["category"]) for t in told]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OodSet:
    """``uncovered`` (q,): the query is out of distribution."""

    name: str
    examples: Sequence[TrainingExample]
    labels: Sequence[str]
    cases: Sequence[BadCase]
    uncovered: Bool[ndarray, " q"]


def ood_sets(data: Path) -> list[OodSet]:
    rows = read_rows(data / "ood_dev.jsonl.gz")
    made = []
    for name in sorted({r["subset"] for r in rows}):
        train = [r for r in rows if r["subset"] == name and r["split"] == "train"]
        asked = [r for r in rows if r["subset"] == name and r["split"] == "query"]
        made.append(
            OodSet(
                name=name,
                examples=[
                    TrainingExample(
                        id=r["id"],
                        messages=(
                            Message(role=Role.USER, content=r["text"]),
                            Message(role=Role.ASSISTANT, content=r["label"]),
                        ),
                    )
                    for r in train
                ],
                labels=[r["label"] for r in train],
                cases=[
                    BadCase(
                        id=r["id"],
                        messages=(Message(role=Role.USER, content=r["text"]),),
                        model_output="",
                    )
                    for r in asked
                ],
                uncovered=np.array([r["truth"] == "ood" for r in asked]),
            )
        )
    return made
