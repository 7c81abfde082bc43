"""Bad cases: one, many, or a stream of lines."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from app.api.dependencies import Contributor, DatabaseSession, Page, Reader
from app.api.request_bodies import is_json, media_type, strict_json
from app.api.response_headers import versioned
from app.api.schemas.bad_cases import (
    BadCase,
    BadCaseItems,
    SubmittedCases,
)
from app.api.schemas.common import Id, ListOf
from app.api.transaction_route import TransactionRoute
from app.db.models import BadCaseRow
from app.db.repositories.pages import Page as PageOf
from app.errors import InvalidInput, ServiceError, UnsupportedMediaType
from app.services import bad_cases
from app.services.bad_cases import CaseFilter, NewBadCase, Outcome, Rejected
from app.services.case_input import BadCaseInput, to_new_case

router = APIRouter(prefix="/v1/bad-cases", tags=["bad cases"], route_class=TransactionRoute)

NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [
                        {"$ref": "#/components/schemas/BadCaseInput"},
                        {"$ref": "#/components/schemas/BadCaseItems"},
                    ]
                }
            },
            "application/x-ndjson": {
                "schema": {"type": "string", "description": "One bad case as JSON on each line."}
            },
        },
    }
}
BODY_MODELS = (BadCaseInput, BadCaseItems)
"""Read by hand below, so the API's description has to be told of them."""

_Items = list[NewBadCase | Rejected]


async def _sent_items(request: Request, _: Contributor) -> _Items:
    """The items of any of the three kinds of body, each checked on its own."""
    body = await request.body()
    if not body.strip():
        raise InvalidInput('the body is empty; send one bad case, {"items": [...]} or ndjson')
    if media_type(request.headers) in NDJSON:
        return [_line(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    if not is_json(request.headers):
        raise UnsupportedMediaType("send bad cases as application/json or application/x-ndjson")
    value = await request.json()
    if isinstance(value, dict) and "items" in value:
        items = value["items"]
        if set(value) != {"items"} or not isinstance(items, list) or len(items) > 1000:
            raise InvalidInput(
                'send {"items": [...]} with at most 1000 items and nothing beside; more at once: use ndjson',
                errors=[{"pointer": "/items", "message": "must be a list of at most 1000 bad cases"}],
            )
        return [to_new_case(item) for item in items]
    return [_only_one(value)]


def _line(number: int, line: bytes) -> NewBadCase | Rejected:
    try:
        return to_new_case(strict_json(line))
    except ServiceError as error:
        return Rejected(code="invalid_json", message=f"line {number}: {error.detail}")


def _only_one(value: object) -> NewBadCase:
    """A single bad case that cannot be read refuses the request: there is nothing else in it to keep."""
    case = to_new_case(value)
    if isinstance(case, Rejected):
        raise InvalidInput(
            case.message, errors=[{"pointer": case.pointer, "message": case.message, "code": case.code}]
        )
    return case


@router.post(
    "",
    response_model=SubmittedCases,
    responses={201: {"model": SubmittedCases, "description": "At least one case was created."}},
    openapi_extra=_BODY,
)
def submit_bad_cases(
    items: Annotated[_Items, Depends(_sent_items)],
    caller: Contributor,
    session: DatabaseSession,
    response: Response,
) -> dict[str, Any]:
    """Store one bad case, ``{"items": [...]}`` or ndjson.

    A case whose ``external_id`` is known is updated. The answer names what became of each, in the order sent.
    A case whose ``model_output`` is one of its acceptable outputs is ``rejected``: nothing is wrong with it.
    """
    submitted = bad_cases.submit(session, caller.project_id, items)
    if any(item.status is Outcome.CREATED for item in submitted):
        response.status_code = 201
    return {"data": submitted}


async def _filter(
    tag: Annotated[str | None, Query(max_length=200)] = None,
    source: Annotated[str | None, Query(max_length=500)] = None,
    model: Annotated[str | None, Query(max_length=500)] = None,
    adapter_id: Annotated[str | None, Query(max_length=64)] = None,
    external_id: Annotated[str | None, Query(max_length=500)] = None,
    has_expected: bool | None = None,
) -> CaseFilter:
    return CaseFilter(
        tag=tag,
        source=source,
        model=model,
        adapter_id=adapter_id,
        external_id=external_id,
        has_expected=has_expected,
    )


@router.get("", response_model=ListOf[BadCase])
def list_bad_cases(
    caller: Reader, session: DatabaseSession, page: Page, filter: Annotated[CaseFilter, Depends(_filter)]
) -> PageOf[BadCaseRow]:
    return bad_cases.list_page(session, caller.project_id, page, filter)


@router.get("/{bad_case_id}", response_model=BadCase)
def read_bad_case(
    bad_case_id: Id, caller: Reader, session: DatabaseSession, response: Response
) -> BadCaseRow:
    return versioned(response, bad_cases.get(session, caller.project_id, bad_case_id))


@router.delete("/{bad_case_id}", status_code=204)
def delete_bad_case(bad_case_id: Id, caller: Contributor, session: DatabaseSession) -> None:
    """The case and every finding on it are gone for good."""
    bad_cases.delete(session, caller.project_id, bad_case_id)
