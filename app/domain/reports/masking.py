"""A report in which nobody's personal data and no key can be read: reports leave the project by mail and by print.

Knows what texts of a report are. Ids, hashes and times are left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar

from pydantic import BaseModel

from app.domain.repair.policy.pii import PiiKind
from app.domain.repair.rewriting.pii.masking import with_masks

T = TypeVar("T")

_NO_TEXT = ("id", "ids", "hash", "url", "uri")


def masked_report(report: T, kinds: AbstractSet[PiiKind]) -> T:
    """The same record with every text masked as ``with_masks`` does."""
    return _masked(report, kinds)


def _masked(value: Any, kinds: AbstractSet[PiiKind]) -> Any:
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return with_masks(value, kinds)
    if isinstance(value, Mapping):
        return {k: v if _is_id(k) else _masked(v, kinds) for k, v in value.items()}
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(_masked(item, kinds) for item in value)
    if isinstance(value, list):
        return [_masked(item, kinds) for item in value]
    if isinstance(value, BaseModel):
        return value.model_copy(update={k: _masked(v, kinds) for k, v in value if not _is_id(k)})
    if is_dataclass(value) and not isinstance(value, type):
        changed = {
            f.name: new
            for f in fields(value)
            if f.init
            and not _is_id(f.name)
            and (new := _masked(old := getattr(value, f.name), kinds)) is not old
        }
        return replace(value, **changed) if changed else value
    return value


def _is_id(name: object) -> bool:
    return isinstance(name, str) and not isinstance(name, Enum) and name.rpartition("_")[2] in _NO_TEXT
