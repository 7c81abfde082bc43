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

import numpy as np

from app.domain import text, thresholds
from app.domain.diagnosis import limits
from app.domain.diagnosis.symptoms import characters
from app.domain.diagnosis.symptoms.finding import SymptomFinding, quoted
from app.domain.diagnosis.symptoms.profile import Answer, OutputProfile
from app.domain.records import BadCase, Symptom


def detect(case: BadCase, trained: OutputProfile) -> SymptomFinding | None:
    said = characters.folded(text.clip(case.model_output))
    right = [characters.folded(text.clip(o)) for o in case.acceptable_outputs]
    tokens = len(text.tokens(said))
    if tokens <= thresholds.CLOSED_ANSWER_MAX_TOKENS or said in right:
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
    return bool(used) and sum(n in given for n in used) >= limits.COPY_OWN_NUMBERS * len(used)


def _exact(case: BadCase, same: Answer, tokens: int, asked: int) -> SymptomFinding | None:
    long = tokens > limits.COPY_LONG_TOKENS
    if same.prompt == asked or same.rows > (limits.COPY_MAX_ROWS if long else 1):
        return None
    return SymptomFinding(
        symptom=Symptom.COPIED_TRAINING_OUTPUT,
        detail=f"the output is word for word the answer of training row {same.example_id}, which was asked "
        f"something else: {quoted(case.model_output)}",
        example_id=same.example_id,
    )


def _near(said: str, right: list[str], trained: OutputProfile, asked: int) -> SymptomFinding | None:
    """Passages that at most a few rows have; what many rows say is a phrase of the training set."""
    if len(said) < limits.COPY_NEAR_MIN_CHARACTERS:
        return None
    windows = characters.windows(said)
    first, last = trained.fingerprints.sharing(windows)
    in_rows = last - first
    rare = in_rows[characters.sampled(windows)] <= limits.COPY_MAX_ROWS
    shared: Counter[int] = Counter()
    for start, end in zip(first.tolist(), last.tolist(), strict=True):
        if 0 < end - start <= limits.COPY_MAX_ROWS:
            shared.update(set(trained.fingerprints.texts[start:end].tolist()))
    if not shared:
        return None
    number, passages = min(shared.items(), key=lambda item: (-item[1], item[0]))
    enough = passages >= limits.COPY_MIN_PASSAGES
    if not enough or passages < limits.COPY_RARE_SHARE * int(rare.sum()):
        return None
    answer = trained.answer_texts[number]
    contained = _containment(windows, answer)
    wanted = max((_containment(windows, r) for r in right), default=0.0)
    row = trained.answers[answer]
    if contained < limits.COPY_CONTAINMENT or contained <= wanted or row.prompt == asked:
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
