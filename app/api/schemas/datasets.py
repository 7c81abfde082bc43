"""Datasets, imports and versions over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from app.api.schemas.common import Body, LongWork, Name, Resource
from app.domain.formats import FORMATS
from app.services.versions.exports import CSV, LLAMA_FACTORY, PARQUET

_ROWS: Final = tuple(format.name for format in FORMATS)
EXPORT_FORMATS: Final = (*_ROWS, CSV, PARQUET, LLAMA_FACTORY)
UPLOAD_FORMATS: Final = ("auto", *_ROWS, CSV, PARQUET)


def _one_of(names: Sequence[str]) -> Callable[[str], str]:
    def check(name: str) -> str:
        if name not in names:
            raise ValueError(f"give one of {', '.join(names)}")
        return name

    return check


ExportFormat = Annotated[
    str,
    AfterValidator(_one_of(EXPORT_FORMATS)),
    Field(
        json_schema_extra={"enum": list(EXPORT_FORMATS)},
        description="Rows: one JSON object a line; kto and dpo as TRL's trainers read them. parquet: for Hugging "
        "Face datasets. llamafactory: a zip with dataset_info.json and the files that it names.",
    ),
]
UploadFormat = Annotated[
    str,
    AfterValidator(_one_of(UPLOAD_FORMATS)),
    Field(
        json_schema_extra={"enum": list(UPLOAD_FORMATS)},
        description="auto: told by the first rows. csv (any separator) and parquet: their columns say the rest.",
    ),
]


class NewDataset(Body):
    name: Name
    description: str | None = Field(default=None, max_length=10_000)


class Dataset(Resource):
    object: Literal["dataset"] = "dataset"
    id: str
    name: str
    description: str | None
    created_at: datetime


class RowProblem(Resource):
    line: int = Field(description="Line of the upload, or the element of its array, from 1.")
    code: str
    message: str


class Import(LongWork):
    object: Literal["import"] = "import"
    dataset_id: str
    format: str
    strict: bool
    encoding: str | None = Field(description="Of the upload's text, where one was named.")
    rows_total: int = Field(
        description="Rows read: accepted + rejected; of a failed import, until it failed."
    )
    rows_accepted: int
    rows_rejected: int
    errors: list[RowProblem] = Field(description="The first 1,000 rejected rows.")
    dataset_version_id: str | None


class DatasetVersion(Resource):
    object: Literal["dataset_version"] = "dataset_version"
    id: str
    dataset_id: str
    parent_id: str | None
    rows: int
    content_hash: str = Field(description="SHA-256 over the rows' record hashes in order.")
    recipe: dict[str, Any]
    statistics: dict[str, Any]
    created_at: datetime


class Example(Resource):
    object: Literal["example"] = "example"
    id: str
    position: int
    messages: list[dict[str, Any]]
    rejected: list[dict[str, Any]] | None
    desirable: bool | None = Field(
        description="KTO: false where nobody should answer so; null where the row does not say."
    )
    tools: Any = None
    source_id: str | None
    metadata: dict[str, Any]
    content_hash: str


class ChangedRow(Resource):
    kind: Literal["added", "removed", "changed"]
    reason: str
    action_id: str | None
    example_id: str | None
    previous_example_id: str | None
    before: dict[str, Any] | None = Field(description="The row that was there: its turns, id and metadata.")
    after: dict[str, Any] | None


class ChangeCounts(Resource):
    added: int
    removed: int
    changed: int


class Diff(Resource):
    object: Literal["diff"] = "diff"
    dataset_version_id: str
    against: str | None
    added: list[ChangedRow]
    removed: list[ChangedRow]
    changed: list[ChangedRow]
    counts: ChangeCounts = Field(description="Over all pages.")
    has_more: bool
    next_after: str | None


class Event(Resource):
    object: Literal["event"] = "event"
    id: int
    subject_id: str
    type: str
    data: dict[str, Any]
    created_at: datetime
