"""The request that failed was not built as the training rows are: nothing in the data is wrong.

How it is decided stands in ``catalogue/root_causes.py``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from rapidfuzz.distance import Indel

from app.domain.diagnosis.serving import chat_templates, decoding
from app.domain.diagnosis.serving.chat_templates import Family
from app.domain.diagnosis.serving.training_format import (
    EXCERPT,
    FORMAT_RULE_SHARE,
    TaskFormat,
    TrainingFormat,
    excerpt,
    format_of,
)
from app.domain.evidence import Mismatch
from app.domain.language import text
from app.domain.language.text import TEXT_MAX_CHARACTERS
from app.domain.records import BadCase, Role, ServingRequest

_SIMILAR_SYSTEM: Final = 0.9
_SIMILAR_SYSTEM_FACTOR: Final = 0.5
"""A system prompt with one word changed binds most of what the trained one binds."""

_ANSWER_NOT_BEGUN_STRENGTH: Final = 0.3
"""Most tuned models write the assistant's header themselves."""

_DOUBLE_BEGINNING_STRENGTH: Final = 0.4
_SPECIAL_TOKEN_STRENGTH: Final = 0.4

_SYSTEM_MISMATCH_STRENGTH: Final = 0.85
"""When every training row has one other system prompt: LoRA binds behaviour to it."""

_SERVING_MIN_STRENGTH: Final = 0.1
"""Differences that some tenth of the training rows share say nothing."""

_PROMPT_LOST_STRENGTH: Final = 0.95
"""The model cannot answer what it was not asked."""

_INSTRUCTION_LOST_STRENGTH: Final = 0.85
_NO_TEMPLATE_STRENGTH: Final = 0.8

__all__ = ["TrainingFormat", "format_of", "mismatches", "probability"]

_PERSONA_ROWS = 2
"""Training rows that have a system prompt, from which it is a habit of theirs. A definition."""
_UNKNOWN_TASK = TaskFormat()
_DIGITS = re.compile(r"\d+")


def mismatches(
    case: BadCase, trained: TrainingFormat, task: TaskFormat = _UNKNOWN_TASK
) -> tuple[Mismatch, ...]:
    """Every mismatch between the request and the training rows, strongest first."""
    if not trained.rows:
        return ()
    found = [_system(case, trained, task)]
    if case.request is not None and case.request.prompt_text:
        found += _prompt_text(case, case.request.prompt_text, trained, task.left_out)
    else:
        found += [_instruction_left_out(case.prompt, task.left_out)]
    if case.request is not None:
        found += [
            decoding.limit_reached(case, case.request, trained),
            decoding.stopped_early(case, case.request, trained),
            decoding.sampled_hot(case.request, trained),
        ]
    found += [decoding.ran_on(case, trained)]
    return tuple(sorted((m for m in found if m is not None), key=lambda m: -m.strength))


def probability(found: Sequence[Mismatch]) -> float:
    """That serving explains the failure, 0..1: independent mismatches (noisy-or)."""
    passed = 1.0
    for mismatch in found:
        passed *= 1.0 - mismatch.strength
    return 1.0 - passed


def _system(case: BadCase, trained: TrainingFormat, task: TaskFormat) -> Mismatch | None:
    said = case.request.system if case.request and case.request.system is not None else case.system
    if not said and case.request is not None and (left_out := _system_left_out(case.request, said, task)):
        return left_out
    if said is None:
        return None
    sent = text.normalised(said)
    if sent and trained.systems.get(sent, 0.0) * trained.rows >= _PERSONA_ROWS:
        return None  # one persona of several
    share = trained.systems.get(sent, 0.0)
    usual, rows = text.most_common_share(trained.systems)
    # The larger the share of rows that carry one other system prompt, the more surely this one is strange.
    strength = _SYSTEM_MISMATCH_STRENGTH * max(0.0, rows - share)
    if share >= rows or strength < _SERVING_MIN_STRENGTH:
        return None
    if sent and usual and len(sent) + len(usual) < 2 * TEXT_MAX_CHARACTERS:
        if _DIGITS.sub("0", sent) == _DIGITS.sub("0", usual):
            return None  # a date or a number that changes
        alike = Indel.normalized_similarity(sent, usual)
        strength *= _SIMILAR_SYSTEM_FACTOR if alike >= _SIMILAR_SYSTEM else 1.0
    wanted = f"{usual[:200]!r}" if usual else "none"
    return Mismatch(
        kind="system_prompt",
        detail=f"{share:.0%} of the training rows have the request's system prompt, {rows:.0%} have "
        f"{excerpt(wanted)}",
        strength=strength,
        sent=excerpt(said),
        trained=excerpt(usual),
    )


def _system_left_out(request: ServingRequest, said: str | None, task: TaskFormat) -> Mismatch | None:
    """Every row of the task has a system prompt, and the request says that it had none."""
    if not task.systems or "" in task.systems or (said is None and not request.prompt_text):
        return None
    arrived = text.normalised(request.prompt_text or "")
    if any(system in arrived for system in task.systems):
        return None
    return Mismatch(
        kind="system_prompt",
        detail="the training rows of this task have a system prompt, the request has none",
        strength=_INSTRUCTION_LOST_STRENGTH,
        sent=excerpt(request.prompt_text or ""),
        trained=excerpt(min(task.systems)),
    )


def _prompt_text(case: BadCase, sent: str, trained: TrainingFormat, left_out: str) -> list[Mismatch | None]:
    # Of a conversation the last question: a template writes its own roles between the turns.
    last = next((m.content for m in reversed(case.messages) if m.role is Role.USER), case.prompt)
    asked = text.normalised(text.focus(last, trained.instructions))
    arrived = text.normalised(sent)
    if asked and asked not in arrived:
        if arrived and asked.startswith(arrived[-len(asked) // 2 :]):
            detail = "the prompt was cut off before it reached the model"
        else:
            detail = "the text sent to the model does not contain the whole prompt"
        strength = _PROMPT_LOST_STRENGTH
        return [
            Mismatch(
                kind="prompt_lost",
                detail=detail,
                strength=strength,
                sent=excerpt(sent),
                trained=excerpt(case.prompt),
            )
        ]
    return [
        _instruction(
            sent, arrived, trained, left_out or text.instruction_of(case.prompt, trained.instructions)
        ),
        _template(case, sent, trained),
        _tokens(case, sent, trained),
    ]


def _instruction(sent: str, arrived: str, trained: TrainingFormat, of_task: str) -> Mismatch | None:
    """``of_task``: the instruction that the rows of the case's own task begin with, '' where it is not known."""
    if of_task:
        return None if text.normalised(of_task) in arrived else _instruction_left_out(sent, of_task)
    if trained.instructed < FORMAT_RULE_SHARE or not trained.instructions:
        return None
    if any(text.normalised(i) in arrived for i in trained.instructions):
        return None
    return Mismatch(
        kind="instruction_prefix",
        detail=f"{trained.instructed:.0%} of the training rows begin with an instruction; this has none",
        strength=_INSTRUCTION_LOST_STRENGTH * trained.instructed,
        sent=excerpt(sent),
        trained=excerpt(trained.usual_instruction),
    )


def _instruction_left_out(sent: str, of_task: str) -> Mismatch | None:
    if not of_task:
        return None
    return Mismatch(
        kind="instruction_prefix",
        detail="the training rows of this task begin with an instruction that the request lacks",
        strength=_INSTRUCTION_LOST_STRENGTH,
        sent=excerpt(sent),
        trained=excerpt(of_task),
    )


def _around_prompt(case: BadCase, sent: str) -> str:
    """What was put around the prompt: marks that a user wrote are no template."""
    return sent.replace(case.prompt, "\n", 1) if case.prompt.strip() else sent


def _template(case: BadCase, sent: str, trained: TrainingFormat) -> Mismatch | None:
    own = trained.family
    found = chat_templates.family_of(_around_prompt(case, sent)) or chat_templates.family_of(sent)
    if found is None:
        detail = "the text sent to the model has no role markers: the chat template was not applied"
    elif trained.template_known and own is not None and found is not own:
        detail = f"the text sent is built with the {found.name} template, the tuned model's is {own.name}"
    elif own is not None and found is own and trained.template_known:
        return _no_answer_begun(sent, own)
    else:
        return None
    return Mismatch(
        kind="chat_template",
        detail=detail,
        strength=_NO_TEMPLATE_STRENGTH,
        sent=excerpt(sent),
        trained=own.name if own else "",
    )


def _no_answer_begun(sent: str, own: Family) -> Mismatch | None:
    if chat_templates.opens_answer(sent, own):
        return None
    return Mismatch(
        kind="answer_not_begun",
        detail=f"the text sent to the model does not end where the {own.name} template begins the answer "
        "(add_generation_prompt)",
        strength=_ANSWER_NOT_BEGUN_STRENGTH,
        sent=excerpt(sent[-EXCERPT:]),
        trained=own.name,
    )


def _tokens(case: BadCase, sent: str, trained: TrainingFormat) -> Mismatch | None:
    double = chat_templates.double_beginning(sent)
    if double:
        return Mismatch(
            kind="special_tokens",
            detail=f"the text sent to the model begins with two beginning-of-text tokens, {double}",
            strength=_DOUBLE_BEGINNING_STRENGTH,
            sent=excerpt(sent[:EXCERPT]),
            trained="one, put in by the tokenizer",
        )
    if not trained.template_known:
        return None
    family = chat_templates.family_of(sent)
    if family is None or family is not trained.family:
        return None  # said by the template already
    strange = sorted(
        t for t in chat_templates.special_tokens(sent) - trained.special_tokens if not _usual(t, family)
    )
    if not strange:
        return None
    where = "the user's own text" if strange[0] in case.prompt.casefold() else "the text sent to the model"
    return Mismatch(
        kind="special_tokens",
        detail=f"{where} holds {', '.join(strange[:5])}, which neither the template nor a training row has",
        strength=_SPECIAL_TOKEN_STRENGTH,
        sent=", ".join(strange[:5]),
        trained=", ".join(sorted(trained.special_tokens)[:10]),
    )


def _usual(token: str, family: Family) -> bool:
    """A template's source may leave the beginning of the text and role names to variables."""
    return family.marks.search(token) is not None or token in {"<s>", "<bos>", "<|begin_of_text|>"}
