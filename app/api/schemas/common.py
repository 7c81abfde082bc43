"""What all nouns share: strict input, output read from rows, lists, long work."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.db.base import WorkStatus

Item = TypeVar("Item")


class Body(BaseModel):
    """Input. Unknown fields are refused: a misspelt option must not be ignored in silence."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Resource(BaseModel):
    """Output, read from a row's attributes."""

    model_config = ConfigDict(from_attributes=True)


class ListOf(Resource, Generic[Item]):
    object: Literal["list"] = "list"
    data: list[Item]
    has_more: bool
    next_after: str | None = Field(description="Send it as 'after' to get what follows; null at the end.")


class LongWork(Resource):
    """Work that a worker does. ``progress`` 0..1; ``error`` is a problem, once it has failed."""

    id: str
    created_at: datetime
    status: WorkStatus
    progress: float
    error: dict[str, Any] | None
    attempts: int
    cancel_requested: bool
    started_at: datetime | None
    finished_at: datetime | None


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_not_blank)]
Id = Annotated[str, Field(min_length=1, max_length=100)]
