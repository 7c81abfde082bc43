"""A repair plan to be read and decided in a browser.

Two documents: the frame, which holds nothing of anybody's and is served to everyone, and the plan, which needs
a key or the cookie of who is signed in. The frame's script fetches the plan and puts its ``<main>`` in place, with
the key that a person pastes where nobody is signed in; what is decided goes through the same API. Text from
outside is escaped by the template engine, and a content security policy forbids every other script and host.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from markupsafe import Markup

from app.db.models import RepairActionRow
from app.domain.repair.draft.actions import ActionKind
from app.domain.repair.draft.draft import CUT
from app.domain.reports.report import ReportRepairAction
from app.reporting import report_html
from app.reporting.web_pages import Viewer
from app.services.repairs.page_data import PlanRead
from app.services.repairs.selection import ActionCount
from app.services.reports.cycle_section import shown_action

_ANSWER_BUTTONS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleGroup:
    """One kind of change by one rule: how many actions stand at which decision."""

    kind: str
    rule: str
    by_decision: Mapping[str, int]
    reverted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAction:
    """One action as it is shown. ``etag`` is sent with a decision on it. ``answers``: those in dispute that fit a
    button; None where the action gives no answer."""

    id: str
    rule: str
    etag: str
    example_ids: Sequence[str]
    reverted: bool
    answers: Sequence[str] | None
    action: ReportRepairAction


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPage:
    """What the template reads. ``filters`` are as in the address."""

    read: PlanRead
    groups: Sequence[RuleGroup]
    actions: Sequence[PlanAction]
    filters: Mapping[str, str]
    problem: str | None

    @classmethod
    def of(cls, read: PlanRead, filters: Mapping[str, str]) -> PlanPage:
        error = read.run.error if read.run is not None else None
        return cls(
            read=read,
            groups=_groups(read.counts),
            actions=[_shown(row) for row in read.actions.data],
            filters=filters,
            problem=str(error.get("detail")) if error else None,
        )

    def address(self, **changes: str | None) -> str:
        """The page with other filters, from its start unless a place to start after is given."""
        kept = {**self.filters, "after": None, **changes}
        return f"?{urlencode({name: value for name, value in kept.items() if value})}"


def _groups(counts: Sequence[ActionCount]) -> list[RuleGroup]:
    made: dict[tuple[str, str], tuple[dict[str, int], int]] = {}
    for count in counts:
        by_decision, reverted = made.get((count.kind, count.rule), ({}, 0))
        by_decision[count.decision] = count.actions
        made[(count.kind, count.rule)] = (by_decision, reverted + count.reverted)
    return [
        RuleGroup(kind=kind, rule=rule, by_decision=by_decision, reverted=reverted)
        for (kind, rule), (by_decision, reverted) in made.items()
    ]


def _shown(row: RepairActionRow) -> PlanAction:
    return PlanAction(
        id=row.id,
        rule=row.rule,
        etag=str(row.revision),
        example_ids=row.example_ids,
        reverted=row.reverted_at is not None,
        answers=_answers(row),
        action=shown_action(row),
    )


def _answers(row: RepairActionRow) -> list[str] | None:
    if row.kind not in (ActionKind.RELABEL, ActionKind.MERGE):
        return None
    said = [str(side["output"]) for side in row.evidence.get("sides", ())]
    # what is cut off is shown above and cannot be chosen by its beginning
    return [s for s in said if not s.endswith(CUT)][:_ANSWER_BUTTONS]


def render_frame(viewer: Viewer | None = None) -> tuple[str, dict[str, str]]:
    """The document that everybody gets, and the headers that go with it. Without a ``viewer`` it asks for a key."""
    style, script = _style() + report_html.asset("pages/pages.css"), report_html.asset("repair/plan.js")
    forms = "'none'" if viewer is None else "'self'"
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}' '{_digest(_style())}'; "  # frame's, plan's
        f"script-src '{_digest(script)}'; "
        f"connect-src 'self'; base-uri 'none'; form-action {forms}; "
        "frame-ancestors 'none'"
    )
    page = report_html.environment().get_template("repair/frame.html.j2")
    text = page.render(viewer=viewer, style=Markup(style), script=Markup(script))  # noqa: S704 - our own files
    return text, {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


def render_plan(read: PlanRead, filters: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The plan as a document without script, and the headers that go with it."""
    plan = PlanPage.of(read, filters)
    style = _style()
    page = report_html.environment().get_template("repair/plan.html.j2")
    text = page.render(plan=plan, style=Markup(style))  # noqa: S704 - our own file
    policy = f"default-src 'none'; style-src '{_digest(style)}'; base-uri 'none'; form-action 'none'"
    # A lone surrogate anywhere must not make the page impossible to write.
    return text.encode("utf-8", "replace").decode("utf-8"), {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


def _style() -> str:
    return report_html.asset("report.css") + report_html.asset("repair/plan.css")


def _digest(source: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode('ascii')}"
