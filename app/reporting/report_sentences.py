"""What a report says in sentences, each derived from the findings and the actions that it shows.

A sentence about a cause stands only where a case has it, one about a change only where an action makes it: so no two
of them contradict each other, and none the tables below.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import assert_never

from app.domain.records import RootCause
from app.domain.reports.report import RepairReport, ReportModel
from app.reporting.report_evidence import runner_up
from app.reporting.report_words import CAUSE_ORDER, by_cause, counted, percent

_NAMED_CAUSES = 2

CLOSE_CASE = "close_case"
"""The advice for a case whose answer is right already."""


def causes_of(report: ReportModel) -> dict[RootCause, int]:
    """Cases by cause, without those that are right already: these have none."""
    right = _right(report)
    return {cause: count - right[cause] for cause, count in by_cause(report)}


def _right(report: ReportModel) -> Counter[RootCause]:
    advised = Counter(
        f.category for f in report.findings if any(a.action == CLOSE_CASE for a in f.recommended_actions)
    )
    return Counter({cause: min(count, advised[cause]) for cause, count in by_cause(report)})


def main_causes(report: ReportModel) -> str:
    """How many cases fail for the most frequent cause, or for each of several that are equally frequent."""
    causes, cases = causes_of(report), report.diagnosis.cases
    most = max(causes.values(), default=0)
    if not most:
        all_right = f"{counted(cases, 'bad case')}: the answer is right already."
        return (
            all_right if _right(report).total() else f"{counted(cases, 'bad case')}: no cause was looked for."
        )
    tied = [cause for cause in CAUSE_ORDER if causes[cause] == most]
    if len(tied) > _NAMED_CAUSES:
        return f"{counted(cases, 'bad case')} fail for {len(tied)} reasons that are equally frequent."
    each = " each" if len(tied) > 1 else ""
    return f"{most:,} of {counted(cases, 'bad case')}{each}: {'; '.join(map(_because, tied))}."


def _because(cause: RootCause) -> str:
    match cause:
        case RootCause.OOD:
            return "no training row covers them"
        case RootCause.CONFLICT:
            return "training rows contradict each other or the expected answer"
        case RootCause.HARD:
            return "the training data covers them and agrees, yet the model gets them wrong"
        case RootCause.SERVING_MISMATCH:
            return "the request was not built as the training rows are"
        case RootCause.UNDETERMINED:
            return "the evidence does not decide why they fail"
        case _:
            assert_never(cause)


_TO_DO: Mapping[RootCause, str] = {
    RootCause.SERVING_MISMATCH: "Fix the request for {}: no training is needed.",
    RootCause.CONFLICT: "Correct or remove the contradicting rows behind {}, then train.",
    RootCause.OOD: "Add rows for {} that nothing covers, then train.",
    RootCause.HARD: "Train differently for {}: the training data covers them and agrees.",
    RootCause.UNDETERMINED: "Ask a person about {}: the evidence does not decide.",
}


def to_do(report: ReportModel) -> tuple[str, ...]:
    """What to do about how many cases, for a reader who will not read on."""
    causes, cases = causes_of(report), report.diagnosis.cases
    said = [
        what.format(f"{counted(causes[cause], 'case')} ({percent(causes[cause] / cases)})")
        for cause, what in _TO_DO.items()
        if causes[cause]
    ]
    if right := _right(report).total():
        said.insert(
            0, f"Close {counted(right, 'case')} ({percent(right / cases)}): the answer is right already."
        )
    return tuple(said)


def decided(report: ReportModel) -> tuple[int, int, int]:
    """Cases whose cause the evidence decides, those that are close calls, and those that are left to a person."""
    left = dict(by_cause(report))[RootCause.UNDETERMINED]
    close = sum(
        f.category is not RootCause.UNDETERMINED and runner_up(f.probabilities, f.category) is not None
        for f in report.findings
    )
    return report.diagnosis.cases - left - close, close, left


def about_the_plan(report: ReportModel) -> tuple[str, ...]:
    """What the repair plan changes, what it waits for, and what it has nothing for."""
    repair = report.repair
    if repair is None:
        return ()
    return (*_changes(repair), *_questions(repair), *_uncovered(report))


def about_questions(report: ReportModel) -> tuple[str, ...]:
    """The questions alone, for a report whose plan is told of further down."""
    return () if report.repair is None else tuple(_questions(report.repair))


def _changes(repair: RepairReport) -> list[str]:
    decisions: Counter[str] = Counter()
    for by_decision in repair.counts.values():
        decisions.update(by_decision)
    if not decisions.total():
        return ["The plan changes no row."]
    said = {
        "applied": "{} carried out.",
        "approved": "{} approved, and not carried out yet.",
        "proposed": "{} proposed: nobody has decided.",
        "rejected": "{} rejected.",
    }
    return [
        what.format(f"{counted(count, 'action')} {'is' if count == 1 else 'are'}")
        for decision, what in said.items()
        if (count := decisions[decision])
    ]


def _questions(repair: RepairReport) -> list[str]:
    if not repair.open_questions:
        return []
    kept = repair.rows_kept_out
    rows = (
        f"{counted(kept, 'row')} {'is' if kept == 1 else 'are'} left out of the training until then"
        if kept
        else "no row is left out for that"
    )
    count = repair.open_questions
    return [f"{counted(count, 'question')} {'waits' if count == 1 else 'wait'} for a person; {rows}."]


def _uncovered(report: ReportModel) -> list[str]:
    """Repair plans add no rows: what does, and for which cases nothing can be added yet."""
    uncovered = causes_of(report)[RootCause.OOD]
    if not uncovered:
        return []
    added = sum(report.augmentation.counts.values()) if report.augmentation is not None else 0
    mute = sum(f.category is RootCause.OOD and f.expected_output is None for f in report.findings)
    cases = f"{counted(uncovered, 'case')} that no training row covers"
    said = (
        f"{counted(added, 'row')} {'was' if added == 1 else 'were'} added for {cases}."
        if added
        else f"No row is added for {cases}: add rows that ask the same in other words, or augment the version."
    )
    if not mute:
        return [said]
    which = "1 of them says" if mute == 1 else f"{mute:,} of them say"
    return [said, f"{which} no expected answer: without one nothing can be added; give it first."]
