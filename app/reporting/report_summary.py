"""What the top of a report says, in words and figures; shared by the HTML and the Markdown report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from app.domain.records import RootCause
from app.domain.reports.report import (
    RateEstimate,
    ReportFinding,
    ReportModel,
    VerificationReport,
    VerifiedCase,
)
from app.reporting import report_sentences
from app.reporting.report_words import CAUSE_ORDER, counted, humanised, percent


class Tone(StrEnum):
    GOOD = "good"
    BAD = "bad"
    WARN = "warn"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The one sentence a reader in a hurry takes away, and the reasons under it."""

    tone: Tone
    tag: str
    title: str
    details: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One big number. ``value``, ``low`` and ``high`` lie in 0..``maximum``; ``None`` = no interval."""

    label: str
    shown: str
    note: str
    value: float | None = None
    low: float = 0.0
    high: float = 0.0
    maximum: float = 1.0
    tone: Tone = Tone.NEUTRAL


def cause_name(cause: RootCause) -> str:
    match cause:
        case RootCause.OOD:
            return "Not covered"
        case RootCause.CONFLICT:
            return "Contradictory data"
        case RootCause.HARD:
            return "Hard"
        case RootCause.SERVING_MISMATCH:
            return "Serving mismatch"
        case RootCause.UNDETERMINED:
            return "Undetermined"
        case _:
            assert_never(cause)


def cause_meaning(cause: RootCause) -> str:
    match cause:
        case RootCause.OOD:
            return "Nothing in the training set covers these prompts. Add data."
        case RootCause.CONFLICT:
            return "Training rows contradict each other or the expected answer. Correct or remove them."
        case RootCause.HARD:
            return (
                "The training data covers them and agrees, yet the model gets them wrong. Train differently."
            )
        case RootCause.SERVING_MISMATCH:
            return "The request was not built as the training rows are. Fix the request, not the data."
        case RootCause.UNDETERMINED:
            return "The evidence does not decide. A person has to look."
        case _:
            assert_never(cause)


VERDICT_NAMES = {
    "fixed": "Fixed",
    "not_fixed": "Not fixed",
    "regressed": "Regressed",
    "still_right": "Still right",
}


def verdict_name(verdict: str) -> str:
    return VERDICT_NAMES.get(verdict, humanised(verdict))


def headline(report: ReportModel) -> Headline:
    """Accepted or rejected after a verification; before it, what mostly fails."""
    if report.verification is not None:
        return _verified(report, report.verification)
    if report.cycle is not None and report.cycle.status in {"failed", "cancelled"}:
        stage = next((s.name for s in report.cycle.stages if s.status in {"failed", "cancelled"}), None)
        where = f" in the stage {stage}" if stage else ""
        return Headline(
            tone=Tone.BAD,
            tag=humanised(report.cycle.status),
            title=f"The cycle was {report.cycle.status}{where}."
            if report.cycle.status == "cancelled"
            else f"The cycle failed{where}.",
            details=("No fix has been verified. What was found until then stands below.",),
        )
    cases = report.diagnosis.cases
    if cases == 0:
        return Headline(tone=Tone.NEUTRAL, tag="Diagnosis", title="No bad cases were diagnosed.", details=())
    return Headline(
        tone=Tone.NEUTRAL,
        tag="Diagnosis",
        title=report_sentences.main_causes(report),
        details=(
            *report_sentences.to_do(report),
            *report_sentences.about_the_plan(report),
            "No repair has been verified yet: this report tells why the cases fail and what to do.",
        ),
    )


def _verified(report: ReportModel, verification: VerificationReport) -> Headline:
    rate = verification.fix_rate
    fixed = round(rate.rate * rate.n)
    what = f"{fixed:,} of {counted(rate.n, 'bad case')} fixed" if rate.n else "no bad case was measured"
    details = (*verification.gate.reasons, *report_sentences.about_questions(report))
    if verification.gate.accepted:
        title = f"The adapter may be served: {what}."
        return Headline(tone=Tone.GOOD, tag="Accepted", title=title, details=details)
    if verification.retention is None:
        title = f"Nothing shows what the adapter has forgotten: {what}."
        return Headline(tone=Tone.WARN, tag="Inconclusive", title=title, details=details)
    title = f"The adapter must not be served: {what}."
    return Headline(tone=Tone.BAD, tag="Rejected", title=title, details=details)


def figures(report: ReportModel) -> tuple[Figure, ...]:
    """The big numbers: three of a verification, or what a diagnosis alone can say."""
    cases = report.diagnosis.cases
    verification = report.verification
    if verification is None:
        decided, close, left = report_sentences.decided(report)
        return (
            Figure(label="Bad cases", shown=f"{cases:,}", note="diagnosed"),
            Figure(label="Training rows", shown=f"{report.dataset.rows:,}", note=report.dataset.name),
            Figure(label="Groups", shown=f"{len(report.clusters):,}", note="cases that fail alike"),
            Figure(
                label="Decided by evidence",
                shown=percent(decided / cases) if cases else "–",
                note=f"{counted(close, 'close call')}, {counted(left, 'case')} left to a person",
            ),
        )
    shown = [_rate_figure("Fix rate", verification.fix_rate, "of the bad cases are answered correctly")]
    if verification.held_back_fix_rate is not None:
        shown.append(
            _rate_figure(
                "Held-back fix rate", verification.held_back_fix_rate, "of similar cases never trained on"
            )
        )
    if (kept := verification.retention) is not None:
        shown.append(
            Figure(
                label="Retention",
                shown=percent(kept.mean) if kept.n else "–",
                note=_note(kept.low, kept.high, kept.n, "of what was right before is kept")
                if kept.n
                else "not measured",
                value=kept.mean if kept.n else None,
                low=kept.low,
                high=kept.high,
                maximum=max(1.0, kept.high),
                tone=Tone.GOOD if kept.mean >= 0.9 else Tone.WARN if kept.mean >= 0.8 else Tone.BAD,
            )
        )
    return tuple(shown)


def _note(low: float, high: float, n: int, meaning: str) -> str:
    # No-break spaces: the interval and the count stay in one piece each.
    return f"{meaning} ({percent(low)}\u00a0to\u00a0{percent(high)}, n\u00a0=\u00a0{n:,})"


def _rate_figure(label: str, rate: RateEstimate, meaning: str) -> Figure:
    if rate.n == 0:
        return Figure(label=label, shown="–", note="not measured")
    return Figure(
        label=label,
        shown=percent(rate.rate),
        note=_note(rate.low, rate.high, rate.n, meaning),
        value=rate.rate,
        low=rate.low,
        high=rate.high,
        tone=Tone.GOOD if rate.rate >= 0.7 else Tone.WARN if rate.rate >= 0.4 else Tone.BAD,
    )


def in_reading_order(findings: Sequence[ReportFinding]) -> tuple[ReportFinding, ...]:
    """What is still open first: regressed, not fixed, not verified, fixed; then by cause; else as given."""
    urgency = {"regressed": 0, "not_fixed": 1, None: 2}
    return tuple(sorted(findings, key=lambda f: (urgency.get(f.verdict, 3), CAUSE_ORDER.index(f.category))))


def before_and_after(report: ReportModel) -> tuple[VerifiedCase, ...]:
    """The verified cases; made of the findings where the verification lists none."""
    if report.verification is not None and report.verification.cases:
        return report.verification.cases
    return tuple(
        VerifiedCase(
            id=f.external_id or f.bad_case_id,
            part="held_back" if f.held_back else "case",
            prompt=f.prompt,
            expected_output=f.expected_output,
            before_output=f.model_output,
            after_output=f.after_output or "",
            verdict=f.verdict,
        )
        for f in in_reading_order(report.findings)
        if f.verdict is not None
    )
