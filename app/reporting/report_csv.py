"""The findings of a report as CSV (RFC 4180): one row per finding, for a spreadsheet.

A spreadsheet runs a cell that begins like a formula; such a cell gets an apostrophe in front (OWASP, CSV
injection). The first bytes are a byte order mark, without which Excel reads Chinese as Latin-1.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from app.domain.diagnosis.clusters.projection import MAP_SCALE
from app.domain.records import Agreement, RootCause
from app.domain.reports.report import ReportFinding, ReportModel
from app.reporting import report_evidence

# Excel cuts a cell at 32,767 characters and breaks the row; leave room for the apostrophe and the mark.
MAX_CELL_CHARACTERS = 32_000

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_PROBABILITIES = (RootCause.OOD, RootCause.CONFLICT, RootCause.HARD, RootCause.SERVING_MISMATCH)

COLUMNS = (
    "finding_id",
    "bad_case_id",
    "external_id",
    "category",
    "confidence",
    *(f"probability_{cause.value}" for cause in _PROBABILITIES),
    "symptoms",
    "cluster_id",
    "cluster",
    "prompt",
    "model_output",
    "expected_output",
    "nearest_example_id",
    "nearest_similarity",
    "neighbors_with_expected",
    "neighbors_with_model_output",
    "recommended_actions",
    "override_category",
    "override_note",
    "held_back",
    "verdict",
    "after_output",
    "cluster_trend",
    "why",
    "symptom_details",
    "contradicting_example_id",
    "taught_by",
    "change",
    "map_x",
    "map_y",
)


def render_csv(report: ReportModel) -> str:
    """The findings with a header row; encode it as UTF-8."""
    known = _Known(report)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for finding in report.findings:
        writer.writerow([_cell(value) for value in _values(finding, known)])
    return "\ufeff" + out.getvalue().encode("utf-8", "replace").decode("utf-8")


class _Known:
    """What other parts of the report say about a finding."""

    def __init__(self, report: ReportModel) -> None:
        self.clusters = {c.id: c for c in report.clusters}
        self.changes = (
            {c.finding_id: c.change for c in report.comparison.changes if c.finding_id}
            if report.comparison
            else {}
        )
        drawn = report.map
        self.places = dict(zip(drawn.finding_ids, drawn.cases / MAP_SCALE, strict=True)) if drawn else {}


def _values(finding: ReportFinding, known: _Known) -> Sequence[object]:
    neighbors = finding.evidence.neighbors
    cluster = known.clusters.get(finding.cluster_id or "")
    seen = report_evidence.view(finding.evidence, finding.category)
    pair = finding.evidence.conflict.contradicting_pair
    place = known.places.get(finding.id)
    change = known.changes.get(finding.id)
    sides = [n.agrees_with for n in neighbors]
    # Formatted: the same value reads the same in every spreadsheet.
    return (
        finding.id,
        finding.bad_case_id,
        finding.external_id,
        finding.category.value,
        f"{finding.confidence:.4f}",
        *(f"{finding.probabilities.get(cause, 0.0):.4f}" for cause in _PROBABILITIES),
        " ".join(finding.symptoms),
        finding.cluster_id,
        cluster.label if cluster else None,
        finding.prompt,
        finding.model_output,
        finding.expected_output,
        neighbors[0].example_id if neighbors else None,
        neighbors[0].similarity if neighbors else None,
        sides.count(Agreement.EXPECTED),
        sides.count(Agreement.MODEL_OUTPUT),
        "; ".join(a.action for a in finding.recommended_actions),
        finding.override.category.value if finding.override else None,
        finding.override.note if finding.override else None,
        "yes" if finding.held_back else "no",
        finding.verdict,
        finding.after_output,
        cluster.trend.value if cluster and cluster.trend else None,
        "; ".join(_fact(f) for cause, facts in seen.facts if cause == finding.category.value for f in facts),
        "; ".join(f"{s.symptom}: {s.detail}" for s in finding.evidence.symptoms),
        pair.right.example_id if pair else None,
        " ".join(t.example_id for t in finding.evidence.attribution),
        change.value if change else None,
        float(place[0]) if place is not None else None,
        float(place[1]) if place is not None else None,
    )


def _fact(fact: report_evidence.Fact) -> str:
    share = f" ({fact.shown_share})" if fact.shown_share else ""
    return f"{fact.says}{share}" + (f": {', '.join(fact.words)}" if fact.words else "")


def _cell(value: object) -> str:
    """The text of one cell that no spreadsheet runs, without NUL, which CSV cannot carry."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4f}"
    if not isinstance(value, str):
        return str(value)
    text = value.replace("\x00", "\ufffd")
    if len(text) > MAX_CELL_CHARACTERS:
        text = text[:MAX_CELL_CHARACTERS] + "…"
    # Leading spaces hide a formula from this test but not from every spreadsheet.
    return (
        f"'{text}" if text.startswith(_FORMULA_STARTS) or text.lstrip().startswith(_FORMULA_STARTS) else text
    )
