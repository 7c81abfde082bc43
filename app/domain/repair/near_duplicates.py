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
from functools import lru_cache

from app.domain import similarity, text
from app.domain.repair import thresholds
from app.domain.thresholds import CHARACTER_NGRAM_CJK, CHARACTER_NGRAM_LATIN


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


def same_prompts(prompts: Sequence[str], frames: Sequence[str], threshold: float) -> PromptGroups:
    """Group prompts that are near-duplicates, directly or in a chain.

    ``frames`` is what must be equal besides (system prompt, task instruction, tools). ``threshold`` is
    the Jaccard of the prompts' character n-gram sets, 0..1; candidates come from banded MinHash (Broder
    1997), and each pair is then measured exactly.
    """
    keys = [_must_match(prompt, frame) for prompt, frame in zip(prompts, frames, strict=True)]
    jaccards: dict[tuple[int, int], float] = {}
    equal: dict[tuple[str, object], int] = {}
    for row, prompt in enumerate(prompts):
        twin = equal.setdefault((text.normalised(prompt), keys[row]), row)
        if twin != row and prompt.strip():
            jaccards[(twin, row)] = 1.0
    # The sketch errs by a few hundredths: ask for a little less, then measure.
    candidates: list[list[int]] = similarity.near_duplicates(prompts, threshold * 0.9).pairs.tolist()
    for first, second in candidates:
        if keys[first] == keys[second] and (first, second) not in jaccards:
            measured = exact_jaccard(prompts[first], prompts[second])
            if measured >= threshold:
                jaccards[(first, second)] = measured
    return PromptGroups(groups=connected(len(prompts), jaccards), jaccards=jaccards)


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
        if len(pairs) >= thresholds.TEMPLATE_MIN_PAIRS
        and sum(outputs[a] != outputs[b] for a, b in pairs) / len(pairs)
        >= thresholds.TEMPLATE_DISAGREEMENT * _disagreement([outputs[row] for row in rows_of[task]])
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
    parent = list(range(size))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for first, second in pairs:
        low, high = sorted((root(first), root(second)))
        parent[high] = low
    members: defaultdict[int, list[int]] = defaultdict(list)
    for node in range(size):
        members[root(node)].append(node)
    return tuple(tuple(group) for group in members.values() if len(group) > 1)


def exact_jaccard(left: str, right: str) -> float:
    """Jaccard of the two texts' character n-gram sets, 0..1 (bigrams where CJK carries one of them)."""
    (n_left, a), (n_right, b) = _grams(left), _grams(right)
    if n_left != n_right:
        a, b = (text.character_ngrams(t, min(n_left, n_right)) for t in (left, right))
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared) if shared else 0.0


# Pairs come sorted, so that a text is compared with several others in a row.
@lru_cache(maxsize=256)
def _grams(of: str) -> tuple[int, frozenset[str]]:
    n = CHARACTER_NGRAM_CJK if text.is_chinese(of) else CHARACTER_NGRAM_LATIN
    return n, text.character_ngrams(of, n)


def _must_match(prompt: str, frame: str) -> tuple[str, tuple[str, ...], int]:
    return frame, text.numbers(prompt), text.negations(prompt) % 2
