"""Rows that are bad by themselves, or that the other rows speak against: proposed to be dropped.

Rows whose answer nobody should give stay: they are bad on purpose.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from app.domain.repair.draft.draft import Draft
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.policy.repair_policy import CONFIDENT_SCORE
from app.domain.repair.row_quality.defects import DETECTORS, NoisyRow
from app.domain.repair.row_quality.defects.finding import PROPOSED_FROM
from app.domain.repair.row_quality.reading import judged_rows

AGREEMENT_SCORE: Final = 0.82
"""Words, vectors and neighbours, each of them near its ceiling on one row."""

_AGREEING_FROM: Final = 0.7
_AGREEING_DETECTORS: Final = 3

_FORM = frozenset(("truncated", "reasoning", "broken_markup", "broken_call"))


def propose(draft: Draft, material: PlanInputs) -> None:
    if not draft.policy.noise:
        return
    rows = judged_rows(draft, material)
    found: defaultdict[int, list[NoisyRow]] = defaultdict(list)
    for _, detect in DETECTORS:
        for noisy in detect(rows):
            found[noisy.row].append(noisy)
    spoken_for = draft.dropped | draft.resolved | draft.unwanted
    for row, signs in sorted(found.items()):
        score = combined(signs)
        if score < PROPOSED_FROM or row in spoken_for:
            continue
        shown = sorted((s for s in signs if s.score >= PROPOSED_FROM), key=lambda s: -s.score)
        reason = "; ".join(dict.fromkeys(s.reason for s in shown or signs))
        # Guesses that agree are guesses: only what is certain by itself (an empty output) goes without a person.
        certain = any(s.score >= CONFIDENT_SCORE for s in signs)
        draft.drop(row, reason, score, _evidence(signs), ask=not certain)


def combined(signs: Sequence[NoisyRow]) -> float:
    """Probability 0..1 that a row is bad, of what its detectors say.

    Signs in the text are independent of each other (noisy-or), but those of a broken form, which see one thing.
    The statistics all look at the same neighbours: the largest counts, and more only where all of them agree.
    """
    right = 1.0
    for sign in signs:
        if not sign.statistical and sign.detector not in _FORM:
            right *= 1.0 - sign.score
    right *= 1.0 - max((s.score for s in signs if s.detector in _FORM), default=0.0)
    statistical = [s.score for s in signs if s.statistical]
    agreeing = sum(score >= _AGREEING_FROM for score in statistical)
    if agreeing >= _AGREEING_DETECTORS:
        statistical.append(AGREEMENT_SCORE)
    return max(1.0 - right, *statistical, 0.0)


def _evidence(signs: Sequence[NoisyRow]) -> dict[str, Any]:
    return {
        "rule": "noise",
        "detectors": [
            {"detector": s.detector, "score": round(s.score, 4), "reason": s.reason, **s.evidence}
            for s in signs
        ],
    }
