"""The map of a diagnosis: places of training rows and cases, kept as one artifact beside the diagnosis.

Also keeps the centres of the clusters, by which a later diagnosis knows them again. A place is two 16-bit numbers:
65,535 steps are finer than any screen, and even everywhere, which float16 is not.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32, UInt16
from numpy import ndarray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.artifacts import ArtifactNotFound, ArtifactStore
from app.db.models import DiagnosisRow, FindingRow, VersionExampleRow
from app.db.repositories import examples as example_rows
from app.db.repositories import findings as finding_rows
from app.domain.diagnosis.clusters.projection import MAP_SCALE, Projection
from app.domain.language import text
from app.domain.records import TrainingExample
from app.errors import InvalidInput, NotFound
from app.services.diagnoses import diagnoses

MAX_GROUPS = 60
NAME_CHARACTERS = 120
EXCERPT_CHARACTERS = 140


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosisMap:
    """``examples`` in the order of the dataset version, ``cases`` in that of the findings; 0..65535.

    ``groups`` (n,) index ``group_names``, -1 = none of them. ``centroids`` (k, d) are unit vectors of the
    clusters in their order, made by ``embedder``.
    """

    examples: UInt16[ndarray, "n 2"]
    cases: UInt16[ndarray, "q 2"]
    groups: Int32[ndarray, " n"]
    group_names: tuple[str, ...]
    centroids: Float32[ndarray, "k d"]
    embedder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedRow:
    """A training row by its number on the map."""

    index: int
    example_id: str
    input: str
    output: str


def draw(
    projection: Projection,
    *,
    examples: Sequence[TrainingExample],
    case_vectors: Float32[ndarray, "q d"],
    cluster_of_case: Sequence[int],
    clusters: int,
    embedder: str,
) -> DiagnosisMap:
    """The map that is kept. ``cluster_of_case`` is -1 where a case stands alone."""
    groups, names = _groups(examples)
    centroids = np.zeros((clusters, case_vectors.shape[1]), dtype=np.float32)
    of_case = np.asarray(cluster_of_case, dtype=np.int64)
    np.add.at(centroids, of_case[of_case >= 0], case_vectors[of_case >= 0])
    centroids /= np.maximum(np.linalg.norm(centroids, axis=1, keepdims=True), 1e-9)
    return DiagnosisMap(
        examples=_steps(projection.examples),
        cases=_steps(projection.cases),
        groups=groups,
        group_names=names,
        centroids=centroids,
        embedder=embedder,
    )


def save(store: ArtifactStore, made: DiagnosisMap) -> str:
    """The address of the map; the same map has the same one."""
    buffer = io.BytesIO()
    about = {"group_names": made.group_names, "embedder": made.embedder}
    np.savez_compressed(
        buffer,
        examples=made.examples,
        cases=made.cases,
        groups=made.groups,
        centroids=made.centroids.astype(np.float16),
        about=np.frombuffer(json.dumps(about).encode(), dtype=np.uint8),
    )
    return store.put_bytes(buffer.getvalue()).uri


def load(store: ArtifactStore, uri: str) -> DiagnosisMap:
    """Raises ArtifactNotFound."""
    with store.open(uri) as stream:
        parts = np.load(io.BytesIO(stream.read()), allow_pickle=False)
    about = json.loads(parts["about"].tobytes())
    return DiagnosisMap(
        examples=parts["examples"],
        cases=parts["cases"],
        groups=parts["groups"],
        group_names=tuple(about["group_names"]),
        centroids=parts["centroids"].astype(np.float32),
        embedder=about["embedder"],
    )


def known_places(
    session: Session, store: ArtifactStore, dataset_version_id: str, *, embedder: str
) -> Float32[ndarray, "n 2"] | None:
    """Where the rows of this version lie on the latest map of it that rests on the same vectors, if any."""
    rows = session.scalars(
        select(DiagnosisRow)
        .where(
            DiagnosisRow.dataset_version_id == dataset_version_id,
            DiagnosisRow.status == "succeeded",
            DiagnosisRow.map_uri.is_not(None),
        )
        .order_by(DiagnosisRow.created_at.desc())
        .limit(3)
    )
    for row in rows:
        found = of_diagnosis(store, row)
        if found is not None and found.embedder == embedder:
            return (found.examples / MAP_SCALE).astype(np.float32)
    return None


def of_diagnosis(store: ArtifactStore, diagnosis: DiagnosisRow) -> DiagnosisMap | None:
    """The map, or None: diagnoses of earlier versions have none, and an artifact may be gone."""
    if diagnosis.map_uri is None:
        return None
    try:
        return load(store, diagnosis.map_uri)
    except ArtifactNotFound:
        return None


def read(
    session: Session, store: ArtifactStore, project_id: str, diagnosis_id: str
) -> tuple[DiagnosisMap, list[FindingRow]]:
    """The map and the findings that its cases are. Raises NotFound, and InvalidInput while it runs."""
    diagnosis = diagnoses.get_succeeded(session, project_id, diagnosis_id)
    found = of_diagnosis(store, diagnosis)
    if found is None:
        raise NotFound(f"diagnosis {diagnosis_id} has no map; run it again to get one")
    # A finding goes with its bad case; the ordinal says which place was its.
    return found, [f for f in diagnoses.list_findings(session, diagnosis_id) if f.ordinal < len(found.cases)]


def excerpt(finding: FindingRow) -> str:
    """The beginning of a case's prompt on one line."""
    prompt = " ".join(finding_rows.case_from_snapshot(finding).prompt[: 4 * EXCERPT_CHARACTERS].split())
    return prompt if len(prompt) <= EXCERPT_CHARACTERS else prompt[: EXCERPT_CHARACTERS - 1] + "…"


def rows_at(session: Session, project_id: str, diagnosis_id: str, indices: Sequence[int]) -> list[PlacedRow]:
    """Training rows by their numbers on the map, in the order asked for. Raises InvalidInput."""
    diagnosis = diagnoses.get_succeeded(session, project_id, diagnosis_id)
    counted = select(
        VersionExampleRow.example_id,
        (func.row_number().over(order_by=VersionExampleRow.position) - 1).label("index"),
    ).where(VersionExampleRow.version_id == diagnosis.dataset_version_id)
    numbered = counted.subquery()
    wanted = select(numbered.c.index, numbered.c.example_id).where(numbered.c.index.in_(list(indices)))
    ids: dict[int, str] = {row["index"]: row["example_id"] for row in session.execute(wanted).mappings()}
    if missing := [i for i in indices if i not in ids]:
        raise InvalidInput(f"the map has no training row {missing[0]}")
    examples = example_rows.by_ids(session, list(ids.values()))
    return [
        PlacedRow(index=i, example_id=ids[i], input=examples[ids[i]].prompt, output=examples[ids[i]].output)
        for i in indices
    ]


def _steps(places: Float32[ndarray, "m 2"]) -> UInt16[ndarray, "m 2"]:
    return np.round(np.clip(places, 0.0, 1.0) * MAP_SCALE).astype(np.uint16)


def _groups(examples: Sequence[TrainingExample]) -> tuple[Int32[ndarray, " n"], tuple[str, ...]]:
    """Training rows by their task instruction, the most frequent ones first; -1 where there is none."""
    names = [text.clip(" ".join((e.instruction or "").split()), NAME_CHARACTERS) for e in examples]
    counts: dict[str, int] = {}
    for name in names:
        if name:
            counts[name] = counts.get(name, 0) + 1
    # An instruction that stands over one row is a prompt, not a task.
    kept = sorted((n for n, count in counts.items() if count > 1), key=lambda n: (-counts[n], n))[:MAX_GROUPS]
    number = {name: i for i, name in enumerate(kept)}
    return np.array([number.get(name, -1) for name in names], dtype=np.int32), tuple(kept)
