"""Lists in pages: the rows after a given one, in a stable order; page 1,000 costs what page 1 does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.errors import InvalidInput

Row = TypeVar("Row")


class Order(StrEnum):
    """``desc``: the newest first."""

    DESC = "desc"
    ASC = "asc"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """``limit`` rows after the row with the id ``after``; the first ones without it."""

    limit: int = 100
    after: str | None = None
    order: Order = Order.DESC


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Row]):
    """``next_after`` is what the next request names as ``after``; None when nothing follows."""

    data: Sequence[Row]
    has_more: bool
    next_after: str | None


def unknown_after(after: str) -> InvalidInput:
    detail = f"'after' is {after!r}, which is no id in this list; use 'next_after' of the page before"
    return InvalidInput(detail, errors=[{"pointer": "/after", "message": detail}])


def page_of(rows: Sequence[Row], limit: int) -> Page[Row]:
    """A page from ``limit + 1`` fetched rows: the extra one only tells that more follow."""
    data = rows[:limit]
    has_more = len(rows) > limit
    return Page(data=data, has_more=has_more, next_after=data[-1].id if has_more else None)  # pyright: ignore[reportAttributeAccessIssue]


def by_creation(session: Session, statement: Select[Row], row_class: Any, page: PageRequest) -> Page[Row]:
    """A page of ``statement`` in the order of creation; ties by id.

    ``after`` must be a row of the same statement, filters aside from the page's own.
    """
    return _page(session, statement, row_class, (row_class.created_at, row_class.id), page)


def by_ordinal(session: Session, statement: Select[Row], row_class: Any, page: PageRequest) -> Page[Row]:
    """A page of ``statement`` by the rows' ``ordinal``, ascending; the statement names one parent."""
    ascending = PageRequest(limit=page.limit, after=page.after, order=Order.ASC)
    return _page(session, statement, row_class, (row_class.ordinal,), ascending)


def _page(
    session: Session,
    statement: Select[Row],
    row_class: Any,
    keys: Sequence[InstrumentedAttribute[Any]],
    page: PageRequest,
) -> Page[Row]:
    key: ColumnElement[Any] = tuple_(*keys) if len(keys) > 1 else keys[0]  # pyright: ignore[reportAssignmentType]
    if page.after is not None:
        last: Any = session.execute(
            statement.with_only_columns(*keys).where(row_class.id == page.after).order_by(None)
        ).first()
        if last is None:
            raise unknown_after(page.after)
        place: Any = tuple_(*last) if len(keys) > 1 else last[0]
        statement = statement.where(key > place if page.order is Order.ASC else key < place)
    ordering = [k.asc() if page.order is Order.ASC else k.desc() for k in keys]
    rows = session.scalars(statement.order_by(*ordering).limit(page.limit + 1)).all()
    return page_of(rows, page.limit)


def of_project(row_class: Any, project_id: str) -> Select[Any]:
    """Every row of a project that is not deleted, to be filtered further."""
    statement = select(row_class).where(row_class.project_id == project_id)
    return statement.where(row_class.deleted_at.is_(None)) if hasattr(row_class, "deleted_at") else statement
