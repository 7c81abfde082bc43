"""Two diagnoses side by side: what became of each case, and of each cluster since earlier diagnoses.

Does not know where a diagnosis is stored, and to call a case fixed that was only left out: ``gone`` says no
more than that it is not there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from app.domain.diagnosis.clusters.matching import JudgedCase, KnownCluster, Snapshot, matches
from app.domain.records import RootCause

CHANCE = 1.0
"""A cluster grows or shrinks when its size differs by more standard deviations of two Poisson counts."""


class CaseChange(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    FIXED = "fixed"
    GONE = "gone"


class Trend(StrEnum):
    NEW = "new"
    GROWING = "growing"
    STEADY = "steady"
    SHRINKING = "shrinking"
    FIXED = "fixed"
    CAME_BACK = "came_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedCase:
    """``before`` or ``after`` is ``None`` where the case is in one diagnosis only."""

    bad_case_id: str
    external_id: str | None
    change: CaseChange
    before: RootCause | None
    after: RootCause | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterTrend:
    """``cluster_id`` is of the later diagnosis; for ``fixed`` it is the earlier cluster that has no heir.

    ``size_before`` is the size in the diagnosis compared with (0 = not there); ``since`` names the diagnosis
    in which a cluster that came back was last seen.
    """

    cluster_id: str
    label: str
    trend: Trend
    size: int
    size_before: int
    before_id: str | None = None
    since: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosisComparison:
    before_id: str
    after_id: str
    cases: tuple[ComparedCase, ...]
    clusters: tuple[ClusterTrend, ...]
    by_category: Mapping[RootCause, tuple[int, int]] = field(default_factory=dict)

    @property
    def case_counts(self) -> dict[CaseChange, int]:
        counts = Counter(c.change for c in self.cases)
        return {change: counts[change] for change in CaseChange}

    @property
    def cluster_counts(self) -> dict[Trend, int]:
        counts = Counter(c.trend for c in self.clusters)
        return {trend: counts[trend] for trend in Trend}


def compare(after: Snapshot, before: Snapshot, *, older: Sequence[Snapshot] = ()) -> DiagnosisComparison:
    """``after`` against ``before``; ``older`` diagnoses, newest first, tell what came back."""
    return DiagnosisComparison(
        before_id=before.diagnosis_id,
        after_id=after.diagnosis_id,
        cases=_compared_cases(after.cases, before.cases),
        clusters=trends(after, [before, *older]),
        by_category={cause: (_count(before.cases, cause), _count(after.cases, cause)) for cause in RootCause},
    )


def trends(current: Snapshot, history: Sequence[Snapshot]) -> tuple[ClusterTrend, ...]:
    """Each cluster of ``current`` in its order, then the fixed ones of ``history[0]``; newest first.

    Without history nothing is known: no trends.
    """
    if not history:
        return ()
    previous, older = history[0], history[1:]
    heirs = matches(current, previous)
    earlier_sizes = {c.id: c.size for c in previous.clusters}
    seen_before = [(s.diagnosis_id, matches(current, s)) for s in older]
    kept = [
        _trend(
            cluster,
            size_before=earlier_sizes.get(heirs.get(cluster.id, ""), 0),
            before_id=heirs.get(cluster.id),
            last_seen=next((id for id, match in seen_before if cluster.id in match), None),
        )
        for cluster in current.clusters
    ]
    inherited = set(heirs.values())
    fixed = [
        ClusterTrend(
            cluster_id=cluster.id,
            label=cluster.label,
            trend=Trend.FIXED,
            size=0,
            size_before=cluster.size,
            before_id=cluster.id,
        )
        for cluster in previous.clusters
        if cluster.id not in inherited
    ]
    return (*kept, *fixed)


def _trend(
    cluster: KnownCluster, *, size_before: int, before_id: str | None, last_seen: str | None
) -> ClusterTrend:
    came_back = before_id is None and last_seen is not None
    appeared = Trend.CAME_BACK if came_back else Trend.NEW
    trend = appeared if before_id is None else _growth(size_before, cluster.size)
    return ClusterTrend(
        cluster_id=cluster.id,
        label=cluster.label,
        trend=trend,
        size=cluster.size,
        size_before=size_before,
        before_id=before_id,
        since=last_seen if came_back else None,
    )


def _compared_cases(after: Sequence[JudgedCase], before: Sequence[JudgedCase]) -> tuple[ComparedCase, ...]:
    """The later diagnosis' cases in their order, then those that are only in the earlier one."""
    by_id = {c.bad_case_id: c for c in before}
    by_external = {c.external_id: c for c in before if c.external_id}
    matched: set[str] = set()
    compared = []
    for case in after:
        earlier = by_id.get(case.bad_case_id) or by_external.get(case.external_id or "")
        if earlier:
            matched.add(earlier.bad_case_id)
        compared.append(
            ComparedCase(
                bad_case_id=case.bad_case_id,
                external_id=case.external_id,
                change=_change(case, earlier),
                before=earlier.category if earlier else None,
                after=case.category,
            )
        )
    compared += [
        ComparedCase(
            bad_case_id=case.bad_case_id,
            external_id=case.external_id,
            change=CaseChange.GONE,
            before=case.category,
            after=None,
        )
        for case in before
        if case.bad_case_id not in matched
    ]
    return tuple(compared)


def _change(case: JudgedCase, earlier: JudgedCase | None) -> CaseChange:
    if earlier is None:
        return CaseChange.NEW
    if case.right and not earlier.right:
        return CaseChange.FIXED
    return CaseChange.UNCHANGED if case.category is earlier.category else CaseChange.CHANGED


def _count(cases: Sequence[JudgedCase], cause: RootCause) -> int:
    return sum(c.category is cause for c in cases)


def _growth(before: int, after: int) -> Trend:
    if abs(after - before) <= CHANCE * np.sqrt(before + after):
        return Trend.STEADY
    return Trend.GROWING if after > before else Trend.SHRINKING
