"""A row put in one form."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.records import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalisation:
    """A row's cleaned turns and what was done to them, with counts: "special tokens removed (2)"."""

    messages: tuple[Message, ...]
    rejected: tuple[Message, ...]
    changes: tuple[str, ...]
