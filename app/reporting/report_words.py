"""What figures, trends of clusters and changes of cases are called in a report, and the order of the causes."""

from __future__ import annotations

from typing import assert_never

from app.domain.diagnosis.clusters.trends import CaseChange, Trend
from app.domain.records import RootCause
from app.domain.reports.report import ReportModel

CAUSE_ORDER = (
    RootCause.CONFLICT,
    RootCause.OOD,
    RootCause.HARD,
    RootCause.SERVING_MISMATCH,
    RootCause.UNDETERMINED,
)


def humanised(name: str) -> str:
    """``near_duplicate`` -> ``Near duplicate``."""
    words = name.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]


def percent(share: float) -> str:
    """0.857 -> ``86%``; a share that is not quite all or nothing never reads 100% or 0%."""
    if 0 < share < 0.01:
        return "<1%"
    if 0.99 < share < 1:
        return ">99%"
    return f"{100 * share:.0f}%"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def by_cause(report: ReportModel) -> tuple[tuple[RootCause, int], ...]:
    """Every root cause in the report's order with its number of cases."""
    return tuple((cause, report.diagnosis.by_category.get(cause, 0)) for cause in CAUSE_ORDER)


def trend_name(trend: Trend) -> str:
    match trend:
        case Trend.NEW:
            return "New"
        case Trend.GROWING:
            return "Growing"
        case Trend.STEADY:
            return "Steady"
        case Trend.SHRINKING:
            return "Shrinking"
        case Trend.FIXED:
            return "Fixed or gone"
        case Trend.CAME_BACK:
            return "Came back"
        case _:
            assert_never(trend)


def change_name(change: CaseChange) -> str:
    match change:
        case CaseChange.NEW:
            return "New"
        case CaseChange.CHANGED:
            return "Other cause"
        case CaseChange.UNCHANGED:
            return "Unchanged"
        case CaseChange.FIXED:
            return "Fixed"
        case CaseChange.GONE:
            return "Gone"
        case _:
            assert_never(change)


def change_meaning(change: CaseChange) -> str:
    match change:
        case CaseChange.NEW:
            return "not in the diagnosis before"
        case CaseChange.CHANGED:
            return "in both, with another root cause"
        case CaseChange.UNCHANGED:
            return "in both, for the same reason"
        case CaseChange.FIXED:
            return "answered correctly now"
        case CaseChange.GONE:
            return "in the diagnosis before only"
        case _:
            assert_never(change)
