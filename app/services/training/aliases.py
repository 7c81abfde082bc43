"""Names that stand for an adapter: a client asks ``current`` and never has to learn a new id."""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.db.models import AdapterAliasRow, AdapterRow
from app.errors import Conflict, InvalidInput, NotFound
from app.services.training import adapters

CURRENT: Final = "current"
"""Moved to each adapter that a cycle's gate accepts."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")


def point(
    session: Session, project_id: str, name: str, adapter_id: str, *, reason: str = "set by a person"
) -> AdapterAliasRow:
    """Let the name stand for the adapter from now on."""
    if not _NAME.fullmatch(name) or name.startswith("adp_"):
        raise InvalidInput(
            "name: letters, digits, - and _, the first a letter, 64 at most, not the form of an adapter's id"
        )
    adapters.get_adapter(session, project_id, adapter_id)
    # of two who move a name at once, one is second: the index refuses the same number, and the answer is 409
    past = history(session, project_id, name)
    if past and past[0].adapter_id == adapter_id:
        return past[0]
    row = AdapterAliasRow(
        project_id=project_id,
        name=name,
        adapter_id=adapter_id,
        reason=reason,
        number=past[0].number + 1 if past else 0,
    )
    session.add(row)
    session.flush()
    return row


def rollback(session: Session, project_id: str, name: str) -> AdapterAliasRow:
    """Let the name stand for the adapter before this one; done twice, for the one before that."""
    past = history(session, project_id, name)
    if not past:
        raise NotFound(f"no alias {name} in this project")
    # What was rolled back from stands in the history as well: walk back over it.
    standing: list[str] = []
    for row in reversed(past):
        if row.reason == _ROLLED_BACK and len(standing) > 1:
            standing.pop()
        else:
            standing.append(row.adapter_id)
    if len(standing) < 2:
        raise Conflict(f"{name} has stood for no other adapter before; point it at one")
    return point(session, project_id, name, standing[-2], reason=_ROLLED_BACK)


_ROLLED_BACK: Final = "rolled back"


def history(session: Session, project_id: str, name: str) -> list[AdapterAliasRow]:
    """The newest first."""
    return list(
        session.scalars(
            select(AdapterAliasRow)
            .where(AdapterAliasRow.project_id == project_id, AdapterAliasRow.name == name)
            .order_by(AdapterAliasRow.number.desc())
        )
    )


def standing(session: Session, project_id: str) -> list[AdapterAliasRow]:
    """What each name of the project stands for now, by name."""
    return list(
        session.scalars(
            select(AdapterAliasRow)
            .where(AdapterAliasRow.project_id == project_id)
            .ext(distinct_on(AdapterAliasRow.name))
            .order_by(AdapterAliasRow.name, AdapterAliasRow.number.desc())
        )
    )


def adapter_named(session: Session, project_id: str, name: str) -> AdapterRow | None:
    past = history(session, project_id, name)
    return session.get_one(AdapterRow, past[0].adapter_id) if past else None
