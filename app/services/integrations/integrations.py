"""Integrations as a user sets them up: one tool, one mapping, one secret."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.models import IntegrationRow, ProjectRow
from app.domain.integrations.mapping import FieldMapping
from app.domain.integrations.tools import TOOLS, Tool, tool_tagged
from app.errors import Conflict, InvalidInput, NotFound, Unauthenticated
from app.outside_urls import RefusedUrl, check_public

MAX_INTEGRATIONS: Final = 100
DEFAULT_NAME: Final = "default"
_SECRET_PREFIX: Final = "cmi_"  # noqa: S105 - how secrets begin


@dataclass(frozen=True, slots=True, kw_only=True)
class WithSecret:
    """``secret`` is shown once; only its hash is stored."""

    row: IntegrationRow
    secret: str


def tool_of(tag: str) -> Tool:
    tool = tool_tagged(tag)
    if tool is None:
        raise NotFound(f"no tool {tag!r}; there are {', '.join(t.tag for t in TOOLS)}")
    return tool


def mapping_of(row: IntegrationRow) -> FieldMapping:
    """What the user set, over what the tool has by default."""
    return FieldMapping.from_dict(row.mapping).over(tool_of(row.tool).mapping)


def check_url(url: str, *, allow_private: bool) -> None:
    """Raises RefusedUrl. Resolves the host: call it before the transaction has begun."""
    if not url.startswith("https://") and not allow_private:
        raise RefusedUrl(
            "url: only https:// is called; the operator of this service can allow http:// as well"
        )
    check_public(url, allow_private=allow_private)


def create(
    session: Session,
    project_id: str,
    tool: str,
    *,
    name: str = DEFAULT_NAME,
    mapping: FieldMapping | None = None,
    url: str | None = None,
    token: str | None = None,
    source_project: str | None = None,
) -> WithSecret:
    tool_of(tool)
    # Two who make the first one at once: the second finds it.
    session.execute(select(ProjectRow.id).where(ProjectRow.id == project_id).with_for_update())
    names = session.execute(
        select(IntegrationRow.tool, IntegrationRow.name).where(IntegrationRow.project_id == project_id)
    ).all()
    if (tool, name) in {tuple(n) for n in names}:
        raise Conflict(
            f"there is an integration {name!r} of {tool}; change it, or give the new one another name"
        )
    if len(names) >= MAX_INTEGRATIONS:
        raise Conflict(f"a project has at most {MAX_INTEGRATIONS} integrations; delete one first")
    secret = _new_secret()
    row = IntegrationRow(
        project_id=project_id,
        tool=tool,
        name=name,
        secret_hash=_hash(secret),
        mapping=(mapping or FieldMapping()).given(),
        url=url,
        token=token,
        source_project=source_project,
    )
    session.add(row)
    session.flush()
    return WithSecret(row=row, secret=secret)


def get(session: Session, project_id: str, integration_id: str) -> IntegrationRow:
    row = session.get(IntegrationRow, integration_id)
    if row is None or row.project_id != project_id:
        raise NotFound(f"no integration {integration_id} in this project")
    return row


def chosen(session: Session, project_id: str, tool: str, integration_id: str | None) -> IntegrationRow:
    """The integration that is named, else the tool's only one; where there is none, one with the default mapping."""
    if integration_id is not None:
        row = get(session, project_id, integration_id)
        if row.tool != tool_of(tool).tag:
            raise NotFound(f"{integration_id} is an integration of {row.tool}, not of {tool}")
        return row
    row = only_one(session, project_id, tool)
    if row is None:
        session.execute(select(ProjectRow.id).where(ProjectRow.id == project_id).with_for_update())
        row = only_one(session, project_id, tool)
    return row or create(session, project_id, tool).row


def only_one(session: Session, project_id: str, tool: str) -> IntegrationRow | None:
    """The tool's integration, None where it has none. Raises InvalidInput where it has several."""
    tool_of(tool)
    rows = session.scalars(
        select(IntegrationRow).where(IntegrationRow.project_id == project_id, IntegrationRow.tool == tool)
    ).all()
    if len(rows) > 1:
        raise InvalidInput(
            f"there are {len(rows)} integrations of {tool}; say which one with integration_id",
            errors=[{"pointer": "/integration_id", "message": "one of " + ", ".join(r.id for r in rows)}],
        )
    return rows[0] if rows else None


def change(
    session: Session,
    project_id: str,
    integration_id: str,
    *,
    mapping: FieldMapping | None = None,
    url: str | None = None,
    token: str | None = None,
    source_project: str | None = None,
) -> IntegrationRow:
    """Set what is given."""
    row = get(session, project_id, integration_id)
    if mapping is not None:
        row.mapping = mapping.given()
    if url is not None and url != row.url:
        # The token was meant for the old address alone.
        row.url, row.token = url, None
    if token is not None:
        row.token = token
    if source_project is not None:
        row.source_project = source_project
    session.flush()
    return row


def rotate_secret(session: Session, project_id: str, integration_id: str) -> WithSecret:
    row = get(session, project_id, integration_id)
    secret = _new_secret()
    row.secret_hash = _hash(secret)
    session.flush()
    return WithSecret(row=row, secret=secret)


def delete(session: Session, project_id: str, integration_id: str) -> None:
    session.delete(get(session, project_id, integration_id))
    session.flush()


def authenticate(session: Session, tool: str, secret: str) -> IntegrationRow:
    """The integration whose secret that is. Looked up by its hash, so that no answer's time tells of a part of it."""
    row = session.scalar(select(IntegrationRow).where(IntegrationRow.secret_hash == _hash(secret)))
    if row is None or row.tool != tool:
        raise Unauthenticated(f"this is not the secret of an integration of {tool}")
    return row


def _new_secret() -> str:
    return _SECRET_PREFIX + secrets.token_urlsafe(32)


def _hash(secret: str) -> str:
    # A plain hash is enough: 256 random bits, there is nothing to guess.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
