"""The map of a diagnosis and the comparison of two, over HTTP."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.api.schemas.common import Resource
from app.domain.diagnosis.clusters.trends import CaseChange, Trend
from app.domain.records import RootCause


class PlacedExamples(Resource):
    """One entry of each list for a training row, in the order of the dataset version."""

    x: list[int]
    y: list[int]
    group: list[int] = Field(description="Index into groups; -1 = none of them.")


class PlacedCases(Resource):
    """One entry of each list for a finding that has a place."""

    finding_id: list[str]
    bad_case_id: list[str]
    category: list[RootCause] = Field(description="A person's verdict where there is one.")
    x: list[int]
    y: list[int]
    text: list[str] = Field(description="The beginning of the prompt.")


class DiagnosisMap(Resource):
    """Training rows and cases in two dimensions; near prompts lie near each other."""

    object: Literal["map"] = "map"
    diagnosis_id: str
    dataset_version_id: str
    scale: int = Field(description="x and y are whole numbers from 0 to this.")
    groups: list[str] = Field(description="Task instructions that training rows share.")
    examples: PlacedExamples
    cases: PlacedCases


class MapExample(Resource):
    """A training row by its number on the map."""

    index: int
    example_id: str
    input: str
    output: str


class MapExamples(Resource):
    object: Literal["list"] = "list"
    data: list[MapExample]


class ComparedCase(Resource):
    bad_case_id: str
    external_id: str | None
    change: CaseChange = Field(
        description="fixed: its output is right now; gone: it is not in the later diagnosis."
    )
    before: RootCause | None
    after: RootCause | None


class ClusterTrend(Resource):
    """``cluster_id`` is of the later diagnosis; where the trend is fixed, of the earlier one."""

    cluster_id: str
    label: str
    trend: Trend
    size: int
    size_before: int
    before_id: str | None
    since: str | None = Field(description="Came back: the diagnosis in which it was last seen.")


class CategoryChange(Resource):
    before: int
    after: int


class Comparison(Resource):
    """What became of cases and clusters between two diagnoses."""

    object: Literal["comparison"] = "comparison"
    before_id: str
    after_id: str
    by_category: dict[RootCause, CategoryChange]
    case_counts: dict[CaseChange, int]
    cluster_counts: dict[Trend, int]
    cases: list[ComparedCase]
    clusters: list[ClusterTrend]
