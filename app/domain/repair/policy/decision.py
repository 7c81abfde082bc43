"""What was decided about an action."""

from __future__ import annotations

from enum import StrEnum


class Decision(StrEnum):
    """Where an action stands. ``applied`` is final."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    APPLIED = "applied"
