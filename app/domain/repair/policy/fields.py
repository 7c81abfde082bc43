"""Fields of a policy from outside, checked: a ValueError says which field, what is wrong and how to fix it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, TypeVar

E = TypeVar("E", bound=StrEnum)


def check_fields(raw: Mapping[str, Any], known: Collection[str], section: str = "policy") -> None:
    """Refuse fields that nobody would read."""
    unknown = sorted(set(raw) - set(known))
    if unknown:
        raise ValueError(f"{section} has no field {unknown[0]!r}; its fields are {', '.join(sorted(known))}")


def choice(kind: type[E], raw: object, name: str) -> E:
    try:
        return kind(raw)
    except ValueError:
        raise ValueError(f"policy.{name} holds {raw!r}; choose from {names(kind)}") from None


def names(kind: type[StrEnum]) -> str:
    return ", ".join(member.value for member in kind)


def flag(raw: object, name: str) -> bool:
    if not isinstance(raw, bool):
        raise ValueError(f"policy.{name} is {raw!r}; give true or false")
    return raw


def share(raw: object, name: str) -> float:
    """A number from 0 to 1."""
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 <= raw <= 1:
        raise ValueError(f"policy.{name} is {raw!r}; give a number from 0 to 1")
    return float(raw)


def texts(raw: object, name: str) -> tuple[str, ...]:
    if not isinstance(raw, list | tuple) or not all(isinstance(x, str) and x for x in raw):
        raise ValueError(f"policy.{name} is {raw!r}; give a list of names")
    return tuple(raw)
