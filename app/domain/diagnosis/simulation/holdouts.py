"""What is taken out of a training set so that it is not covered any more: labels, corners, whole tasks."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int64
from numpy import ndarray

from app.domain.diagnosis.features.extractor import Reference


def regions_out(
    clean: Reference, turn: int, rng: np.random.Generator
) -> tuple[Bool[ndarray, " n"], Bool[ndarray, " n"], Int64[ndarray, " n"]]:
    """Rows that go, the rows of these that are asked for, and under which task they are asked (-1 = own).

    Of every task some labels or a corner; and once in a while a whole task, asked for under another one.
    """
    training = clean.training
    count = len(training)
    out, inner = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    declared = np.full(count, -1, dtype=np.int64)
    tasks = np.unique(training.tasks)
    gone = -1
    if len(tasks) > 2 and turn % 2 == 1:
        gone = int(rng.choice(tasks))
        whole = training.tasks == gone
        out |= whole
        inner |= whole
        others = tasks[tasks != gone]
        declared[whole] = rng.choice(others, int(whole.sum()))
    for task in tasks.tolist():
        if task == gone:
            continue
        # where labels have a place, what is not covered is a label that was never taught
        leave_out = _labels_out if clean.placed[task] else _corner_out
        of, asked = leave_out(clean, task, rng)
        out |= of
        inner |= asked
    if out.all():
        out[:], inner[:] = False, False
    return out, inner, declared


def _labels_out(
    clean: Reference, task: int, rng: np.random.Generator
) -> tuple[Bool[ndarray, " n"], Bool[ndarray, " n"]]:
    """Rows of a tenth of the task's labels."""
    of_task = clean.training.tasks == task
    labels = np.unique(clean.labels.of[of_task & (clean.labels.of >= 0)])
    chosen = rng.choice(labels, max(1, len(labels) // 10), replace=False)
    out = np.isin(clean.labels.of, chosen) & of_task
    return out, out


def _corner_out(
    clean: Reference, task: int, rng: np.random.Generator
) -> tuple[Bool[ndarray, " n"], Bool[ndarray, " n"]]:
    """A ball around a random row, a twentieth to half of its task; asked for is its inner half."""
    training = clean.training
    among = np.flatnonzero(training.tasks == task)
    vectors = training.prompts.vectors
    cosines = np.full(len(training), -2.0, dtype=np.float32)
    cosines[among] = vectors[among] @ vectors[int(rng.choice(among))]
    ascending = np.sort(cosines[among])
    size = min(len(among), max(2, int(np.exp(rng.uniform(np.log(0.05), np.log(0.5))) * len(among))))
    # By value, so that twins of a row that goes go too.
    return cosines >= ascending[-size], cosines >= ascending[-max(1, size // 2)]
