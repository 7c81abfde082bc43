"""The report as Markdown, for a pull request, a wiki or a terminal.

A user's text is escaped, or stands in a code span or a fence that it cannot close (app.reporting.markdown_text): it
cannot become a heading, a link or HTML.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.domain.reports.report import ReportCluster, ReportFinding, ReportModel
from app.reporting.markdown_evidence import comparison_lines, evidence_lines, table
from app.reporting.markdown_text import cell, code, escaped, fenced
from app.reporting.report_changes import change_of
from app.reporting.report_evidence import runner_up
from app.reporting.report_html import duration, moment, number, readable
from app.reporting.report_sentences import about_the_plan
from app.reporting.report_summary import (
    before_and_after,
    cause_meaning,
    cause_name,
    figures,
    headline,
    in_reading_order,
    verdict_name,
)
from app.reporting.report_words import by_cause, counted, humanised, percent, trend_name

MAX_FINDINGS = 200
MAX_ACTIONS = 100
MAX_VERIFIED_CASES = 200


def render_markdown(report: ReportModel) -> str:
    """The whole report as one Markdown document (GitHub's dialect); encode it as UTF-8."""
    sections = (
        _top(report),
        _roadmap(report),
        _clusters(report),
        comparison_lines(report),
        _findings(report),
        _repair(report),
        _mixture(report),
        _training(report),
        _verification(report),
        _method(report),
    )
    text = "\n\n".join(body for section in sections if (body := "\n".join(section).strip())) + "\n"
    return text.encode("utf-8", "replace").decode("utf-8")


def _top(report: ReportModel) -> Iterable[str]:
    top = headline(report)
    yield f"# {escaped(report.title)}"
    yield ""
    yield (
        f"Project {escaped(report.project)} · dataset {escaped(report.dataset.name)}, "
        f"{counted(report.dataset.rows, 'row')} · {moment(report.generated_at)}"
    )
    yield ""
    yield f"> **{top.tag}.** {escaped(top.title)}"
    if top.details:
        yield ">"
    for detail in top.details:
        yield f"> - {escaped(detail)}"
    yield ""
    yield from table(
        ("", "", ""), [(f"**{f.label}**", f"**{f.shown}**", escaped(f.note)) for f in figures(report)]
    )
    if report.diagnosis.cases:
        yield ""
        yield "## What failed, and why"
        yield ""
        rows = [
            (cause_name(cause), str(count), percent(count / report.diagnosis.cases), cause_meaning(cause))
            for cause, count in by_cause(report)
            if count
        ]
        yield from table(("Root cause", "Cases", "Share", "What it means"), rows)


def _roadmap(report: ReportModel) -> Iterable[str]:
    if not report.roadmap:
        return
    yield "## Roadmap"
    yield ""
    for step in report.roadmap:
        gain = f" Expected gain: {escaped(step.gain)}" if step.gain else ""
        yield (
            f"{step.step}. {_bold(humanised(step.action))} ({escaped(step.cost)} cost): "
            f"{escaped(step.key_point)}{gain}"
        )


def _clusters(report: ReportModel) -> Iterable[str]:
    if not report.clusters:
        return
    yield "## Groups of cases that fail alike"
    yield ""
    rows = [
        (
            escaped(cluster.label),
            str(cluster.size),
            _trend(cluster),
            ", ".join(f"{cause_name(c)} {n}" for c, n in cluster.category_counts.items() if n),
            escaped(", ".join(cluster.keywords)),
            cell(cluster.exemplars[0].prompt) if cluster.exemplars else "",
        )
        for cluster in report.clusters
    ]
    yield from table(("Group", "Cases", "Trend", "Root causes", "Keywords", "Example"), rows)

    if report.fixed_clusters:
        yield ""
        gone = ", ".join(f"{escaped(c.label)} ({c.size_before})" for c in report.fixed_clusters)
        yield f"Not seen since the diagnosis before: {gone}."


def _trend(cluster: ReportCluster) -> str:
    if cluster.trend is None:
        return ""
    before = f", {cluster.size_before} before" if cluster.size_before else ""
    return f"{trend_name(cluster.trend)}{before}"


def _findings(report: ReportModel) -> Iterable[str]:
    yield "## Findings"
    yield ""
    findings = in_reading_order(report.findings)
    if not findings:
        yield "There is nothing to show: no bad case was diagnosed."
    for finding in findings[:MAX_FINDINGS]:
        yield from _finding(finding)
    if len(findings) > MAX_FINDINGS:
        yield f"The first {MAX_FINDINGS:,} of {len(findings):,} findings; the JSON and CSV reports hold all."


def _finding(finding: ReportFinding) -> Iterable[str]:
    verdict = f", {escaped(verdict_name(finding.verdict).lower())}" if finding.verdict else ""
    held_back = ", held back" if finding.held_back else ""
    name = escaped(finding.external_id or finding.bad_case_id)
    yield f"### {name}: {cause_name(finding.category)} ({percent(finding.confidence)}{verdict}{held_back})"
    yield ""
    for title, text in (
        ("Prompt", finding.prompt),
        ("Wrong answer", finding.model_output),
        ("Expected", finding.expected_output),
        ("After the fix", finding.after_output),
    ):
        if text is not None:
            yield f"{title}:"
            yield ""
            yield fenced(text)
            yield ""
    if finding.override is not None:
        yield f"A person says **{cause_name(finding.override.category)}**. {escaped(finding.override.note)}"
        yield ""
    if finding.evidence.neighbors:
        rows = [
            (f"{n.similarity:.2f}", cell(n.input), cell(n.output), escaped(humanised(n.agrees_with.value)))
            for n in finding.evidence.neighbors
        ]
        yield from table(("Similarity", "Training prompt", "Its answer", "Gives"), rows)
        yield ""
    if second := runner_up(finding.probabilities, finding.category):
        yield f"Not certain: {cause_name(second[0]).lower()} is likely too ({percent(second[1])})."
        yield ""
    if lines := list(evidence_lines(finding.evidence, finding.category)):
        yield from lines
        yield ""
    for action in finding.recommended_actions:
        yield f"- {_bold(humanised(action.action))} ({escaped(action.cost)} cost): {escaped(action.reason)}"
    if finding.recommended_actions:
        yield ""


def _repair(report: ReportModel) -> Iterable[str]:
    repair = report.repair
    if repair is None:
        return
    yield f"## Changes to the data ({counted(repair.total_actions, 'action')})"
    yield ""
    rows = [
        (escaped(humanised(kind)), escaped(", ".join(f"{n} {decision}" for decision, n in decisions.items())))
        for kind, decisions in repair.counts.items()
    ]
    yield from table(("Change", "Decisions"), rows)
    yield ""
    for sentence in about_the_plan(report):
        yield escaped(sentence)
        yield ""
    for action in repair.actions[:MAX_ACTIONS]:
        yield f"- {_bold(humanised(action.kind))} ({escaped(action.decision)}): {escaped(action.reason)}"
        change = change_of(action)
        for row in change.rows:
            prompt = code(row.prompt) + (
                f" → {code(row.prompt_after)}" if row.prompt_after is not None else ""
            )
            before = code(row.before) if row.before is not None else "(no row)"
            after = code(row.after) if row.after is not None else "(removed)"
            yield f"  - {prompt}: {before} → {after}"
        if change.left_out:
            yield f"  - and {counted(change.left_out, 'more row')}"
    if repair.total_actions > (shown := min(len(repair.actions), MAX_ACTIONS)):
        yield f"- … {counted(repair.total_actions - shown, 'more action')}"


def _mixture(report: ReportModel) -> Iterable[str]:
    if report.augmentation is None and report.mixture is None:
        return
    yield "## What the model was trained on"
    yield ""
    if report.augmentation is not None:
        yield from _settings(report.augmentation.counts)
        for note in report.augmentation.notes:
            yield f"- {escaped(note)}"
    if report.mixture is not None:
        yield from _settings(report.mixture.counts)
        yield from _settings(report.mixture.recipe)


def _training(report: ReportModel) -> Iterable[str]:
    training = report.training
    if training is None:
        return
    yield "## Training"
    yield ""
    yield f"- Base model: {escaped(training.base_model)}"
    yield f"- Device: {escaped(training.device)}, {duration(training.seconds)}"
    if training.loss_curve:
        yield f"- Loss: {number(training.loss_curve[0][1])} → {number(training.loss_curve[-1][1])}"
    yield from _settings(training.hyperparameters)


def _verification(report: ReportModel) -> Iterable[str]:
    verification = report.verification
    if verification is None:
        return
    yield "## Before and after"
    yield ""
    if verification.retention is not None and verification.retention.slices:
        rows = [
            (escaped(s.name), str(s.n), percent(s.before), percent(s.after), percent(s.degradation))
            for s in verification.retention.slices
        ]
        yield from table(("Slice", "Rows", "Before", "After", "Lost"), rows)
        yield ""
    cases = before_and_after(report)
    rows = [
        (
            cell(case.prompt),
            cell(case.before_output),
            cell(case.after_output),
            cell(case.expected_output or ""),
            escaped(verdict_name(case.verdict)),
        )
        for case in cases[:MAX_VERIFIED_CASES]
    ]
    if rows:
        yield from table(("Case", "Before", "After", "Expected", "Verdict"), rows)
    total = max(len(cases), verification.total_cases or 0)
    if total > len(rows):
        yield ""
        yield f"The first {len(rows):,} of {total:,} cases."


def _method(report: ReportModel) -> Iterable[str]:
    yield "## Method and settings"
    yield ""
    settings: dict[str, Any] = {
        "dataset version": report.dataset.version_id,
        "content hash": report.dataset.content_hash,
        "diagnosis": report.diagnosis.id,
        **report.diagnosis.calibration,
    }
    yield from _settings(settings)
    if report.cycle is not None:
        for stage in report.cycle.stages:
            yield f"- Stage {escaped(stage.name)}: {escaped(stage.status)}, {duration(stage.seconds)}"


def _settings(values: Mapping[str, Any]) -> Iterable[str]:
    for key, value in values.items():
        yield f"- {escaped(humanised(str(key)))}: {escaped(readable(value))}"


def _bold(text: str) -> str:
    return f"**{escaped(text)}**"
