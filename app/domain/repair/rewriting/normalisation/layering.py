"""Instruction and input that are mixed up: the same instruction stands in the user text of some rows, in its
own place in others.

Knows instructions that the rows' format declares, and system prompts. Where an instruction stands follows
what most of its rows do.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from app.domain.language.text import INSTRUCTION_MIN_ROWS
from app.domain.records import Message, Role, TrainingExample
from app.domain.repair.rewriting.normalisation.set_rule import (
    LAYERING_SCORE,
    STYLE_MAJORITY,
    SetView,
    Suggestion,
    only_user_turn,
    with_turn,
)

# An instruction shorter than this may be a word of the input; the commonest ones are looked for, each judged
# from this many rows.
_LAYERING_MIN_CHARACTERS: Final = 12

_LAYERING_MAX_INSTRUCTIONS: Final = 2_000
_LAYERING_MIN_ROWS: Final = 5

# Where an instruction may stand.
_SYSTEM, _FRONT, _GLUED, _BEHIND, _TWICE = "system", "front", "glued", "behind", "twice"
_KEY = 12


@dataclass(frozen=True, slots=True)
class _Place:
    """Row ``row`` has ``instruction`` at ``where``; ``rest`` is the user text without it."""

    row: int
    instruction: str
    where: str
    rest: str


def find(view: SetView) -> Iterator[Suggestion]:
    known = _known(view)
    if not known:
        return
    heads: defaultdict[str, list[str]] = defaultdict(list)
    tails: defaultdict[str, list[str]] = defaultdict(list)
    for instruction in sorted(known, key=len, reverse=True):
        heads[instruction[:_KEY]].append(instruction)
        tails[instruction[-_KEY:]].append(instruction)
    places = [
        place
        for row, example in enumerate(view.examples)
        if (place := _place(row, example, known, heads, tails)) is not None
    ]
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for place in places:
        counts[place.instruction][place.where] += 1
    for place in places:
        made = _suggestion(view.examples[place.row], place, counts[place.instruction])
        if made is not None:
            yield made


def _known(view: SetView) -> frozenset[str]:
    """Instructions that stand in a place of their own in some rows."""
    stated: Counter[str] = Counter()
    for example in view.examples:
        if example.system:
            stated[example.system.strip()] += 1
        if example.instruction:
            stated[example.instruction.strip()] += 1
    common = stated.most_common(_LAYERING_MAX_INSTRUCTIONS)
    return frozenset(
        text
        for text, rows in common
        if rows >= INSTRUCTION_MIN_ROWS and len(text) >= _LAYERING_MIN_CHARACTERS
    )


def _place(
    row: int,
    example: TrainingExample,
    known: frozenset[str],
    heads: Mapping[str, list[str]],
    tails: Mapping[str, list[str]],
) -> _Place | None:
    at = only_user_turn(example)
    if at is None:
        return None
    user = example.messages[at].content.strip()
    system = (example.system or "").strip()
    for instruction in heads.get(user[:_KEY], ()):
        if not user.startswith(instruction):
            continue
        rest = user[len(instruction) :]
        if not rest.strip():
            continue
        if system == instruction:
            return _Place(row, instruction, _TWICE, rest.strip()) if rest[0].isspace() else None
        if rest.startswith("\n"):
            return _Place(row, instruction, _FRONT, rest.strip("\n"))
        # A word that goes on is another instruction ("translate" and "translated").
        if rest[0].isspace() or rest[0] in ":：":
            return _Place(row, instruction, _GLUED, rest.lstrip(" \t\u3000:："))
    for instruction in tails.get(user[-_KEY:], ()):
        rest = user[: -len(instruction)]
        if user.endswith(instruction) and rest.strip() and rest.endswith("\n") and system != instruction:
            return _Place(row, instruction, _BEHIND, rest.strip("\n"))
    return _Place(row, system, _SYSTEM, user) if system in known else None


def _suggestion(example: TrainingExample, place: _Place, counts: Counter[str]) -> Suggestion | None:
    rows = counts.total()
    as_system, in_front = counts[_SYSTEM] + counts[_TWICE], counts[_FRONT]
    if rows < _LAYERING_MIN_ROWS or max(as_system, in_front) < STYLE_MAJORITY * rows:
        return None
    wanted = _SYSTEM if as_system > in_front else _FRONT
    if place.where == wanted or not place.rest.strip():
        return None
    messages = _layered(example, place, wanted)
    if messages is None:
        return None
    share = max(as_system, in_front) / rows
    there = "the system prompt" if wanted == _SYSTEM else "a line of its own in front of the input"
    return Suggestion(
        row=place.row,
        messages=messages,
        rejected=example.rejected,
        reason=f"instruction and input are mixed up: the instruction is {there} in {share:.0%} of its {rows} rows",
        score=LAYERING_SCORE * share,
        evidence={"found": place.where, "most_rows": wanted, "majority_share": round(share, 3), "rows": rows},
    )


def _layered(example: TrainingExample, place: _Place, wanted: str) -> tuple[Message, ...] | None:
    at = only_user_turn(example)
    assert at is not None
    if wanted == _FRONT:
        turns = with_turn(example, at, f"{place.instruction}\n{place.rest}")
        if place.where in (_SYSTEM, _TWICE):
            return tuple(m for m in turns if m.role is not Role.SYSTEM)
        return turns
    turns = with_turn(example, at, place.rest)
    if example.system is None:
        return (Message(role=Role.SYSTEM, content=place.instruction), *turns)
    if place.where == _TWICE:
        return turns
    if example.system.strip():
        # Another system prompt stands there: which of the two counts is not ours to say.
        return None
    return tuple(replace(m, content=place.instruction) if m.role is Role.SYSTEM else m for m in turns)
