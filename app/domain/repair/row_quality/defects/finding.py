"""What a row detector says, and what is a habit of a task rather than a defect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

PLAIN_SIGN: Final = 0.7
"""A sign in the text that is nearly always a defect, and sometimes what somebody wanted: a person decides."""

FAINT_SIGN: Final = 0.55
"""A little more likely bad than not."""

HINT: Final = 0.4
"""Counts only beside another sign."""


PROPOSED_FROM: Final = 0.5
"""A row is proposed when it is more likely bad than not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoisyRow:
    """``score`` 0..1: probability that the row is bad. ``reason`` is a sentence a person can check;
    ``evidence`` is JSON-ready. ``statistical``: no sign in the text, a comparison with the other rows."""

    row: int
    detector: str
    score: float
    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    statistical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A trait seen in one row. ``certainty`` 0..1: probability of a defect where the task has no such habit."""

    certainty: float
    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
