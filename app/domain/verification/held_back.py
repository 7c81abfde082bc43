"""Which bad cases are kept out of all training, so that the fix is measured on unseen ones."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from app.domain.evidence import Finding
from app.domain.language.text import normalised
from app.domain.mixing.splits import Groups, SplitRow, same_question, take, uncut
from app.domain.near_duplicates.leakage import CERTAINLY_SAME, targets_asked
from app.domain.records import BadCase, RootCause


def choose_held_back(
    cases: Sequence[BadCase],
    findings: Sequence[Finding],
    *,
    training_prompts: Collection[str],
    share: float,
    rng: np.random.Generator,
) -> frozenset[str]:
    """Ids of the cases to hold back: ``share`` (0..1) of each group of cases that fail alike, rounded down.

    Cases that fail alike are a cluster within a root cause; those of three and more give at least one, smaller
    ones are pooled by root cause. Cases without an expected output cannot be judged, and cases whose question
    the training set or another case asks, in whatever frame, would not be unseen, so none of these is held back; nor
    are serving mismatches, which no training fixes.

    Near-duplicate cases, and those of one conversation, user or source as far as the share can be met so, are
    held back together or not at all. Where cases have times, the newest are held back. Depends on the set of
    cases, not on their order.
    """
    if share <= 0:
        return frozenset()
    ordered = sorted(cases, key=lambda c: c.id)
    asked = targets_asked(list(training_prompts), [c.prompt for c in ordered], matches=CERTAINLY_SAME)
    eligible = _eligible(ordered, findings, asked)
    rows = [SplitRow(prompt=c.prompt, metadata=c.metadata, occurred_at=c.occurred_at) for c in ordered]
    seed = int(rng.integers(2**32))
    finding_of = {f.bad_case_id: f for f in findings}
    found = [finding_of[c.id] for c in ordered]

    def choose(groups: Groups) -> list[int]:
        pools = _pools(groups, eligible, found)
        return [row for _, pool in sorted(pools.items()) for row in _taken(groups, pool, share)]

    near = same_question([row.prompt for row in rows])
    groups, chosen = uncut(rows, near, choose, seed=seed)
    if 2 * len(chosen) < sum(_count(share, pool) for pool in _pools(groups, eligible, found).values()):
        _, chosen = uncut(rows, near, choose, seed=seed, declared=False)
    return frozenset(ordered[row].id for row in chosen)


def _eligible(ordered: Sequence[BadCase], findings: Sequence[Finding], seen: Collection[str]) -> list[bool]:
    cause_of = {f.bad_case_id: f.root_cause for f in findings}
    asked = Counter(normalised(c.prompt) for c in ordered)
    return [
        case.expected_output is not None
        and cause_of[case.id] is not RootCause.SERVING_MISMATCH
        and case.prompt not in seen
        and asked[normalised(case.prompt)] == 1
        for case in ordered
    ]


def _pools(
    groups: Groups, eligible: Sequence[bool], findings: Sequence[Finding]
) -> Mapping[tuple[str, int], list[int]]:
    """Cases to choose from, by what they fail alike in; a group stands where its first case does.

    A group with a case that may not be held back stays in training as a whole.
    """
    members: defaultdict[int, list[int]] = defaultdict(list)
    for row, group in enumerate(groups.of):
        members[group].append(row)
    alike: defaultdict[tuple[RootCause, int], list[int]] = defaultdict(list)
    for rows in members.values():
        if all(eligible[row] for row in rows):
            first = findings[rows[0]]
            alike[first.root_cause, first.cluster] += rows
    pools: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for (cause, cluster), rows in alike.items():
        pools[cause.value, cluster if len(rows) >= 3 else -1] += rows
    return pools


def _taken(groups: Groups, pool: Sequence[int], share: float) -> list[int]:
    """``share`` of the pool in whole groups; where none is so small, the smallest one, if half of the pool stays."""
    count = _count(share, pool)
    smallest = min(Counter(groups.of[row] for row in pool).values(), default=0)
    return take(groups, pool, max(count, smallest) if count and 2 * smallest <= len(pool) else count)


def _count(share: float, pool: Sequence[int]) -> int:
    return int(share * len(pool)) or (1 if len(pool) >= 3 else 0)
