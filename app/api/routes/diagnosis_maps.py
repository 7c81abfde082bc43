"""The map of a diagnosis, and two diagnoses against each other."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from app.api.dependencies import DatabaseSession, Reader, Store
from app.api.schemas.common import Id
from app.api.schemas.diagnosis_maps import Comparison, DiagnosisMap, MapExamples
from app.api.transaction_route import TransactionRoute
from app.db.repositories import findings as finding_rows
from app.domain.diagnosis.clusters.projection import MAP_SCALE
from app.services.diagnoses import comparisons, diagnoses, maps

router = APIRouter(prefix="/v1/diagnoses", tags=["diagnoses"], route_class=TransactionRoute)

MAX_EXAMPLES = 100


@router.get("/{diagnosis_id}/map", response_model=DiagnosisMap)
def read_map(diagnosis_id: Id, caller: Reader, session: DatabaseSession, store: Store) -> dict[str, Any]:
    """Where training rows and cases lie. 404 where the diagnosis was made before there were maps."""
    drawn, findings = maps.read(session, store, caller.project_id, diagnosis_id)
    places = drawn.cases[[f.ordinal for f in findings]]
    return {
        "diagnosis_id": diagnosis_id,
        "dataset_version_id": diagnoses.get(session, caller.project_id, diagnosis_id).dataset_version_id,
        "scale": MAP_SCALE,
        "groups": list(drawn.group_names),
        "examples": {
            "x": drawn.examples[:, 0].tolist(),
            "y": drawn.examples[:, 1].tolist(),
            "group": drawn.groups.tolist(),
        },
        "cases": {
            "finding_id": [f.id for f in findings],
            "bad_case_id": [f.bad_case_id for f in findings],
            "category": [finding_rows.effective_category(f) for f in findings],
            "x": places[:, 0].tolist(),
            "y": places[:, 1].tolist(),
            "text": [maps.excerpt(f) for f in findings],
        },
    }


@router.get("/{diagnosis_id}/map/examples", response_model=MapExamples)
def read_map_examples(
    diagnosis_id: Id,
    caller: Reader,
    session: DatabaseSession,
    at: Annotated[
        list[Annotated[int, Query(ge=0, le=2**31 - 1)]],
        Query(min_length=1, max_length=MAX_EXAMPLES, description="Numbers of rows on the map, from 0."),
    ],
) -> dict[str, Any]:
    """The training rows behind points of the map."""
    return {"data": maps.rows_at(session, caller.project_id, diagnosis_id, at)}


@router.get("/{diagnosis_id}/comparison", response_model=Comparison)
def compare_diagnoses(
    diagnosis_id: Id,
    caller: Reader,
    session: DatabaseSession,
    store: Store,
    with_: Annotated[Id, Query(alias="with", description="The diagnosis that was before.")],
) -> dict[str, Any]:
    """What became of the cases and clusters of another diagnosis."""
    made = comparisons.between(session, store, caller.project_id, diagnosis_id, with_)
    return {
        "before_id": made.before_id,
        "after_id": made.after_id,
        "by_category": {
            cause: {"before": before, "after": after} for cause, (before, after) in made.by_category.items()
        },
        "case_counts": made.case_counts,
        "cluster_counts": made.cluster_counts,
        "cases": made.cases,
        "clusters": made.clusters,
    }
