"""The pages that a browser sees: what runs, what there is, what waits for a person.

Knows how they look and nothing of where they come from. Text from outside is escaped by the template engine; a
content security policy forbids every host but this one, and every script but ours, on the one page that has one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment
from markupsafe import Markup, escape
from sqlalchemy import inspect

from app.db.models import ApiKeyRow, EventRow
from app.db.repositories.pages import Page as RowPage
from app.domain.records import RootCause
from app.reporting import doc_pages, report_html, report_summary, report_words
from app.services.object_pages import FindingRead, WorkRead
from app.services.projects import Role

NOUN_OF: Final[Mapping[str, str]] = {
    "adp": "adapters",
    "aug": "augmentations",
    "bc": "bad-cases",
    "cyc": "cycles",
    "dg": "diagnoses",
    "ds": "datasets",
    "dsv": "dataset-versions",
    "ev": "evaluations",
    "fd": "findings",
    "ftjob": "fine-tuning-jobs",
    "imp": "imports",
    "job": "training-jobs",
    "mix": "mixtures",
    "rp": "repairs",
    "ver": "verifications",
}
"""Where the page of an object is, by the beginning of its id."""

_LISTS: Final[Mapping[str, tuple[str, str]]] = {
    "datasets": (
        "Datasets",
        "No dataset yet. POST /v1/datasets makes one; a file of rows becomes its first version.",
    ),
    "bad_cases": (
        "Bad cases",
        "No bad case yet. POST /v1/bad-cases takes what was asked, what came and what should have come.",
    ),
    "diagnoses": ("Diagnoses", "No diagnosis yet. POST /v1/diagnoses asks why bad cases fail."),
    "plans": (
        "Repair plans",
        "No plan yet. POST /v1/repairs makes one of a diagnosis or of a dataset version.",
    ),
    "cycles": ("Cycles", "No cycle yet. POST /v1/cycles diagnoses, repairs, retrains and verifies."),
    "adapters": ("Adapters", "No adapter yet. A cycle, a training job or a fine-tuning job makes one."),
}
"""Title of a list, and what stands there while it is empty; by the name of its table."""

_NOUNS: Final[Mapping[str, str]] = {
    "imports": "Import",
    "diagnoses": "Diagnosis",
    "repairs": "Repair plan",
    "augmentations": "Augmentation",
    "mixtures": "Mixture",
    "training-jobs": "Training job",
    "evaluations": "Evaluation",
    "verifications": "Verification",
    "cycles": "Cycle",
    "fine-tuning-jobs": "Fine-tuning job",
}
"""What one piece of work is called, by its noun in an address."""

_ID: Final = re.compile(r"([a-z]+)[_-][0-9a-z]{22}")
_REFRESH_SECONDS: Final = 10

Page = tuple[str, dict[str, str]]
"""A document and the headers that go with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who looks at a page. ``csrf_token`` comes back with every form and every request of its script."""

    role: Role
    csrf_token: str

    def may(self, role: str) -> bool:
        return self.role.covers(Role(role))


def render(
    template: str,
    *,
    viewer: Viewer | None = None,
    script: str | None = None,
    refresh: bool = False,
    **data: Any,
) -> Page:
    """One page. ``script`` names the file of its script; with ``refresh`` a browser asks for it again and again."""
    style = _style()
    source = report_html.asset(f"pages/{script}") if script is not None else None
    page = _environment().get_template(f"pages/{template}.html.j2")
    text = page.render(
        viewer=viewer,
        style=Markup(style),  # noqa: S704 - our own files
        script=None if source is None else Markup(source),  # noqa: S704
        **data,
    )
    allowed = "" if source is None else f"script-src '{_digest(source)}'; connect-src 'self'; "
    headers = {
        "Content-Security-Policy": f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; {allowed}"
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        # the origin of our own forms is looked at, and told to nobody else
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
        "Vary": "Accept, Cookie",
    }
    if refresh:
        headers["Refresh"] = str(_REFRESH_SECONDS)
    # A lone surrogate anywhere must not make the page impossible to write.
    return text.encode("utf-8", "replace").decode("utf-8"), headers


def sign_in(detail: str = "", *, back_to: str = "/") -> Page:
    return render("sign_in", detail=detail, back_to=back_to)


def problem(title: str, detail: str, viewer: Viewer | None = None) -> Page:
    return render("problem", viewer=viewer, title=title, detail=detail)


def listed(table: str, rows: RowPage[Any], viewer: Viewer) -> Page:
    """The list of a noun, by the name of its table."""
    title, absent = _LISTS[table]
    return render("list", viewer=viewer, title=title, table=table, rows=rows, absent=absent)


def finding(read: FindingRead, viewer: Viewer) -> Page:
    """A finding as the report shows it."""
    shown = read.finding
    causes = [(cause, 1) for cause in report_words.CAUSE_ORDER]
    # what the report's template asks of the report that it stands in
    around = {
        "findings": [shown],
        "instructions": frozenset[str](),
        "clusters": {},
        "causes": causes,
        "report": {"map": None},
    }
    return render("finding", viewer=viewer, read=read, finding=shown, served=True, **around)


def help_index(viewer: Viewer) -> Page:
    """Every word of a finding, with its meaning in a sentence."""
    return render("help", viewer=viewer, kinds=doc_pages.KIND_NAMES, pages=doc_pages.pages())


def help_page(folder: str, name: str, viewer: Viewer) -> Page | None:
    """What one word means, how it is decided and what to do; None where there is no such word."""
    found = next((p for p in doc_pages.pages() if (p.folder, p.name) == (folder, name)), None)
    if found is None:
        return None
    meaning, decided, to_do = doc_pages.sections(found.name, found.text)
    return render(
        "help_page",
        viewer=viewer,
        page=found,
        kind=doc_pages.KIND_NAMES[folder][0],
        meaning=meaning,
        parts=(("How it is decided", decided), ("What to do", to_do)),
    )


def keys(rows: RowPage[ApiKeyRow], viewer: Viewer, *, own_key_id: str, secret: str | None = None) -> Page:
    """``secret``: of the key that was just made."""
    return render("keys", viewer=viewer, rows=rows, own_key_id=own_key_id, secret=secret, roles=list(Role))


def work(read: WorkRead, viewer: Viewer, *, refresh: bool) -> Page:
    """Work that has no page of its own: its columns as they are, without what only workers need."""
    columns = {c.key: getattr(read.row, c.key) for c in inspect(type(read.row)).column_attrs}
    facts = {
        name: value
        for name, value in columns.items()
        if name not in _WORKERS_COLUMNS and not name.endswith("uri") and value not in (None, {}, [])
    }
    return render("work", viewer=viewer, refresh=refresh, read=read, facts=facts)


_WORKERS_COLUMNS: Final = frozenset(
    {
        "id",
        "project_id",
        "run_token",
        "cancel_requested",
        "status",
        "progress",
        "error",
        "attempts",
        "metrics",
    }
)


@cache
def _environment() -> Environment:
    environment = report_html.environment().overlay()
    environment.filters = {**environment.filters, "linked": linked, "happened": happened, "fact": fact} | {
        "asked": asked,
        "cause": lambda name: report_summary.cause_name(RootCause(name)),
        "content": content,
        "cut": lambda text, characters: text if len(text) <= characters else f"{text[:characters]}…",
        "prose": prose,
    }
    environment.globals = {**environment.globals, "query": query, "LISTS": _LISTS, "NOUNS": _NOUNS}
    return environment


def address(object_id: str) -> str | None:
    """The path of an object's page; None for what has none."""
    found = _ID.fullmatch(object_id)
    noun = NOUN_OF.get(found[1]) if found else None
    return f"/{noun}/{object_id}" if noun else None


def linked(object_id: str | None) -> Markup:
    """An id as a link to its page."""
    if not object_id:
        return Markup("–")
    shown = Markup("<code>{}</code>").format(report_html.one_line(object_id, 60))
    path = address(object_id)
    return Markup('<a href="{}">{}</a>').format(path, shown) if path else shown


def happened(event: EventRow | None) -> str:
    """An event in a line."""
    if event is None:
        return "–"
    data = event.data
    if "step" in data:
        return report_html.one_line(str(data["step"]), 160)
    said = data.get("error") or {}
    about = (
        data.get("stage") or data.get("reason") or (said.get("detail") if isinstance(said, Mapping) else None)
    )
    name = event.type.replace("_", " ")
    return report_html.one_line(f"{name}: {about}" if about else name, 300)


def fact(value: Any) -> Markup | str:
    """A column of a row: ids are links, times are times."""
    if isinstance(value, datetime):
        return report_html.moment(value)
    return linked(value) if isinstance(value, str) and address(value) else report_html.readable(value)


def asked(messages: Sequence[Mapping[str, Any]]) -> str:
    """The last thing that a user said."""
    said = [m for m in messages if m.get("role") == "user"] or list(messages)
    return str(said[-1].get("content") or "") if said else ""


def content(message: Mapping[str, Any]) -> str:
    """All that a turn holds: its text, and what it calls or carries beside it as JSON."""
    beside = {k: v for k, v in message.items() if k not in ("role", "content") and v}
    said = str(message.get("content") or "")
    return "\n".join(
        part for part in (said, json.dumps(beside, ensure_ascii=False) if beside else "") if part
    )


def prose(text: str) -> Markup:
    """Paragraphs of our own documentation, `code` in them marked."""
    paragraphs = (
        Markup("").join(
            Markup("<code>{}</code>").format(part) if i % 2 else escape(part)
            for i, part in enumerate(re.split(r"`+", paragraph))
        )
        for paragraph in text.split("\n\n")
    )
    return Markup("").join(Markup("<p>{}</p>").format(p) for p in paragraphs)


def query(**values: str | None) -> str:
    return f"?{urlencode({name: value for name, value in values.items() if value})}"


def _style() -> str:
    return report_html.asset("report.css") + report_html.asset("pages/pages.css")


def _digest(source: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode('ascii')}"
