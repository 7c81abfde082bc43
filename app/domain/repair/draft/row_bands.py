"""What a plan says of one row: use it, review it, drop it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Use(StrEnum):
    USE = "use"
    REVIEW = "review"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowQuality:
    """What the plan says of one row. ``score`` and ``components`` 0..1, a component None where it is left out."""

    example_id: str
    score: float
    band: Use
    components: Mapping[str, float | None]
    vetoes: tuple[Veto, ...]


class Veto(StrEnum):
    SECRET = "secret"  # noqa: S105
    TOXIC = "toxic"
    LOOP = "loop"
    BROKEN_JSON = "broken_json"
