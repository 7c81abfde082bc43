"""The map's data as it stands in the page: places as base64, texts as JSON that no parser mistakes for markup."""

from __future__ import annotations

import base64
import json
from collections import Counter
from typing import Any

from jaxtyping import UInt16
from numpy import ndarray

from app.domain.diagnosis.clusters.projection import MAP_SCALE
from app.domain.records import RootCause
from app.domain.reports.map import ReportMap
from app.domain.reports.report import ReportFinding, ReportModel
from app.reporting.instructions import without_instruction
from app.reporting.report_summary import cause_name
from app.reporting.report_words import CAUSE_ORDER

EXCERPT_CHARACTERS = 160

# "<" could end the script element that holds the data; the two separators end a line in old scripts.
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def map_json(
    report: ReportModel, drawn: ReportMap, instructions: frozenset[str], linked: frozenset[str]
) -> str:
    """What the page's script draws the map from; ``linked`` are the findings that the page shows."""
    findings = {f.id: f for f in report.findings}
    cases = [findings[i] for i in drawn.finding_ids]
    causes = list(RootCause)
    data: dict[str, Any] = {
        "scale": MAP_SCALE,
        "rows": _packed(drawn.examples),
        "texts": "\n".join(" ".join(t.split()) for t in drawn.texts),
        "groups": base64.b64encode(drawn.groups.astype("<i4").tobytes()).decode("ascii")
        if drawn.group_names
        else "",
        "groupNames": [_line(name, 80) for name in drawn.group_names],
        "causes": [{"key": cause.value, "name": cause_name(cause)} for cause in causes],
        "cases": {
            "places": _packed(drawn.cases),
            "causes": [causes.index(effective_cause(f)) for f in cases],
            "ids": [f.id if f.id in linked else "" for f in cases],
            "texts": [_line(without_instruction(f.prompt, instructions)) for f in cases],
            "answers": [_line(f.model_output, 80) for f in cases],
        },
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character, escape in _ESCAPED.items():
        text = text.replace(character, escape)
    return text


def counts(report: ReportModel, drawn: ReportMap) -> tuple[tuple[RootCause, int], ...]:
    """How many cases of each root cause have a place, in the report's order."""
    placed = set(drawn.finding_ids)
    found = Counter(effective_cause(f) for f in report.findings if f.id in placed)
    return tuple((cause, found[cause]) for cause in CAUSE_ORDER)


def effective_cause(finding: ReportFinding) -> RootCause:
    """A person's verdict where there is one, the machine's otherwise."""
    return finding.override.category if finding.override else finding.category


def _packed(places: UInt16[ndarray, "m 2"]) -> str:
    """x and y in turn, little-endian, in base64."""
    return base64.b64encode(places.astype("<u2").tobytes()).decode("ascii")


def _line(text: str, limit: int = EXCERPT_CHARACTERS) -> str:
    line = " ".join(text[: 4 * limit].split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
