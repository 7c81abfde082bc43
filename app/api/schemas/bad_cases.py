"""Bad cases over HTTP: checked item by item, so that one bad item does not refuse the others."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from app.api.schemas.common import Body, Id, Resource
from app.services.bad_cases import CaseFilter, Outcome
from app.services.case_input import Label


class BadCaseItems(Body):
    """Items are checked one by one: what is wrong with one is said in its place of the answer."""

    items: list[Any] = Field(max_length=1000)


class ItemError(Resource):
    code: str
    message: str
    pointer: str = Field(description="JSON pointer into the item; empty for the item as a whole.")


class SubmittedCase(Resource):
    id: str | None
    external_id: str | None
    status: Outcome
    error: ItemError | None = None


class SubmittedCases(Resource):
    object: Literal["list"] = "list"
    data: list[SubmittedCase]


class BadCase(Resource):
    object: Literal["bad_case"] = "bad_case"
    id: str
    external_id: str | None
    messages: list[dict[str, Any]]
    model_output: str
    expected_output: str | None
    alternatives: list[str]
    model: str | None
    adapter_id: str | None
    request: dict[str, Any] | None
    tags: list[str]
    metadata: dict[str, Any] = Field(validation_alias="extra")
    occurred_at: datetime | None
    source: str | None
    revision: int
    created_at: datetime
    updated_at: datetime


class CaseFilterInput(Body):
    """Every given condition must hold; none given means all bad cases of the project."""

    tag: Label | None = None
    source: Annotated[str, Field(max_length=500)] | None = None
    model: Annotated[str, Field(max_length=500)] | None = None
    adapter_id: Annotated[str, Field(max_length=64)] | None = None
    external_id: Annotated[str, Field(max_length=500)] | None = None
    has_expected: bool | None = None

    def to_filter(self) -> CaseFilter:
        return CaseFilter(**self.model_dump())


class CaseSelection(Body):
    """Which bad cases: the ones named, or the ones that meet the filter."""

    bad_case_ids: Annotated[list[Id], Field(max_length=100_000)] | None = None
    filter: CaseFilterInput | None = None
