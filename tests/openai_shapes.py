"""Walks answers beside the types of the official client: every field known to it, and none of its own missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openai import BaseModel


def differences(answer: Any, path: str = "") -> Iterator[str]:
    """What an object that the client parsed has too much, too little, or of a type that it does not know."""
    if isinstance(answer, list):
        for i, item in enumerate(answer):
            yield from differences(item, f"{path}[{i}]")
    if not isinstance(answer, BaseModel):
        return
    name = path or type(answer).__name__
    known = set(type(answer).model_fields)
    yield from (f"{name}.{field} is missing" for field in sorted(known - answer.model_fields_set))
    # an older client does not know a newer one's field; empty it says nothing to it
    more = sorted(answer.model_fields_set - known)
    yield from (f"{name}.{field} is unknown" for field in more if getattr(answer, field) is not None)
    # the client builds its objects without validation: do it here
    try:
        type(answer).model_validate(answer.model_dump(warnings=False), strict=True)
    except ValueError as error:
        yield f"{name}: {error}"
    for field in known & answer.model_fields_set:
        yield from differences(getattr(answer, field), f"{name}.{field}")


def walked(answer: Any) -> Any:
    """The answer, with nothing to object to."""
    found = list(differences(answer))
    assert not found, found
    return answer
