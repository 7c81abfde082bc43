"""Prompts of one task that are laid out by different templates: "### Input:", "Question:", "问题：" or nothing.

Knows the markers that templates write at a line's start. Rows are told apart by their task and by their
neighbours: a template that another kind of question has is no mistake.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from app.domain.language import phrases
from app.domain.repair.rewriting.normalisation.set_rule import (
    LAYERING_SCORE,
    STYLE_MAJORITY,
    SetView,
    Suggestion,
    only_user_turn,
    with_turn,
)

# Rows looked at around a bad case or a row: enough to see a 50 % mixture, few enough to stay local.
NEIGHBORS: Final = 8

# Rows of a task from which its template is told; a row that stands among rows of its own template is another
# task. Rows compared at most.
_TEMPLATE_MIN_ROWS: Final = 10

_TEMPLATE_NEIGHBOUR_SHARE: Final = 0.5
_TEMPLATE_SAMPLE: Final = 4_000

_SLOTS = ("instruction", "input", "answer")
_MARKER = re.compile(
    r"(?:\A|(?<=\n))[ \t]*(?:#{1,4}[ \t]*|\*\*)?(?:"
    + "|".join(f"(?P<{slot}>{phrases.one_of('turns', slot)})" for slot in _SLOTS)
    + r")[ \t]*(?:\*\*)?[:：](?:\*\*)?[ \t]*\n?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Layout:
    """A template: one literal in front of each slot, and the cue for the answer at the end ('' = none)."""

    slots: tuple[str, ...]
    literals: tuple[str, ...]
    cue: str

    def fill(self, bodies: Sequence[str]) -> str:
        return "".join(f"{lit}{body}" for lit, body in zip(self.literals, bodies, strict=True)) + self.cue


def read(prompt: str) -> tuple[Layout, tuple[str, ...]] | None:
    """A prompt's template and what fills it; None where its markers make no template (a few-shot prompt)."""
    found = list(_MARKER.finditer(prompt))
    if not found:
        return Layout(("input",), ("",), ""), (prompt,)
    if found[0].start():
        return None
    slots: list[str] = []
    literals: list[str] = []
    bodies: list[str] = []
    cue = ""
    gap = ""
    for marker, following in zip(found, [*found[1:], None], strict=True):
        body = prompt[marker.end() : following.start() if following else len(prompt)]
        stripped = body.rstrip("\n ")
        slot = str(marker.lastgroup)
        if slot == "answer":
            if following is not None or stripped:
                return None
            cue = gap + marker.group()
        else:
            slots.append(slot)
            literals.append(gap + marker.group())
            bodies.append(stripped)
        gap = body[len(stripped) :] if following else ""
    if not slots or len(set(slots)) < len(slots) or not all(bodies):
        return None
    return Layout(tuple(slots), tuple(literals), cue.rstrip("\n ")), tuple(bodies)


def _parts(view: SetView, row: int) -> tuple[str, str] | None:
    """The task's instruction in front and the rest of the only user turn; a marker's line is no instruction."""
    at = only_user_turn(view.examples[row])
    if at is None:
        return None
    whole, prompt = view.examples[row].messages[at].content, view.prompts[row]
    front = whole[: len(whole) - len(prompt)] if whole.endswith(prompt) else ""
    return ("", whole) if _MARKER.search(front) else (front, whole[len(front) :])


def find(view: SetView) -> Iterator[Suggestion]:
    layouts: dict[int, tuple[Layout, tuple[str, ...]]] = {}
    tasks: defaultdict[tuple[str, str, tuple[str, ...]], list[int]] = defaultdict(list)
    for row, example in enumerate(view.examples):
        parts = _parts(view, row)
        made = read(parts[1]) if parts else None
        if parts and made:
            layouts[row] = made
            tasks[example.system or "", parts[0].strip(), made[0].slots].append(row)
    for rows in tasks.values():
        counts = Counter(layouts[row][0] for row in rows)
        layout, most = counts.most_common(1)[0]
        share = most / len(rows)
        if len(counts) == 1 or len(rows) < _TEMPLATE_MIN_ROWS or share < STYLE_MAJORITY:
            continue
        others = [row for row in rows if layouts[row][0] != layout]
        same = [row for row in rows if layouts[row][0] == layout]
        near = _neighbour_share(view, others, same)
        for row, support in zip(others, near, strict=True):
            if support >= _TEMPLATE_NEIGHBOUR_SHARE:
                yield _suggestion(view, row, layouts[row], layout, share * float(support), share)


def _neighbour_share(view: SetView, others: list[int], same: list[int]) -> Float64[ndarray, " o"]:
    """Shape (len(others),), 0..1: the share of each row's nearest rows that are laid out as most are."""
    odd = frozenset(others)
    # Even steps over the set: a sample that needs no chance.
    pool = np.array(sorted([*others, *same]))[:: 1 + len(odd | set(same)) // _TEMPLATE_SAMPLE]
    usual = np.array([row not in odd for row in pool])
    near = min(NEIGHBORS, len(pool) - 1)
    shares = np.ones(len(others))
    for start in range(0, len(others), 1024):
        rows = np.array(others[start : start + 1024])
        similar = view.vectors[rows] @ view.vectors[pool].T
        # A row is no neighbour of its own.
        similar[rows[:, None] == pool[None, :]] = -np.inf
        nearest = np.argpartition(-similar, near - 1, axis=1)[:, :near]
        shares[start : start + 1024] = usual[nearest].mean(axis=1)
    return shares


def _suggestion(
    view: SetView,
    row: int,
    found: tuple[Layout, tuple[str, ...]],
    layout: Layout,
    certainty: float,
    share: float,
) -> Suggestion:
    example = view.examples[row]
    at, parts = only_user_turn(example), _parts(view, row)
    assert at is not None
    assert parts is not None
    shown = layout.fill(["…"] * len(layout.slots)).replace("\n", "\\n")
    return Suggestion(
        row=row,
        messages=with_turn(example, at, parts[0] + layout.fill(found[1])),
        rejected=example.rejected,
        reason=f'another template than {share:.0%} of the rows of this task, which are "{shown}"',
        score=LAYERING_SCORE * certainty,
        evidence={
            "found": found[0].fill(["…"] * len(layout.slots)),
            "most_rows": layout.fill(["…"] * len(layout.slots)),
            "majority_share": round(share, 3),
        },
    )
