"""A page for every object, and a list for every noun, for people who are signed in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from fastapi.responses import RedirectResponse

from app.api.dependencies import Admin, After, DatabaseSession, Maintainer, Reader, Store
from app.api.page_route import Form, PageRoute, SignedInViewer, html
from app.api.schemas.common import Id
from app.api.schemas.projects import NewKey
from app.db.models import CycleRow, DiagnosisRow
from app.db.repositories.pages import Order, PageRequest
from app.domain.job_status import Status
from app.domain.records import RootCause
from app.errors import InvalidInput, NotFound
from app.reporting import web_pages
from app.reporting.report_html import render_html
from app.services import bad_cases, listings, object_pages, overview, projects
from app.services.reports import reports
from app.services.training import aliases
from app.services.work import work

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_ROWS = 50


async def _page(after: After = None) -> PageRequest:
    return PageRequest(limit=_ROWS, after=after)


async def _page_in_order(after: After = None) -> PageRequest:
    return PageRequest(limit=_ROWS, after=after, order=Order.ASC)


Page = Annotated[PageRequest, Depends(_page)]
PageInOrder = Annotated[PageRequest, Depends(_page_in_order)]


@router.get("/datasets")
def list_datasets(caller: Reader, viewer: SignedInViewer, session: DatabaseSession, page: Page) -> Response:
    rows = overview.datasets_page(session, caller.project_id, page)
    return html(web_pages.listed("datasets", rows, viewer))


@router.get("/bad-cases")
def list_bad_cases(caller: Reader, viewer: SignedInViewer, session: DatabaseSession, page: Page) -> Response:
    rows = bad_cases.list_page(session, caller.project_id, page)
    return html(web_pages.listed("bad_cases", rows, viewer))


@router.get("/diagnoses")
def list_diagnoses(caller: Reader, viewer: SignedInViewer, session: DatabaseSession, page: Page) -> Response:
    rows = listings.in_project(session, caller.project_id, DiagnosisRow, page)
    return html(web_pages.listed("diagnoses", rows, viewer))


@router.get("/repairs")
def list_plans(caller: Reader, viewer: SignedInViewer, session: DatabaseSession, page: Page) -> Response:
    rows = overview.plans_page(session, caller.project_id, page)
    return html(web_pages.listed("plans", rows, viewer))


@router.get("/cycles")
def list_cycles(caller: Reader, viewer: SignedInViewer, session: DatabaseSession, page: Page) -> Response:
    rows = listings.in_project(session, caller.project_id, CycleRow, page)
    return html(web_pages.listed("cycles", rows, viewer))


@router.get("/adapters")
def list_adapters(caller: Reader, viewer: SignedInViewer, session: DatabaseSession, page: Page) -> Response:
    rows = overview.adapters_page(session, caller.project_id, page)
    return html(web_pages.listed("adapters", rows, viewer))


@router.get("/datasets/{dataset_id}")
def read_dataset(
    dataset_id: Id, caller: Reader, viewer: SignedInViewer, session: DatabaseSession, page: Page
) -> Response:
    read = object_pages.dataset(session, caller.project_id, dataset_id, page)
    return html(web_pages.render("dataset", viewer=viewer, read=read))


@router.get("/dataset-versions/{version_id}")
def read_version(
    version_id: Id, caller: Reader, viewer: SignedInViewer, session: DatabaseSession, page: PageInOrder
) -> Response:
    read = object_pages.version(session, caller.project_id, version_id, page)
    return html(web_pages.render("version", viewer=viewer, read=read))


@router.get("/bad-cases/{bad_case_id}")
def read_bad_case(
    bad_case_id: Id, caller: Reader, viewer: SignedInViewer, session: DatabaseSession
) -> Response:
    read = object_pages.bad_case(session, caller.project_id, bad_case_id)
    return html(web_pages.render("bad_case", viewer=viewer, read=read))


@router.get("/diagnoses/{diagnosis_id}")
def read_diagnosis(
    diagnosis_id: Id,
    caller: Reader,
    viewer: SignedInViewer,
    session: DatabaseSession,
    page: PageInOrder,
    category: RootCause | None = None,
) -> Response:
    read = object_pages.diagnosis(session, caller.project_id, diagnosis_id, page, category)
    return html(
        web_pages.render("diagnosis", viewer=viewer, refresh=_runs(read.row), read=read, category=category)
    )


@router.get("/diagnoses/{diagnosis_id}/report")
def read_report(diagnosis_id: Id, caller: Reader, session: DatabaseSession, store: Store) -> Response:
    """The report with links to what it speaks of. What is sent around is the API's, which has none."""
    report = reports.build(
        session, caller.project_id, diagnosis_id, now=work.now(), store=store, with_texts=True
    )
    return Response(
        render_html(report, served=True),
        media_type="text/html; charset=utf-8",
        headers={"Cache-Control": "no-store", "Content-Security-Policy": "frame-ancestors 'none'"},
    )


@router.get("/findings/{finding_id}")
def read_finding(
    finding_id: Id, caller: Reader, viewer: SignedInViewer, session: DatabaseSession
) -> Response:
    return html(web_pages.finding(object_pages.finding(session, caller.project_id, finding_id), viewer))


@router.get("/cycles/{cycle_id}")
def read_cycle(cycle_id: Id, caller: Reader, viewer: SignedInViewer, session: DatabaseSession) -> Response:
    read = object_pages.cycle(session, caller.project_id, cycle_id)
    return html(web_pages.render("cycle", viewer=viewer, refresh=_runs(read.row), read=read))


@router.get("/adapters/{adapter_id}")
def read_adapter(
    adapter_id: Id, caller: Reader, viewer: SignedInViewer, session: DatabaseSession
) -> Response:
    read = object_pages.adapter(session, caller.project_id, adapter_id)
    return html(web_pages.render("adapter", viewer=viewer, script="ask.js", read=read))


@router.post("/adapters/{adapter_id}/current")
def make_current(adapter_id: Id, caller: Maintainer, session: DatabaseSession) -> Response:
    """The alias ``current`` stands for this adapter from now on."""
    aliases.point(session, caller.project_id, aliases.CURRENT, adapter_id)
    return RedirectResponse(f"/adapters/{adapter_id}", 303)


@router.get("/keys")
def list_keys(caller: Admin, viewer: SignedInViewer, session: DatabaseSession, page: Page) -> Response:
    rows = projects.list_keys(session, caller, page)
    return html(web_pages.keys(rows, viewer, own_key_id=caller.key_id))


@router.post("/keys")
def create_key(caller: Admin, viewer: SignedInViewer, session: DatabaseSession, form: Form) -> Response:
    """The page that shows the new key, this once."""
    try:
        wanted = NewKey.model_validate({"name": form.get("name", ""), "role": form.get("role", "")})
    except ValueError as error:
        raise InvalidInput("name: 1 to 200 characters; role: one of the list") from error
    made = projects.create_key(session, caller.project_id, name=wanted.name, role=wanted.role)
    rows = projects.list_keys(session, caller, PageRequest(limit=_ROWS))
    return html(web_pages.keys(rows, viewer, own_key_id=caller.key_id, secret=made.secret))


@router.post("/keys/{key_id}/revoke")
def revoke_key(key_id: Id, caller: Admin, session: DatabaseSession) -> Response:
    projects.revoke_key(session, caller, key_id)
    return RedirectResponse("/keys", 303)


@router.get("/help")
def read_help(caller: Reader, viewer: SignedInViewer) -> Response:  # noqa: ARG001
    return html(web_pages.help_index(viewer))


@router.get("/help/{folder}/{name}")
def read_help_page(folder: Id, name: Id, caller: Reader, viewer: SignedInViewer) -> Response:  # noqa: ARG001
    page = web_pages.help_page(folder, name, viewer)
    if page is None:
        raise NotFound(f"no page about {name}")
    return html(page)


def _work_page(noun: str) -> Any:
    def read_work(
        subject_id: Annotated[Id, Path()], caller: Reader, viewer: SignedInViewer, session: DatabaseSession
    ) -> Response:
        read = object_pages.work(session, caller.project_id, noun, subject_id)
        return html(web_pages.work(read, viewer, refresh=_runs(read.row)))

    return read_work


# Nouns with a page of their own are above, and the plan's page is its own.
for _noun in overview.WORK.keys() - {"diagnoses", "repairs", "cycles"}:
    router.get(f"/{_noun}/{{subject_id}}", name=f"read_{_noun}")(_work_page(_noun))


def _runs(row: Any) -> bool:
    return not Status(row.status).is_final
