"""The map and the comparison of a report, as plain records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Int32, UInt16
from numpy import ndarray

from app.domain.diagnosis.clusters.trends import CaseChange, ClusterTrend
from app.domain.records import RootCause


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMap:
    """Where training rows and findings lie; near prompts lie near each other.

    ``examples`` (n, 2) may be a sample of ``total_examples``; ``texts`` holds the beginning of each of these
    rows, or nothing where that would make the report too large. ``groups`` (n,) index ``group_names``, -1 =
    none. ``cases`` (q, 2) belong to ``finding_ids``.
    """

    examples: UInt16[ndarray, "n 2"]
    cases: UInt16[ndarray, "q 2"]
    finding_ids: tuple[str, ...]
    groups: Int32[ndarray, " n"]
    group_names: tuple[str, ...]
    total_examples: int
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedChange:
    """A case whose place in the two diagnoses differs; ``prompt`` is its first line."""

    bad_case_id: str
    external_id: str | None
    change: CaseChange
    before: RootCause | None
    after: RootCause | None
    prompt: str
    finding_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportComparison:
    """This diagnosis against ``before_id``. ``changes`` leaves out what is unchanged; it may be a cut."""

    before_id: str
    before_title: str
    by_category: Mapping[RootCause, tuple[int, int]]
    case_counts: Mapping[CaseChange, int]
    clusters: tuple[ClusterTrend, ...]
    changes: tuple[ReportedChange, ...]
    total_changes: int
