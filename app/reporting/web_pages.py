"""The pages that a browser sees: what runs, what there is, what waits for a person.

Knows how they look and nothing of where they come from. Text from outside is escaped by the template engine; a
content security policy forbids every host but this one, and every script but ours, on the one page that has one.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment
from markupsafe import Markup

from app.db.models import EventRow
from app.reporting import report_html
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


@cache
def _environment() -> Environment:
    environment = report_html.environment().overlay()
    environment.filters = {**environment.filters, "linked": linked, "happened": happened}
    environment.globals = {**environment.globals, "query": query}
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


def query(**values: str | None) -> str:
    return f"?{urlencode({name: value for name, value in values.items() if value})}"


def _style() -> str:
    return report_html.asset("report.css") + report_html.asset("pages/pages.css")


def _digest(source: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode('ascii')}"
