"""The caller's project and its keys."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.api.dependencies import Admin, DatabaseSession, Page, Reader
from app.api.response_headers import located
from app.api.schemas.common import Id, ListOf
from app.api.schemas.projects import CreatedKey, Key, NewKey, Project
from app.api.transaction_route import TransactionRoute
from app.db.models import ApiKeyRow, ProjectRow
from app.db.repositories.pages import Page as PageOf
from app.services import projects

router = APIRouter(prefix="/v1", tags=["projects"], route_class=TransactionRoute)


@router.get("/project", response_model=Project)
def read_project(caller: Reader, session: DatabaseSession) -> ProjectRow:
    """The project that the key belongs to."""
    return projects.project_of(session, caller)


@router.get("/keys", response_model=ListOf[Key])
def list_keys(caller: Admin, session: DatabaseSession, page: Page) -> PageOf[ApiKeyRow]:
    return projects.list_keys(session, caller, page)


@router.post("/keys", status_code=201, response_model=CreatedKey)
def create_key(payload: NewKey, caller: Admin, session: DatabaseSession, response: Response) -> CreatedKey:
    """A new key. Its secret is in this answer and nowhere else."""
    key = projects.create_key(session, caller.project_id, name=payload.name, role=payload.role)
    located(response, "/v1/keys", key.row)
    return CreatedKey(
        id=key.row.id,
        name=key.row.name,
        role=payload.role,
        hint=key.row.hint,
        created_at=key.row.created_at,
        secret=key.secret,
    )


@router.delete("/keys/{key_id}", status_code=204)
def revoke_key(key_id: Id, caller: Admin, session: DatabaseSession) -> None:
    """The key stops working at once."""
    projects.revoke_key(session, caller, key_id)
