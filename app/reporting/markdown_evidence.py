"""The evidence of a finding, and two diagnoses side by side, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.domain.evidence import Evidence
from app.domain.records import RootCause
from app.domain.reports.report import ReportModel
from app.reporting import report_evidence
from app.reporting.evidence_facts import sides_sentence
from app.reporting.markdown_text import cell, escaped
from app.reporting.report_html import number
from app.reporting.report_summary import cause_name
from app.reporting.report_words import by_cause, change_meaning, change_name, counted, humanised, trend_name

MAX_CHANGES = 100


def evidence_lines(evidence: Evidence, cause: RootCause = RootCause.CONFLICT) -> Iterable[str]:
    """What speaks for the verdict beside the neighbours: one line each."""
    decides = cause is RootCause.CONFLICT
    seen = report_evidence.view(evidence, cause)
    if (pair := evidence.conflict.contradicting_pair) is not None:
        yield "The contradiction:" if decides else "What speaks for a contradiction:"
        yield ""
        rows = [
            (
                "This case" if row.example_id is None else escaped(row.example_id),
                cell(row.input),
                cell(row.output),
            )
            for row in (pair.left, pair.right)
        ]
        yield from table(("", "Prompt", "Answer"), rows)
        yield ""
        for difference in pair.differences:
            yield (
                f"- Differs: {escaped(humanised(difference.kind))}, "
                f"{cell(difference.left)} against {cell(difference.right)}"
            )
    if cause is not RootCause.HARD:
        yield f"- {sides_sentence(evidence.conflict.counts)}"
    own = tuple(named for named in seen.facts if named[0] == cause)
    for name, facts in own or seen.facts:
        for fact in facts:
            words = f": {', '.join(cell(word, 80) for word in fact.words)}" if fact.words else ""
            share = f" ({fact.shown_share})" if fact.shown_share else ""
            yield f"- {escaped(humanised(name))}: {escaped(fact.says)}{share}{words}"
    for symptom in evidence.symptoms:
        row = f" ({escaped(symptom.example_id)})" if symptom.example_id else ""
        yield f"- Symptom {escaped(humanised(symptom.symptom))}: {escaped(symptom.detail)}{row}"
    for taught in evidence.attribution:
        said = f"{escaped(taught.example_id)}, {number(taught.score)}"
        yield f"- Taught by {said}: {cell(taught.input)} → {cell(taught.output)}"
    if seen.judge:
        yield f"- A language model's reading: {', '.join(f'{escaped(k)} {cell(v)}' for k, v in seen.judge)}"


def comparison_lines(report: ReportModel) -> Iterable[str]:
    made = report.comparison
    if made is None:
        return
    yield "## Against the diagnosis before"
    yield ""
    yield escaped(made.before_title)
    yield ""
    rows = [
        (change_name(change), str(count), change_meaning(change))
        for change, count in made.case_counts.items()
    ]
    yield from table(("Cases", "", ""), rows)
    yield ""
    pairs = [(cause, made.by_category.get(cause, (0, 0))) for cause, _ in by_cause(report)]
    rows = [(cause_name(cause), str(before), str(now)) for cause, (before, now) in pairs if before or now]
    yield from table(("Root cause", "Before", "Now"), rows)
    if made.clusters:
        yield ""
        rows = [
            (escaped(c.label), trend_name(c.trend), str(c.size_before), str(c.size)) for c in made.clusters
        ]
        yield from table(("Group", "Trend", "Before", "Now"), rows)
    if made.changes:
        yield ""
        rows = [
            (
                cell(c.prompt),
                change_name(c.change),
                cause_name(c.before) if c.before else "–",
                cause_name(c.after) if c.after else "–",
            )
            for c in made.changes[:MAX_CHANGES]
        ]
        yield from table(("Case", "Change", "Before", "Now"), rows)
        if made.total_changes > len(rows):
            yield ""
            yield f"… {counted(made.total_changes - len(rows), 'more case')}; the JSON report holds them."


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    """A table whose cells are Markdown already: made by ``escaped`` or ``cell``."""
    yield "| " + " | ".join(header) + " |"
    yield "|" + " --- |" * len(header)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
