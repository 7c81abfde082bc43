"""How a request lets the model write: the token limit, the texts it stops at, sampling."""

from __future__ import annotations

from typing import Final

import numpy as np

from app.domain.diagnosis.serving import chat_templates
from app.domain.diagnosis.serving.training_format import (
    FORMAT_RULE_SHARE,
    TrainingFormat,
    estimated_tokens,
    excerpt,
)
from app.domain.evidence import Mismatch
from app.domain.language import text
from app.domain.records import BadCase, ServingRequest

_RAN_ON_STRENGTH: Final = 0.5
_LIMIT_REACHED: Final = 0.7
"""Token counts are estimated: an output of seven tenths of the limit may have reached it."""

_STOP_TRAINED_SHARE: Final = 0.05
_NARROW_TOP_P: Final = 0.1
"""The nucleus holds the likeliest token alone: as good as greedy."""

_WARM_TEMPERATURE: Final = 0.7
_WARM_LABELS_STRENGTH: Final = 0.2

_CUT_OFF_STRENGTH: Final = 0.9
_CUT_OFF_WRONG_STRENGTH: Final = 0.3
"""The part that was given was wrong already: more tokens would not have helped."""

STOP_STRENGTH: Final = 0.95
_STOP_POSSIBLE_STRENGTH: Final = 0.3
_HOT_TEMPERATURE: Final = 1.0
_HOT_MAX_STRENGTH: Final = 0.6


def limit_reached(case: BadCase, request: ServingRequest, trained: TrainingFormat) -> Mismatch | None:
    answer, expected = text.normalised(case.said), text.normalised(case.wanted)
    right_so_far = bool(expected) and expected.startswith(answer) and len(answer) < len(expected)
    reached = request.finish_reason == "length"
    limit = request.max_tokens
    longer = 0.0
    if limit:
        rows = len(trained.output_tokens)
        longer = 1.0 - float(np.searchsorted(trained.output_tokens, limit, side="right")) / max(1, rows)
        if request.finish_reason is None:
            # Not said: the output is as long as the limit allows, and answers are longer than that.
            full = estimated_tokens(case.model_output) >= _LIMIT_REACHED * limit
            needed = max(
                estimated_tokens(case.expected_output or ""), float(np.median(trained.output_tokens))
            )
            reached = full and needed > limit
    if not reached:
        return None
    wrong_so_far = bool(expected) and not right_so_far
    of = f" of {limit} tokens" if limit else ""
    more = f"; about {longer:.0%} of the training answers are longer" if longer >= 0.005 else ""
    return Mismatch(
        kind="length",
        detail=f"the answer was cut off at the limit{of}{more}",
        strength=_CUT_OFF_WRONG_STRENGTH if wrong_so_far else _CUT_OFF_STRENGTH,
        sent=f"max_tokens={limit}" if limit else f"finish_reason={request.finish_reason}",
        trained=f"answers of about {_quantile(trained, 0.5)} tokens at the median, {_quantile(trained, 0.95)} at .95",
    )


def _quantile(trained: TrainingFormat, share: float) -> int:
    return round(float(np.quantile(trained.output_tokens, share)))


def stopped_early(case: BadCase, request: ServingRequest, trained: TrainingFormat) -> Mismatch | None:
    stops = [s for s in request.stop or () if s]
    expected = (case.expected_output or "").rstrip()
    inside = next((s for s in stops if s in expected), None)
    if inside is not None:
        before = text.normalised(expected.split(inside, 1)[0])
        # Proof only where the answer is what stands before the stop text.
        proven = before == text.normalised(case.model_output)
        return Mismatch(
            kind="stop",
            detail=f"the stop sequence {excerpt(repr(inside))} occurs in the expected output",
            strength=STOP_STRENGTH if proven else _STOP_POSSIBLE_STRENGTH,
            sent=excerpt(repr(inside)),
            trained=excerpt(expected),
        )
    if expected:
        return None
    for stop in stops:
        cut = next((o for o in trained.outputs if stop in o.rstrip()), None)
        share = sum(stop in o.rstrip() for o in trained.outputs) / max(1, len(trained.outputs))
        if cut is not None and share >= _STOP_TRAINED_SHARE:
            return Mismatch(
                kind="stop",
                detail=f"the stop sequence {excerpt(repr(stop))} occurs in {share:.0%} of the training answers",
                strength=_STOP_POSSIBLE_STRENGTH * share,
                sent=excerpt(repr(stop)),
                trained=excerpt(cut),
            )
    return None


def ran_on(case: BadCase, trained: TrainingFormat) -> Mismatch | None:
    """The output goes past the end of its turn: the server does not stop at the end-of-turn token."""
    said = text.clip(case.model_output)
    if not chat_templates.may_hold_marks(said):
        return None
    first = chat_templates.SPECIAL.search(said)
    if first is None or first.group() in (case.expected_output or ""):
        return None
    if any(first.group() in output for output in trained.outputs):
        return None
    before, wanted = text.normalised(said[: first.start()]), text.normalised(case.expected_output or "")
    proven = bool(before) and before == wanted
    return Mismatch(
        kind="stop",
        detail=f"the output goes on past the end of its turn: {first.group()!r} stands in it",
        strength=STOP_STRENGTH if proven else _RAN_ON_STRENGTH,
        sent=excerpt(said[max(0, first.start() - 80) : first.end() + 80]),
        trained="answers without special tokens",
    )


def sampled_hot(request: ServingRequest, trained: TrainingFormat) -> Mismatch | None:
    hot = request.temperature
    narrow = request.top_p is not None and request.top_p <= _NARROW_TOP_P
    if hot is None or narrow:
        return None
    labels = trained.label_share >= FORMAT_RULE_SHARE and hot >= _WARM_TEMPERATURE
    if hot > _HOT_TEMPERATURE:
        strength = min(_HOT_MAX_STRENGTH, (hot - _HOT_TEMPERATURE) / 2 + 0.2)
    elif labels:
        strength = _WARM_LABELS_STRENGTH
    else:
        return None
    top_p = "" if request.top_p is None else f", top_p {request.top_p:g}"
    return Mismatch(
        kind="sampling",
        detail=f"temperature {hot:g}{top_p}: the answer may be an unlucky draw; ask again at 0",
        strength=strength,
        sent=f"temperature={hot:g}{top_p.replace(' ', '=', 2).replace(',=', ', ')}",
        trained=f"one right answer a prompt; {trained.label_share:.0%} of the rows answer with a label",
    )
