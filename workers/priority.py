"""Workers leave the processor to whoever answers people."""

from __future__ import annotations

import os

# of 0..19: at 10 a process that waits for the processor gets ten times the share of ours
NICENESS = 10


def stand_back() -> None:
    """Requests of people go first on a machine that also runs the API and the database."""
    if hasattr(os, "nice"):
        os.nice(max(0, NICENESS - os.nice(0)))
