"""What trends of clusters and changes of cases are called in a report."""

from __future__ import annotations

from typing import assert_never

from app.domain.diagnosis.comparison import CaseChange, Trend


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
