"""What an endpoint may ask for: who calls, the session, the page, the services of the process."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query, Request, Security
from fastapi.security import HTTPBearer
from sqlalchemy.orm import Session

from app.artifacts import ArtifactStore
from app.db.repositories.pages import Order, PageRequest
from app.db.session import SessionFactory
from app.errors import ServiceError
from app.services.projects import Caller, Role
from app.settings import Settings

# Documents the header; TransactionRoute has checked the key by the time this runs.
_api_key = HTTPBearer(auto_error=False, scheme_name="ApiKey", description="A key of the project.")


class Forbidden(ServiceError):
    status_code = 403
    type = "forbidden"
    title = "The key's role does not allow this"


def _at_least(needed: Role) -> Any:
    async def check(request: Request, _: Annotated[object, Security(_api_key)]) -> Caller:
        caller: Caller = request.state.caller
        if not caller.role.covers(needed):
            raise Forbidden(f"this needs a key with the role {needed}; yours is {caller.role}")
        return caller

    return Depends(check)


Reader = Annotated[Caller, _at_least(Role.READER)]
Contributor = Annotated[Caller, _at_least(Role.CONTRIBUTOR)]
Maintainer = Annotated[Caller, _at_least(Role.MAINTAINER)]
Admin = Annotated[Caller, _at_least(Role.ADMIN)]


async def _session(request: Request) -> Session:
    return await request.state.transaction.session()


DatabaseSession = Annotated[Session, Depends(_session)]


async def _sessions(request: Request) -> SessionFactory:
    return request.app.state.sessions


Sessions = Annotated[SessionFactory, Depends(_sessions)]


async def _store(request: Request) -> ArtifactStore:
    return request.app.state.store


Store = Annotated[ArtifactStore, Depends(_store)]


async def _settings(request: Request) -> Settings:
    return request.app.state.settings


AppSettings = Annotated[Settings, Depends(_settings)]

Limit = Annotated[int, Query(ge=1, le=1000, description="At most this many.")]
After = Annotated[
    str | None, Query(max_length=100, description="Start after this id: 'next_after' of the page before.")
]


async def _page(limit: Limit = 100, after: After = None, order: Order = Order.DESC) -> PageRequest:
    return PageRequest(limit=limit, after=after, order=order)


async def _page_in_order(limit: Limit = 100, after: After = None) -> PageRequest:
    return PageRequest(limit=limit, after=after, order=Order.ASC)


Page = Annotated[PageRequest, Depends(_page)]
"""Of a list by time of creation; the newest first unless asked otherwise."""

PageInOrder = Annotated[PageRequest, Depends(_page_in_order)]
"""Of a list that has an order of its own."""
