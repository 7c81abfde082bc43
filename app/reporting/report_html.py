"""The report as one self-contained HTML file.

Knows how a report looks. The file needs nothing from the network, works without script, and carries a content
security policy that forbids everything but its own style and its one script. All text is escaped by the
template engine; the only markup that is let through is made in app.reporting.charts and here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from app.domain.json_ready import json_ready
from app.domain.reports.report import ReportModel
from app.reporting import (
    charts,
    doc_pages,
    report_evidence,
    report_map,
    report_sentences,
    report_summary,
    report_words,
)
from app.reporting.differences import Segment, mark_differences
from app.reporting.instructions import instruction_of, shared_instructions, without_instruction
from app.reporting.report_changes import change_of

# What one page can show and a reader can scroll through. JSON and CSV hold the rest, and the page says so.
MAX_FINDINGS = 1000
MAX_ACTIONS = 300
MAX_VERIFIED_CASES = 500
# So many stand open; the rest waits behind one fold.
ACTIONS_IN_SIGHT = 6
VERIFIED_CASES_IN_SIGHT = 20
CLUSTERS_IN_SIGHT = 12
CLIP_CHARACTERS = 420
# Longer prompts are not compared word by word: a reader would not do it either.
BESIDE_CHARACTERS = 600
# A field of a megabyte would make a page nobody can open.
MAX_TEXT_CHARACTERS = 20_000

# Control characters are named: a NUL or an escape sequence in an output is evidence. Direction overrides too,
# so that no text can reorder the page around it. Lone surrogates cannot be written as UTF-8.
_INVISIBLE: dict[int, str] = {
    code: f"[U+{code:04X}]"
    for code in (
        *range(0x20),
        *range(0x7F, 0xA0),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
        0x200B,
        0xFEFF,
    )
    if chr(code) not in "\n\t"
} | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")

_CHINESE = re.compile(r"[\u3400-\u9fff]")
_KANA = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")


def render_html(report: ReportModel, *, served: bool = False) -> str:
    """The whole report as one HTML document; encode it as UTF-8.

    ``served``: by the service, to somebody who is signed in, so that it can link to the plan and to what words mean.
    """
    templates = environment()
    script = asset("report.js") + (asset("map.js") if report.map is not None else "")
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    findings = report_summary.in_reading_order(report.findings)
    instructions = shared_instructions(findings)
    shown = findings[:MAX_FINDINGS]
    shown_ids = frozenset(f.id for f in shown)
    before_and_after = report_summary.before_and_after(report)
    document = templates.get_template(
        "report.html.j2"
    ).render(
        report=report,
        served=served,
        headline=report_summary.headline(report),
        figures=report_summary.figures(report),
        causes=report_words.by_cause(report),
        findings=shown,
        shown_ids=shown_ids,
        instructions=instructions,
        map_counts=report_map.counts(report, report.map) if report.map is not None else (),
        map_data=Markup(report_map.map_json(report, report.map, instructions, shown_ids))  # noqa: S704 - escaped
        if report.map is not None
        else None,
        findings_total=len(findings),
        verdicts=sorted({f.verdict for f in findings if f.verdict is not None}),
        actions=report.repair.actions[:MAX_ACTIONS] if report.repair is not None else (),
        before_and_after=before_and_after[:MAX_VERIFIED_CASES],
        before_and_after_total=max(
            len(before_and_after), (report.verification and report.verification.total_cases) or 0
        ),
        clusters={c.id: c for c in report.clusters},
        style=Markup(asset("report.css")),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        script_hash=f"sha256-{digest}",
    )
    # A lone surrogate anywhere (an id, a setting) must not make the file impossible to write.
    return document.encode("utf-8", "replace").decode("utf-8")


@cache
def environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("app.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "text": text,
        "one_line": one_line,
        "without": without_instruction,
        "task": instruction_of,
        "trend_name": report_words.trend_name,
        "change_name": report_words.change_name,
        "change_meaning": report_words.change_meaning,
        "percent": report_words.percent,
        "number": number,
        "moment": moment,
        "duration": duration,
        "cause_name": report_summary.cause_name,
        "cause_meaning": report_summary.cause_meaning,
        "verdict_name": report_summary.verdict_name,
        "humanised": report_words.humanised,
        "readable": readable,
        "visible": visible,
    }
    environment.globals |= {
        "charts": charts,
        "Part": charts.Part,
        "counted": report_words.counted,
        "about_the_plan": report_sentences.about_the_plan,
        "compare": compare,
        "beside": beside,
        "evidence_of": report_evidence.view,
        "runner_up": report_evidence.runner_up,
        "change_of": change_of,
        "explained": doc_pages.explained,
        "clusters_in_sight": CLUSTERS_IN_SIGHT,
        "actions_in_sight": ACTIONS_IN_SIGHT,
        "verified_cases_in_sight": VERIFIED_CASES_IN_SIGHT,
    }
    return environment


@cache
def asset(name: str) -> str:
    return files("app.reporting").joinpath("templates", name).read_text(encoding="utf-8")


def visible(value: str) -> str:
    """``value`` with control characters, invisible marks and lone surrogates made visible."""
    return value.translate(_INVISIBLE)


def text(value: str | None, *, limit: int = CLIP_CHARACTERS) -> Markup:
    """A user's text as a block: escaped, line breaks kept, a long one folded behind its beginning."""
    if value is None:
        return Markup('<span class="none">not given</span>')
    if not value.strip():
        return Markup('<span class="none">empty</span>')
    return _folded((Segment(text=value[:MAX_TEXT_CHARACTERS], differs=False),), len(value), limit)


def compare(left: str | None, right: str | None) -> tuple[Markup, Markup]:
    """Two texts as blocks in which the differences are marked."""
    if not left or not right or not left.strip() or not right.strip():
        return text(left), text(right)
    marked = mark_differences(left[:MAX_TEXT_CHARACTERS], right[:MAX_TEXT_CHARACTERS])
    return _folded(marked[0], len(left), CLIP_CHARACTERS), _folded(marked[1], len(right), CLIP_CHARACTERS)


def beside(value: str, other: str) -> Markup:
    """``value`` as a block, with what differs from ``other`` marked where the two are near in words."""
    if not 0 < len(value) <= BESIDE_CHARACTERS or len(other) > BESIDE_CHARACTERS:
        return text(value, limit=220)
    marked, _ = mark_differences(value, other)
    same = sum(len(s.text) for s in marked if not s.differs)
    if 2 * same < len(value):
        return text(value, limit=220)
    return _folded(marked, len(value), 220)


def _folded(segments: tuple[Segment, ...], length: int, limit: int) -> Markup:
    whole = Markup("").join(
        Markup("<mark>{}</mark>").format(visible(s.text)) if s.differs else escape(visible(s.text))
        for s in segments
    )
    if length > MAX_TEXT_CHARACTERS:
        whole += Markup(
            '<span class="none"> … {:,} more characters; the JSON report holds them</span>'
        ).format(length - MAX_TEXT_CHARACTERS)
    joined = "".join(s.text for s in islice(segments, 400))
    language = (
        Markup(' lang="zh-Hans"') if _CHINESE.search(joined) and not _KANA.search(joined) else Markup("")
    )
    if length <= limit + limit // 4:
        return Markup('<div class="text" dir="auto"{}>{}</div>').format(language, whole)
    return Markup(
        '<details class="fold"><summary><span class="text" dir="auto"{}>{}…</span>'
        '<span class="more">Show all {:,} characters</span></summary>'
        '<div class="text" dir="auto"{}>{}</div></details>'
    ).format(language, visible(joined[:limit]), length, language, whole)


def one_line(value: str | None, limit: int = 160) -> str:
    """The beginning of a text on one line, for headings and tables."""
    line = " ".join(visible((value or "")[: 4 * limit]).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def number(value: float | int | None) -> str:
    """A figure with at most three digits after the point; ``None`` is a dash."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.3g}" if abs(value) < 0.01 else f"{value:,.3f}".rstrip("0").rstrip(".")


def readable(value: Any) -> str:
    """A JSON-ready value of a settings or evidence dict as short text; long ones are cut."""
    value = json_ready(value)
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, str):
        return one_line(value, 600)
    if isinstance(value, list) and all(isinstance(item, (str, int, float)) for item in value):
        return one_line(", ".join(readable(item) for item in islice(value, 60)), 600) or "none"
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        return one_line("; ".join(readable(item) for item in islice(value, 20)), 600)
    if isinstance(value, Mapping) and all(
        isinstance(v, (str, int, float, type(None))) for v in value.values()
    ):
        pairs = islice(value.items(), 40)
        return one_line(" · ".join(f"{k.replace('_', ' ')} {readable(v)}" for k, v in pairs), 600) or "none"
    return one_line(json.dumps(value, ensure_ascii=False), 600)


def moment(value: datetime | None) -> str:
    return "–" if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def duration(seconds: float | None) -> str:
    """12.3 -> ``12 s``; 754 -> ``12 min 34 s``; 7380 -> ``2 h 3 min``."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
