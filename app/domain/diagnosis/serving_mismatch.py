"""Was the request that failed built as the training rows are?

Looked at first: where it was not, nothing in the data is wrong. Only what the caller said counts: a
missing request says nothing. Strengths are probabilities that the mismatch alone explains the failure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.domain import text, thresholds
from app.domain.records import BadCase, TrainingExample

_ROLE_MARKERS = re.compile(
    r"<\|?(?:im_start|im_end|system|user|assistant|start_header_id|end_of_turn|start_of_turn|eot_id)\|?>"
    r"|\[/?INST\]|<</?SYS>>|^#{2,3} ?(?:Instruction|Response|Input)\b|^(?:Human|User|Assistant|Question):",
    re.MULTILINE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """One way in which a request differs from the training rows. ``strength`` 0..1."""

    kind: str
    detail: str
    strength: float

    def as_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "detail": self.detail, "strength": round(self.strength, 4)}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingFormat:
    """How the training rows are built: share of rows by system prompt, share that carries an instruction.

    ``markers``: role markers of the tuned model's chat template, casefolded; empty = not known.
    """

    rows: int
    systems: dict[str, float]
    instructions: frozenset[str]
    instructed: float
    markers: frozenset[str] = frozenset()


def format_of(
    examples: Sequence[TrainingExample], instructions: frozenset[str], chat_template: str | None = None
) -> TrainingFormat:
    """``chat_template``: the source of the tuned model's own template, where it is known."""
    rows = len(examples)
    systems = Counter(text.normalised(e.system or "") for e in examples)
    with_instruction = sum(bool(text.instruction_of(e.prompt, instructions)) for e in examples)
    return TrainingFormat(
        rows=rows,
        systems={system: count / rows for system, count in systems.items()},
        instructions=instructions,
        instructed=with_instruction / rows if rows else 0.0,
        markers=_markers(chat_template or ""),
    )


def mismatches(case: BadCase, trained: TrainingFormat) -> tuple[Mismatch, ...]:
    """Every mismatch between the request and the training rows, strongest first."""
    if not trained.rows:
        return ()
    checks = (
        _system(case, trained),
        _prompt_text(case, trained),
        _cut_off(case),
        _stopped(case),
        _sampling(case),
    )
    found = [m for m in checks if m is not None]
    return tuple(sorted(found, key=lambda m: -m.strength))


def probability(found: Sequence[Mismatch]) -> float:
    """That serving explains the failure, 0..1: independent mismatches (noisy-or)."""
    passed = 1.0
    for mismatch in found:
        passed *= 1.0 - mismatch.strength
    return 1.0 - passed


def _system(case: BadCase, trained: TrainingFormat) -> Mismatch | None:
    said = case.request.system if case.request and case.request.system is not None else case.system
    if said is None:
        return None
    share = trained.systems.get(text.normalised(said), 0.0)
    usual, rows = text.most_common_share(trained.systems)
    # The larger the share of rows that carry one other system prompt, the more surely this one is strange.
    strength = thresholds.SYSTEM_MISMATCH_STRENGTH * max(0.0, rows - share)
    if share >= rows or strength < thresholds.SERVING_MIN_STRENGTH:
        return None
    wanted = f"{usual[:200]!r}" if usual else "none"
    return Mismatch(
        kind="system_prompt",
        detail=f"{share:.0%} of the training rows have the request's system prompt, {rows:.0%} have {wanted}",
        strength=strength,
    )


def _prompt_text(case: BadCase, trained: TrainingFormat) -> Mismatch | None:
    sent = case.request.prompt_text if case.request else None
    if not sent:
        return None
    asked = text.normalised(text.focus(case.prompt, trained.instructions))
    arrived = text.normalised(sent)
    if asked and asked not in arrived:
        if arrived and asked.startswith(arrived[-len(asked) // 2 :]):
            detail = "the prompt was cut off before it reached the model"
        else:
            detail = "the text sent to the model does not contain the whole prompt"
        return Mismatch(kind="prompt_lost", detail=detail, strength=thresholds.PROMPT_LOST_STRENGTH)
    lacks_instruction = trained.instructions and not any(
        text.normalised(i) in arrived for i in trained.instructions
    )
    if lacks_instruction and trained.instructed >= thresholds.FORMAT_RULE_SHARE:
        return Mismatch(
            kind="instruction_prefix",
            detail=f"{trained.instructed:.0%} of the training rows begin with an instruction; this has none",
            strength=thresholds.INSTRUCTION_LOST_STRENGTH * trained.instructed,
        )
    found = _markers(sent)
    if not found:
        detail = "the text sent to the model has no role markers: the chat template was not applied"
        return Mismatch(kind="chat_template", detail=detail, strength=thresholds.NO_TEMPLATE_STRENGTH)
    if trained.markers and not found & trained.markers:
        detail = f"the role markers {', '.join(sorted(found))} are not those of the tuned model's template"
        return Mismatch(kind="chat_template", detail=detail, strength=thresholds.NO_TEMPLATE_STRENGTH)
    return None


def _markers(said: str) -> frozenset[str]:
    return frozenset(m.casefold() for m in _ROLE_MARKERS.findall(said))


def _cut_off(case: BadCase) -> Mismatch | None:
    request = case.request
    if request is None or request.finish_reason != "length":
        return None
    answer, expected = text.normalised(case.model_output), text.normalised(case.expected_output or "")
    right_so_far = bool(expected) and expected.startswith(answer)
    strength = (
        thresholds.CUT_OFF_STRENGTH if right_so_far or not expected else thresholds.CUT_OFF_WRONG_STRENGTH
    )
    limit = f" of {request.max_tokens} tokens" if request.max_tokens else ""
    return Mismatch(kind="length", detail=f"the answer was cut off at the limit{limit}", strength=strength)


def _stopped(case: BadCase) -> Mismatch | None:
    request = case.request
    if request is None or not request.stop or not case.expected_output:
        return None
    inside = [s for s in request.stop if s and s in case.expected_output.rstrip()]
    if not inside:
        return None
    before = case.expected_output.split(inside[0], 1)[0]
    # Proof only where the answer is what stands before the stop text.
    proven = text.normalised(before) == text.normalised(case.model_output)
    return Mismatch(
        kind="stop",
        detail=f"the stop sequence {inside[0]!r} occurs in the expected output",
        strength=thresholds.STOP_STRENGTH if proven else thresholds.STOP_POSSIBLE_STRENGTH,
    )


def _sampling(case: BadCase) -> Mismatch | None:
    request = case.request
    hot = request.temperature if request else None
    if hot is None or hot <= thresholds.HOT_TEMPERATURE:
        return None
    return Mismatch(
        kind="sampling",
        detail=f"temperature {hot:g}: the answer may be an unlucky draw; ask again at 0",
        strength=min(thresholds.HOT_MAX_STRENGTH, (hot - thresholds.HOT_TEMPERATURE) / 2 + 0.2),
    )
