"""What everything that a user configures shares: unknown fields are refused, an error says where and why."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

Share = Annotated[float, Field(strict=True, ge=0, le=1)]
"""A number from 0 to 1."""


def _whole(value: object) -> object:
    """JSON knows one kind of number: 5.0 is the whole number 5."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole), Field(strict=True)]
Number = Annotated[float, Field(strict=True)]
Seed = Annotated[Whole, Field(ge=0, le=2**31 - 1)]


class Section(BaseModel):
    """A policy, a part of one, or options. Its fields, their ranges and their meaning stand in openapi.json."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        validate_default=False,
    )

    title: ClassVar[str] = "policy"
    """What an error calls it."""

    @classmethod
    def from_dict(cls, raw: object, name: str | None = None) -> Self:
        """Validate a section from outside; a ValueError says which field, what it holds and what it may hold."""
        try:
            return cls.model_validate(raw)
        except ValidationError as error:
            raise ValueError(explained(error, name or cls.title)) from None

    def as_dict(self) -> dict[str, Any]:
        return self.model_dump(mode="json")

    def given(self) -> dict[str, Any]:
        """What the user set, without the defaults: this is stored, so that a later default applies to it."""
        return self.model_dump(mode="json", exclude_unset=True)


def explained(error: ValidationError, name: str) -> str:
    """The first thing that is wrong, in one sentence."""
    first = error.errors()[0]
    place = ".".join([name, *map(str, first["loc"])])
    if first["type"] == "extra_forbidden":
        return f"{place.rpartition('.')[0]} has no field {str(first['loc'][-1])!r}"
    if first["type"] == "missing":
        return f"{place} is missing"
    if first["type"] == "value_error":
        return f"{place}: {first['msg'].removeprefix('Value error, ')}"
    if first["type"] == "model_type":
        return f"{place} is {first['input']!r}: give an object with its fields"
    said = first["msg"]
    return f"{place} is {first['input']!r}: {said[:1].lower()}{said[1:]}"
