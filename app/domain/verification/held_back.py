"""Which bad cases are kept out of all training, so that the fix is measured on unseen ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np

from app.domain.records import BadCase, Finding, RootCause
from app.domain.text import normalised


def choose_held_back(
    cases: Sequence[BadCase],
    findings: Sequence[Finding],
    *,
    training_prompts: Collection[str],
    share: float,
    rng: np.random.Generator,
) -> frozenset[str]:
    """Ids of the cases to hold back: ``share`` (0..1) of each group of cases that fail alike, rounded down.

    A group is a cluster within a root cause; those of three and more give at least one, smaller ones
    are pooled by root cause. Cases without an expected output cannot be judged, and cases whose prompt
    stands in the training set or in another case would not be unseen, so none of these is held back; nor are
    serving mismatches, which no training mends. Depends on the set of cases, not on their order.
    """
    if share <= 0:
        return frozenset()
    seen = {normalised(p) for p in training_prompts}
    finding_of = {f.bad_case_id: f for f in findings}
    groups: dict[tuple[RootCause, int], list[str]] = {}
    asked = Counter(normalised(c.prompt) for c in cases)
    for case in sorted(cases, key=lambda c: c.id):
        finding = finding_of[case.id]
        prompt = normalised(case.prompt)
        if case.expected_output is None or finding.root_cause is RootCause.SERVING_MISMATCH:
            continue
        if prompt in seen or asked[prompt] > 1:
            continue
        groups.setdefault((finding.root_cause, finding.cluster), []).append(case.id)
    pooled: dict[tuple[RootCause, int], list[str]] = {}
    for (cause, cluster), ids in groups.items():
        key = (cause, cluster) if len(ids) >= 3 else (cause, -1)
        pooled.setdefault(key, []).extend(ids)
    chosen: set[str] = set()
    for key in sorted(pooled, key=str):
        ids = pooled[key]
        count = int(share * len(ids)) or (1 if len(ids) >= 3 else 0)
        chosen.update(str(i) for i in rng.choice(np.array(ids), size=count, replace=False))
    return frozenset(chosen)
