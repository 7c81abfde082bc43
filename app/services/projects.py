"""Projects and their keys: who may do what."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.db.models import ApiKeyRow, ProjectRow
from app.db.repositories.pages import Page, PageRequest, by_creation, of_project
from app.errors import Conflict, NotFound, Unauthenticated

DEFAULT_PROJECT: Final = "default"
_KEY_PREFIX: Final = "cm_"


class Role(StrEnum):
    """What a key may do; each role may do all that the ones before it may."""

    READER = "reader"
    CONTRIBUTOR = "contributor"
    MAINTAINER = "maintainer"
    ADMIN = "admin"

    def covers(self, needed: Role) -> bool:
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks: a key of one project."""

    project_id: str
    key_id: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """``secret`` is shown once; only its hash is stored."""

    row: ApiKeyRow
    secret: str


def hash_of(secret: str) -> str:
    """What is stored of a secret of ours."""
    # A plain hash is enough: keys are 256 random bits, there is nothing to guess.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def authenticate(session: Session, secret: str) -> Caller:
    key = session.scalar(
        select(ApiKeyRow).where(ApiKeyRow.key_hash == hash_of(secret), ApiKeyRow.revoked_at.is_(None))
    )
    if key is None:
        raise Unauthenticated("the API key is unknown or was revoked")
    return Caller(project_id=key.project_id, key_id=key.id, role=Role(key.role))


def create_project(session: Session, name: str) -> ProjectRow:
    if session.scalar(select(ProjectRow.id).where(ProjectRow.name == name)) is not None:
        raise Conflict(f"a project named {name!r} exists already")
    project = ProjectRow(name=name)
    session.add(project)
    session.flush()
    return project


def project_named(session: Session, name: str) -> ProjectRow | None:
    return session.scalar(select(ProjectRow).where(ProjectRow.name == name))


def project_of(session: Session, caller: Caller) -> ProjectRow:
    return session.get_one(ProjectRow, caller.project_id)


def create_key(
    session: Session, project_id: str, *, name: str, role: Role, secret: str | None = None
) -> NewKey:
    """A new key; ``secret`` is given only for the key that the operator chose (the bootstrap key)."""
    secret = secret or _KEY_PREFIX + secrets.token_urlsafe(32)
    row = ApiKeyRow(
        project_id=project_id, name=name, role=role.value, key_hash=hash_of(secret), hint=f"{secret[:6]}..."
    )
    session.add(row)
    session.flush()
    return NewKey(row=row, secret=secret)


def list_keys(session: Session, caller: Caller, page: PageRequest) -> Page[ApiKeyRow]:
    statement = of_project(ApiKeyRow, caller.project_id).where(ApiKeyRow.revoked_at.is_(None))
    return by_creation(session, statement, ApiKeyRow, page)


def revoke_key(session: Session, caller: Caller, key_id: str) -> None:
    key = session.get(ApiKeyRow, key_id)
    if key is None or key.project_id != caller.project_id or key.revoked_at is not None:
        raise NotFound(f"no key {key_id} in this project")
    if key.id == caller.key_id:
        raise Conflict("a key cannot revoke itself; use another admin key")
    key.revoked_at = datetime.now(UTC)
    session.flush()


def ensure_default_project(session: Session, *, secret: str | None = None) -> NewKey | None:
    """Make the project ``default`` with one admin key; None when it has a usable key already.

    With ``secret`` (the configured bootstrap key) that key is made, whatever other keys there are.
    """
    session.execute(insert(ProjectRow).values(name=DEFAULT_PROJECT).on_conflict_do_nothing())
    # Locked, so that two processes that start together make one key.
    project = session.scalars(
        select(ProjectRow).where(ProjectRow.name == DEFAULT_PROJECT).with_for_update()
    ).one()
    keys = session.scalars(select(ApiKeyRow).where(ApiKeyRow.project_id == project.id)).all()
    if secret is not None:
        if session.scalar(select(ApiKeyRow.id).where(ApiKeyRow.key_hash == hash_of(secret))) is not None:
            return None
    elif any(key.revoked_at is None and key.role == Role.ADMIN for key in keys):
        return None
    name = "bootstrap" if secret else "first"
    return create_key(session, project.id, name=name, role=Role.ADMIN, secret=secret)
