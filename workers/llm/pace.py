"""How many calls an endpoint is given at once: found out by asking, and shared by all workers of the machine.

More by one after 25 answers in a row, fewer by a quarter when the endpoint says that it is too much (429), and none
before the time that it names. The kernel frees the slots of a process that dies.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

FIRST_LIMIT: Final = 4.0
MOST: Final = 32
ANSWERS_FOR_ONE_MORE: Final = 25
SLOWER: Final = 0.75

_POLL_SECONDS: Final = 0.02


@dataclass(slots=True)
class _State:
    limit: float = FIRST_LIMIT
    in_a_row: int = 0
    not_before: float = 0.0  # of the wall clock, which all processes share

    @property
    def at_once(self) -> int:
        return max(1, int(self.limit))


class Pace:
    """Of one endpoint; ``folder`` is that endpoint's alone, on a local disk."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._state = folder / "state.json"
        self._lock = FileLock(folder / "state.lock", is_singleton=False)

    @property
    def limit(self) -> int:
        """Calls at once, at most."""
        return self._read().at_once

    @contextmanager
    def slot(self, still_wanted: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Wait for one of the places that there are, and hold it. ``still_wanted`` is called while waiting; what it
        raises ends the wait."""
        held = self._acquire(still_wanted)
        try:
            yield
        finally:
            held.release()

    def _acquire(self, still_wanted: Callable[[], None]) -> FileLock:
        while True:
            still_wanted()
            state = self._read()
            if time.time() >= state.not_before:
                for number in range(state.at_once):
                    place = FileLock(self._folder / f"slot-{number}.lock", is_singleton=False)
                    try:
                        place.acquire(timeout=0)
                    except Timeout:
                        continue
                    return place
            time.sleep(_POLL_SECONDS)

    def answered(self) -> None:
        with self._changing() as state:
            state.in_a_row += 1
            if state.in_a_row >= ANSWERS_FOR_ONE_MORE:
                state.in_a_row = 0
                state.limit = min(MOST, state.limit + 1)

    def too_much(self, *, wait_seconds: float) -> None:
        """The endpoint refused a call for there are too many: nobody asks it for so long, and then fewer at once. Of
        the calls that are refused together, the first one slows down."""
        with self._changing() as state:
            now = time.time()
            if now >= state.not_before:
                state.limit = max(1.0, state.limit * SLOWER)
            state.in_a_row = 0
            state.not_before = max(state.not_before, now + wait_seconds)

    @contextmanager
    def _changing(self) -> Iterator[_State]:
        with self._lock:
            state = self._read()
            yield state
            part = self._state.with_suffix(".part")
            part.write_text(json.dumps(asdict(state)))
            part.replace(self._state)

    def _read(self) -> _State:
        try:
            return _State(**json.loads(self._state.read_text()))
        except (OSError, ValueError, TypeError):
            return _State()
