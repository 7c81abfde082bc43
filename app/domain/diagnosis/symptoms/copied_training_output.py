"""The model recites the answer of one training row instead of answering.

**How it is decided.** The output equals the answer of a row with another prompt, or it is long and nearly all
of its rare passages stand in that row's answer. Answers that many rows give (labels, canned answers) are no
copies; neither is an output that works with the numbers of its own prompt, nor one whose wording the expected
output shares.

**What to do.** Look at the named row: a model that recites has seen it too often or has too few rows around
the case. Remove its near-duplicates, add rows like the case, train fewer epochs.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import numpy as np

from app.domain.answers.labels import CLOSED_ANSWER_MAX_TOKENS
from app.domain.diagnosis.symptoms import characters
from app.domain.diagnosis.symptoms.profile import Answer, OutputProfile
from app.domain.diagnosis.symptoms.quoting import quoted
from app.domain.evidence import SymptomFinding
from app.domain.language import text
from app.domain.records import BadCase, Symptom

_COPY_MAX_ROWS: Final = 3
"""What more rows say is a phrase of the training set, not one row's own."""

_COPY_LONG_TOKENS: Final = 12
"""An answer this long that two or three rows share is a near-duplicate row, not a label."""

_COPY_NEAR_MIN_CHARACTERS: Final = 80
_COPY_MIN_PASSAGES: Final = 6
_COPY_OWN_NUMBERS: Final = 0.5
_COPY_RARE_SHARE: Final = 0.6
"""Share of an output's rare passages that the copied row has: an edit of one word touches many of them."""

_COPY_CONTAINMENT: Final = 0.8
"""Share of the passages of an output that stand in one row from which it is a copy with small edits."""


def detect(case: BadCase, trained: OutputProfile) -> SymptomFinding | None:
    said = characters.folded(text.clip(case.model_output))
    right = [characters.folded(text.clip(o)) for o in case.acceptable_outputs]
    tokens = len(text.tokens(said))
    if tokens <= CLOSED_ANSWER_MAX_TOKENS or said in right:
        return None
    if computed(case):
        return None
    asked = text.stable_hash(characters.folded(case.prompt))
    same = trained.answers.get(said)
    if same is not None:
        return _exact(case, same, tokens, asked)
    return _near(said, right, trained, asked)


def computed(case: BadCase) -> bool:
    """Whether the output works with the numbers of its own prompt: formulas agree by chance."""
    used = text.numbers(text.clip(case.model_output))
    given = set(text.numbers(text.clip(case.prompt)))
    return bool(used) and sum(n in given for n in used) >= _COPY_OWN_NUMBERS * len(used)


def _exact(case: BadCase, same: Answer, tokens: int, asked: int) -> SymptomFinding | None:
    long = tokens > _COPY_LONG_TOKENS
    if same.prompt == asked or same.rows > (_COPY_MAX_ROWS if long else 1):
        return None
    return SymptomFinding(
        symptom=Symptom.COPIED_TRAINING_OUTPUT,
        detail=f"the output is word for word the answer of training row {same.example_id}, which was asked "
        f"something else: {quoted(case.model_output)}",
        example_id=same.example_id,
    )


def _near(said: str, right: list[str], trained: OutputProfile, asked: int) -> SymptomFinding | None:
    """Passages that at most a few rows have; what many rows say is a phrase of the training set."""
    if len(said) < _COPY_NEAR_MIN_CHARACTERS:
        return None
    windows = characters.windows(said)
    first, last = trained.fingerprints.sharing(windows)
    in_rows = last - first
    rare = in_rows[characters.sampled(windows)] <= _COPY_MAX_ROWS
    shared: Counter[int] = Counter()
    for start, end in zip(first.tolist(), last.tolist(), strict=True):
        if 0 < end - start <= _COPY_MAX_ROWS:
            shared.update(set(trained.fingerprints.texts[start:end].tolist()))
    if not shared:
        return None
    number, passages = min(shared.items(), key=lambda item: (-item[1], item[0]))
    enough = passages >= _COPY_MIN_PASSAGES
    if not enough or passages < _COPY_RARE_SHARE * int(rare.sum()):
        return None
    answer = trained.answer_texts[number]
    contained = _containment(windows, answer)
    wanted = max((_containment(windows, r) for r in right), default=0.0)
    row = trained.answers[answer]
    if contained < _COPY_CONTAINMENT or contained <= wanted or row.prompt == asked:
        return None
    return SymptomFinding(
        symptom=Symptom.COPIED_TRAINING_OUTPUT,
        detail=f"{contained:.0%} of the output's wording stands in the answer of training row "
        f"{row.example_id}: {quoted(answer)}",
        example_id=row.example_id,
    )


def _containment(windows: np.ndarray, answer: str) -> float:
    """Share 0..1 of the windows that stand in the answer."""
    return float(np.isin(windows, characters.windows(answer), assume_unique=True).mean())
