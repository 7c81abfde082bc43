"""What was learnt from a dataset version, kept in the worker's memory: the next diagnosis of it starts there.

Versions never change, so nothing kept here can be stale; what a restart forgets is learnt again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from app.domain.diagnosis.fit import FittedTrainingSet

MAX_ROWS = 1_200_000
"""Rows of all sets that are kept together: about 3 KiB each with vectors and texts, less than learning them takes."""

ROWS_OF_A_SET = 100_000
"""What any set takes beside its rows (models, what was measured of samples), counted in rows."""


@dataclass(frozen=True, slots=True)
class Key:
    """``embedder`` with its fingerprint: vectors of other weights teach something else."""

    dataset_version_id: str
    embedder: str
    chat_template: str | None
    seed: int


class FittedSets:
    """The sets used last; safe for threads. Two that ask for the same new set both learn it."""

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self._max_rows = max_rows
        self._kept: OrderedDict[Key, FittedTrainingSet] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key, fit_training_set: Callable[[], FittedTrainingSet]) -> FittedTrainingSet:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        made = fit_training_set()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > 1 and sum(map(_rows, self._kept.values())) > self._max_rows:
                self._kept.popitem(last=False)
            if _rows(made) > self._max_rows:
                del self._kept[key]
        return made


def _rows(fitted: FittedTrainingSet) -> int:
    return ROWS_OF_A_SET + len(fitted.examples)
