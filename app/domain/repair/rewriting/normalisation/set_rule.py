"""What a rule for whole sets is: it knows what most rows do, and suggests the same for the others.

Such a rule guesses at what the set's authors meant, so its scores stay below what is approved without a
person (``CONFIDENT_SCORE``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from jaxtyping import Float32
from numpy import ndarray

from app.domain.records import Message, Role, TrainingExample
from app.domain.repair.rewriting.normalisation.text_rule import pieces_of

# What most of a set does is proposed for the rest from this share of at least so many places (or rows).
STYLE_MAJORITY: Final = 0.8
STYLE_MIN_PLACES: Final = 20
# Guesses at what a set's authors meant, times how much of the set agrees: below CONFIDENT_SCORE, always.
STYLE_SCORE: Final = 0.75
LAYERING_SCORE: Final = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class SetView:
    """A training set as a rule sees it. ``prompts`` and ``tasks``: the part of each prompt that varies, and the
    part that does not. ``vectors`` (n, d): of the prompts, unit rows."""

    examples: Sequence[TrainingExample]
    prompts: Sequence[str]
    tasks: Sequence[str]
    vectors: Float32[ndarray, "n d"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Other turns for row ``row``, with the reason. ``score`` is the estimated probability, 0..1, that the
    set's authors would agree; ``evidence`` is JSON-ready."""

    row: int
    messages: tuple[Message, ...]
    rejected: tuple[Message, ...]
    reason: str
    score: float
    evidence: Mapping[str, Any]


SetRule = Callable[[SetView], Iterator[Suggestion]]


def reworded(
    example: TrainingExample, change: Callable[[str], str]
) -> tuple[tuple[Message, ...], tuple[Message, ...]] | None:
    """Turns and rejected turns with ``change`` applied outside of protected spans; None where nothing differs."""
    messages = tuple(_message(m, change) for m in example.messages)
    rejected = tuple(_message(m, change) for m in example.rejected)
    return None if messages == example.messages and rejected == example.rejected else (messages, rejected)


def _message(message: Message, change: Callable[[str], str]) -> Message:
    pieces, _ = pieces_of(message.content)
    pieces[::2] = map(change, pieces[::2])
    text = "".join(pieces)
    return message if text == message.content or not text.strip() else replace(message, content=text)


def only_user_turn(example: TrainingExample) -> int | None:
    """Where the prompt's only user turn stands; None where it has other turns besides a system prompt."""
    turns = [at for at, m in enumerate(example.prompt_messages) if m.role is not Role.SYSTEM]
    return turns[0] if len(turns) == 1 and example.messages[turns[0]].role is Role.USER else None


def with_turn(example: TrainingExample, at: int, content: str) -> tuple[Message, ...]:
    turn = replace(example.messages[at], content=content)
    return (*example.messages[:at], turn, *example.messages[at + 1 :])
