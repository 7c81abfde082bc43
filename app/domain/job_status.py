"""The states of long work and the moves between them. A final state is never left."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return not MOVES[self]


# running -> running is a take-over: the worker died and another one runs the stage again.
MOVES: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.RUNNING, Status.FAILED, Status.CANCELLED}),
    Status.RUNNING: frozenset(
        {Status.RUNNING, Status.QUEUED, Status.SUCCEEDED, Status.FAILED, Status.CANCELLED}
    ),
    Status.SUCCEEDED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELLED: frozenset(),
}


class IllegalMove(ValueError):
    """Raised for a move that no state machine of ours makes."""


def move(current: Status, to: Status) -> Status:
    """``to``, if it may follow ``current``; raises IllegalMove otherwise."""
    if to not in MOVES[current]:
        raise IllegalMove(f"{current.value} work cannot become {to.value}")
    return to
