"""How much the output says: length, variety of its words, how specific they are, beside its task.

Only what is far below the task's median costs; a short answer in a task of short answers is whole. Left out for
outputs that repeat in the task: a label says what it says.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from app.domain.diagnosis.symptoms.repetition import repeated_share
from app.domain.language import text
from app.domain.language.text import SENTENCE_MIN_TOKENS
from app.domain.repair.row_quality.defects import empty, refused
from app.domain.repair.row_quality.defects.statistics import JudgedRows
from app.domain.repair.row_quality.scores.usual import beside_task


def score(rows: JudgedRows) -> Float64[ndarray, " n"]:
    bags = [text.tokens(text.clip(output)) for output in rows.outputs]
    spread = Counter(word for said in bags for word in set(said))
    n = len(rows)
    length, specific, circles = np.zeros(n), np.zeros(n), np.zeros(n)
    for row, said in enumerate(bags):
        length[row] = np.log1p(len(rows.outputs[row])) if said else 0.0
        rarities = [np.log((n + 1) / (spread[word] + 1)) for word in set(said)]
        specific[row] = float(np.mean(rarities)) if rarities else 0.0
        circles[row] = repeated_share(rows.outputs[row]) if len(said) > 2 * SENTENCE_MIN_TOKENS else 0.0
    made = np.minimum(beside_task(length, rows), np.sqrt(beside_task(specific, rows)))
    made = np.minimum(made, beside_task(-circles, rows))
    for detect in (empty.detect, refused.detect):
        for noisy in detect(rows):
            made[noisy.row] *= 1.0 - noisy.score
    repeats = np.array(
        [rows.output_rows[int(t), o] > 1 for t, o in zip(rows.tasks, rows.normal, strict=True)], dtype=bool
    )
    said_something = np.array([bool(o) for o in rows.normal], dtype=bool)
    return np.where(repeats & said_something, np.nan, made)
