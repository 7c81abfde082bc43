"""What a kind of data is made of: things that can be asked, their right answers, and what passes for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that can be asked.

    ``asks``: wordings of one question; items of a family have them in the same order. ``right``: the right answer
    as one text (a tool call as JSON). ``wrong``: what a planted wrong row says, and in what it differs. ``slip``:
    a wrong answer that no row teaches, and in what it differs. ``equals``: writings that certainly say the same as
    ``right``, and by what. ``neighbours``: other questions in nearly the same words, and their right answers.
    ``reasoning`` is the worked way to the answer, ``rejected`` a worse answer for pairs.
    """

    asks: tuple[str, ...]
    right: str
    wrong: tuple[str, str]
    slip: tuple[str, str]
    equals: tuple[tuple[str, str], ...] = ()
    neighbours: tuple[tuple[str, str], ...] = ()
    system: str = ""
    history: tuple[tuple[str, str], ...] = ()
    reasoning: str = ""
    rejected: str = ""
    alternative: str = ""
    twins: tuple[Item, ...] = ()
    """Items of the same family: the same words about something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncovered:
    """A question of a topic or sentence kind that no row has, its right answer, and what the model said."""

    ask: str
    right: str
    said: str
    instruction: str | None = None
    """None: that of the kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A row before it is written in a format; ``desirable`` and ``rejected`` where the kind has them."""

    ask: str
    answer: str
    instruction: str = ""
    system: str = ""
    history: tuple[tuple[str, str], ...] = ()
    reasoning: str = ""
    desirable: bool | None = None
    rejected: str = ""


Writer = Callable[[Exchange], tuple[str, dict[str, Any]]]
"""A row in one format: the name of the format and the JSON object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of training data.

    ``items`` draws the numbers of a seed. ``writers`` take turns over the rows. ``instruction`` and
    ``system`` stand in every row of the kind where they are not empty. ``unled``: what a model says that was not
    given them. ``astray``: answers wrong for every question of the kind. ``said``: how a model writes an answer
    of this kind (a tool call in tags ...), None = as it is.
    """

    name: str
    languages: tuple[str, ...]
    items: Callable[[np.random.Generator], Sequence[Item]]
    uncovered: Sequence[Uncovered]
    writers: tuple[Writer, ...]
    astray: tuple[str, ...]
    instruction: str = ""
    has_system: bool = False
    unled: tuple[str, ...] = ()
    undesired: bool = False
    """Whether rows of undesired answers are planted beside the right ones."""
    said: Callable[[str, np.random.Generator], str] | None = None
    answers_are_labels: bool = False
    whitespace_matters: bool = False


def family(items: Sequence[Item]) -> list[Item]:
    """Items of one family, each with the next two as its twins."""
    count = len(items)
    return [
        replace(item, twins=tuple(items[(i + step) % count] for step in (1, 2) if step < count))
        for i, item in enumerate(items)
    ]


def fill(patterns: Sequence[str], **slots: object) -> tuple[str, ...]:
    return tuple(p.format(**slots) for p in patterns)


def bare(text: str) -> str:
    """Without its final full stop."""
    return text[:-1] if text[-1:] in ".。" else text + ("。" if any("一" <= c <= "鿿" for c in text) else ".")


def plain_equals(right: str, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """Writings that say the same for any text: with or without the full stop, behind a thought, or an empty one."""
    chinese = any("一" <= c <= "鿿" for c in right)
    thought = "先看用户问的是什么，再回答。" if chinese else "The user asks a plain question; I answer it."
    made = [
        (bare(right), "full stop"),
        (f"<think>\n\n</think>\n\n{right}", "empty reasoning block"),
        (f"<think>\n{thought}\n</think>\n\n{right}", "reasoning block"),
        *more,
    ]
    return tuple(made)
