"""Which rows are one row written twice.

Knows content hashes, character n-grams and union-find. Two prompts that differ in a number, a negation,
the system prompt, the task or the tools are never the same, however many characters they share: "on 5
May" and "on 6 May" ask two things.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.domain.near_duplicates import signatures
from app.domain.near_duplicates.comparison import EDIT_SHARE, Comparison, Read, exact_jaccard

# Near-duplicate prompts of a task that differ in their answers at least this often, relative to any two
# of its prompts, are a template filled in twice; judged from this many pairs.
_TEMPLATE_DISAGREEMENT: Final = 0.6

_TEMPLATE_MIN_PAIRS: Final = 10

__all__ = [
    "DropReason",
    "Dropped",
    "PromptGroups",
    "connected",
    "exact_duplicates",
    "exact_jaccard",
    "same_prompts",
    "without_templates",
]


class DropReason(StrEnum):
    EXACT_DUPLICATE = "exact_duplicate"
    NEAR_DUPLICATE = "near_duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A row that goes, because the row ``of`` stays. ``jaccard`` 0..1 of their prompts' n-grams."""

    row: int
    reason: DropReason
    of: int
    jaccard: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptGroups:
    """``groups``: rows that ask the same, two and more, ascending. ``jaccards`` by (first, second)."""

    groups: tuple[tuple[int, ...], ...]
    jaccards: dict[tuple[int, int], float]


def exact_duplicates(content_hashes: Sequence[str]) -> tuple[Dropped, ...]:
    """Every row whose content stood earlier; the first one stays."""
    first: dict[str, int] = {}
    return tuple(
        Dropped(row=row, reason=DropReason.EXACT_DUPLICATE, of=first[content_hash])
        for row, content_hash in enumerate(content_hashes)
        if first.setdefault(content_hash, row) != row
    )


def same_prompts(
    prompts: Sequence[str],
    frames: Sequence[str],
    threshold: float,
    *,
    edit_share: float = EDIT_SHARE,
    lenient: bool = False,
    answers: Sequence[str] | None = None,
    read: Read = signatures.read,
) -> PromptGroups:
    """Group prompts that are near-duplicates, directly or in a chain.

    ``frames`` is what must be equal besides (system prompt, task instruction, tools); ``threshold`` and
    ``edit_share``, ``lenient`` and ``answers`` as in ``Comparison``. At most a few comparisons a row, however large
    a group is.
    """
    compared = Comparison.of(
        prompts, frames, threshold, edit_share=edit_share, lenient=lenient, answers=answers, read=read
    )
    found = compared.found()
    return PromptGroups(groups=connected(len(prompts), found), jaccards=found)


def without_templates(groups: PromptGroups, tasks: Sequence[str], outputs: Sequence[str]) -> PromptGroups:
    """The groups without the pairs that are one template filled in twice.

    Where near-duplicate prompts of a task are answered differently about as often as any two of its
    prompts, the few characters that differ are the question. Equal prompts (Jaccard 1) always stay.
    """
    rows_of: defaultdict[str, list[int]] = defaultdict(list)
    for row, task in enumerate(tasks):
        rows_of[task].append(row)
    pairs_of: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for pair, jaccard in groups.jaccards.items():
        if jaccard < 1:
            pairs_of[tasks[pair[0]]].append(pair)
    templates = {
        task
        for task, pairs in pairs_of.items()
        if len(pairs) >= _TEMPLATE_MIN_PAIRS
        and sum(outputs[a] != outputs[b] for a, b in pairs) / len(pairs)
        >= _TEMPLATE_DISAGREEMENT * _disagreement([outputs[row] for row in rows_of[task]])
    }
    kept = {
        pair: jaccard
        for pair, jaccard in groups.jaccards.items()
        if jaccard == 1 or tasks[pair[0]] not in templates
    }
    return PromptGroups(groups=connected(len(tasks), kept), jaccards=kept)


def _disagreement(outputs: Sequence[str]) -> float:
    """Share 0..1 of all pairs of rows whose outputs differ (Gini impurity, without replacement)."""
    n = len(outputs)
    same = sum(count * (count - 1) for count in Counter(outputs).values())
    return 1 - same / (n * (n - 1)) if n > 1 else 0.0


def connected(size: int, pairs: Iterable[tuple[int, int]]) -> tuple[tuple[int, ...], ...]:
    """Components of two and more of the graph over 0..size-1 (union-find with path halving).

    The answer does not depend on the order of the pairs; each component is ascending.
    """
    parent: dict[int, int] = {}

    def root(node: int) -> int:
        while (above := parent.setdefault(node, node)) != node:
            parent[node] = parent[above]
            node = parent[node]
        return node

    for first, second in pairs:
        if not (0 <= first < size and 0 <= second < size):
            raise ValueError(f"the pair ({first}, {second}) is not of rows 0..{size - 1}")
        low, high = sorted((root(first), root(second)))
        parent[high] = low
    members: defaultdict[int, list[int]] = defaultdict(list)
    for node in sorted(parent):
        members[root(node)].append(node)
    return tuple(tuple(group) for group in members.values() if len(group) > 1)
