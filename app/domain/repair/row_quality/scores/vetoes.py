"""What no average outvotes: an answer with a secret, abuse, a loop or broken JSON is never used without a person.

Reads the answers as they stand in the draft: a secret that was taken out is none any more.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from app.domain.diagnosis.symptoms import repetition
from app.domain.language import code, phrases, text
from app.domain.records import TrainingExample
from app.domain.repair.draft.row_bands import Veto
from app.domain.repair.row_quality.defects import broken_call
from app.domain.repair.row_quality.defects.statistics import JudgedRows
from app.domain.repair.row_quality.scores import safety

LOOP_SHARE = 0.6
"""Share 0..1 of repeated passages from which an answer goes round in circles; refrains and tables stay below."""


def vetoes(rows: JudgedRows) -> tuple[tuple[Veto, ...], ...]:
    """(n,) the vetoes of each row; () for most. What nobody should answer, and says so, is not judged."""
    broken_calls = {noisy.row for noisy in broken_call.detect(rows)}
    return tuple(
        tuple(
            veto
            for veto, holds in _CHECKS
            if holds(example) or (veto is Veto.BROKEN_JSON and row in broken_calls)
        )
        if example.teaches
        else ()
        for row, example in enumerate(rows.examples)
    )


def _holds_secret(example: TrainingExample) -> bool:
    return safety.holds_secret(example.output) or safety.holds_secret(example.answer.reasoning or "")


def _is_toxic(example: TrainingExample) -> bool:
    """Abuse that the prompt does not bring itself, as rows to classify or translate do."""
    pattern = phrases.pattern("toxicity")
    said = {m.casefold() for m in pattern.findall(example.output)}
    return bool(said) and not said & {m.casefold() for m in pattern.findall(example.prompt)}


def _loops(example: TrainingExample) -> bool:
    said = example.answer.text
    if code.is_code(said):
        return False
    return repetition.stands_in_a_row(said, example.prompt) or (
        repetition.repeated_share(said) > LOOP_SHARE
        and repetition.repeated_share(said) > repetition.repeated_share(example.prompt)
    )


def _is_broken_json(example: TrainingExample) -> bool:
    """An answer that begins as JSON and is none; not a template, not one object a line, not where the task is about
    how texts are written."""
    said = example.answer.text.strip()
    if not said.startswith(('{"', '{ "', "{\n", '[{"', "[{", "[\n")) or example.answer.tool_calls:
        return False
    if "{{" in said or "{%" in said or phrases.pattern("characters").search(text.clip(example.prompt)):
        return False
    return not _parses(said) and not all(_parses(line) for line in said.splitlines() if line.strip())


def _parses(said: str) -> bool:
    try:
        json.loads(said)
    except (ValueError, RecursionError):
        return False
    return True


_CHECKS: tuple[tuple[Veto, Callable[[TrainingExample], bool]], ...] = (
    (Veto.SECRET, _holds_secret),
    (Veto.TOXIC, _is_toxic),
    (Veto.LOOP, _loops),
    (Veto.BROKEN_JSON, _is_broken_json),
)
