"""Bad cases: stored as they were sent, updated by ``external_id``, never lost."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

from app.db.base import new_id
from app.db.models import BadCaseRow
from app.db.repositories import bad_cases as rows
from app.db.repositories.pages import Page, PageRequest, by_creation, of_project
from app.domain.answers.canonical import looks_like_code
from app.domain.records import Message, content_hash_of
from app.errors import InvalidInput, NotFound


class Outcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBadCase:
    """A bad case as it was sent, checked field by field. ``request`` holds the fields that were given."""

    messages: tuple[Message, ...]
    model_output: str
    expected_output: str | None = None
    alternatives: tuple[str, ...] = ()
    instruction_length: int = 0
    external_id: str | None = None
    model: str | None = None
    adapter_id: str | None = None
    request: Mapping[str, Any] | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    occurred_at: datetime | None = None
    source: str | None = None

    def stored(self) -> dict[str, Any]:
        """JSON-ready column values, without ids and times of storing."""
        return {
            "external_id": self.external_id,
            "messages": [m.as_dict() for m in self.messages],
            "instruction_length": self.instruction_length,
            "model_output": self.model_output,
            "expected_output": self.expected_output,
            "alternatives": list(self.alternatives),
            "model": self.model,
            "adapter_id": self.adapter_id,
            "request": None if self.request is None else dict(self.request),
            "tags": list(self.tags),
            "metadata": dict(self.metadata),
            "occurred_at": None if self.occurred_at is None else self.occurred_at.isoformat(),
            "source": self.source,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """An item that cannot be stored: ``code`` for programs, ``message`` for people, ``pointer`` into the item."""

    code: str
    message: str
    pointer: str = ""
    external_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """What became of one item. ``id`` is None for a rejected one, ``error`` for every other."""

    id: str | None
    external_id: str | None
    status: Outcome
    error: Rejected | None = None


def check(case: NewBadCase) -> NewBadCase | Rejected:
    """The case, unless an acceptable output is what the model said: then nothing is wrong with it.

    Compared in NFC and with runs of white space as one where it is not code; letter case and punctuation may be what
    is wrong.
    """
    said = _plain(case.model_output)
    if case.expected_output is not None and _plain(case.expected_output) == said:
        return Rejected(
            code="output_as_expected",
            pointer="/expected_output",
            message="'expected_output' equals 'model_output'; this is no bad case, or one of them is a mistake",
            external_id=case.external_id,
        )
    for i, alternative in enumerate(case.alternatives):
        if _plain(alternative) == said:
            return Rejected(
                code="output_as_expected",
                pointer=f"/alternatives/{i}",
                message=f"'alternatives.{i}' equals 'model_output'; the model gave an acceptable answer, or one of "
                "them is a mistake",
                external_id=case.external_id,
            )
    return case


def _plain(text: str) -> str:
    plain = unicodedata.normalize("NFC", text).strip()
    # In code a blank more is another program.
    return plain if looks_like_code(plain) else " ".join(plain.split())


def submit(session: Session, project_id: str, items: Sequence[NewBadCase | Rejected]) -> list[Submitted]:
    """Store all items at once; what became of each, in the order sent.

    Of two items with one ``external_id`` the later one is stored; both name the case that it became.
    """
    checked = [check(item) if isinstance(item, NewBadCase) else item for item in items]
    now = datetime.now(UTC)
    proposed: dict[int, dict[str, Any]] = {}
    winner: dict[str, int] = {}
    for i, item in enumerate(checked):
        if isinstance(item, Rejected):
            continue
        if item.external_id is not None:
            superseded = winner.get(item.external_id)
            if superseded is not None:
                del proposed[superseded]
            winner[item.external_id] = i
        content = item.stored()
        proposed[i] = content | {
            "id": new_id("bc"),
            "content_hash": content_hash_of(content),
            # A list shows them in the order sent.
            "created_at": (now + timedelta(microseconds=i)).isoformat(),
        }
    written = rows.upsert(session, project_id, list(proposed.values()))
    unwritten = [e for e, i in winner.items() if proposed[i]["id"] not in written]
    known = rows.ids_by_external_id(session, project_id, unwritten)
    return [_outcome(item, i, proposed, winner, written, known) for i, item in enumerate(checked)]


def _outcome(
    item: NewBadCase | Rejected,
    index: int,
    proposed: Mapping[int, Mapping[str, Any]],
    winner: Mapping[str, int],
    written: Mapping[str, rows.Upserted],
    known: Mapping[str, str],
) -> Submitted:
    if isinstance(item, Rejected):
        return Submitted(id=None, external_id=item.external_id, status=Outcome.REJECTED, error=item)
    stored_as = index if item.external_id is None else winner[item.external_id]
    result = written.get(proposed[stored_as]["id"])
    if result is None:
        assert item.external_id is not None
        return Submitted(id=known[item.external_id], external_id=item.external_id, status=Outcome.UNCHANGED)
    # Of several items with one external_id, the one that is stored says what became of the case.
    status = Outcome.CREATED if result.created and index == stored_as else Outcome.UPDATED
    return Submitted(id=result.id, external_id=item.external_id, status=status)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Every given condition must hold."""

    tag: str | None = None
    source: str | None = None
    model: str | None = None
    adapter_id: str | None = None
    external_id: str | None = None
    has_expected: bool | None = None


def _matching(project_id: str, filter: CaseFilter) -> Select[BadCaseRow]:
    statement = of_project(BadCaseRow, project_id)
    if filter.tag is not None:
        statement = statement.where(BadCaseRow.tags.contains([filter.tag]))  # pyright: ignore[reportArgumentType]
    if filter.source is not None:
        statement = statement.where(BadCaseRow.source == filter.source)
    if filter.model is not None:
        statement = statement.where(BadCaseRow.model == filter.model)
    if filter.adapter_id is not None:
        statement = statement.where(BadCaseRow.adapter_id == filter.adapter_id)
    if filter.external_id is not None:
        statement = statement.where(BadCaseRow.external_id == filter.external_id)
    if filter.has_expected is not None:
        missing = BadCaseRow.expected_output.is_(None)
        statement = statement.where(~missing if filter.has_expected else missing)
    return statement


def list_page(
    session: Session, project_id: str, page: PageRequest, filter: CaseFilter = CaseFilter()
) -> Page[BadCaseRow]:
    return by_creation(session, _matching(project_id, filter), BadCaseRow, page)


def get(session: Session, project_id: str, bad_case_id: str) -> BadCaseRow:
    row = session.get(BadCaseRow, bad_case_id)
    if row is None or row.project_id != project_id:
        raise NotFound(f"no bad case {bad_case_id} in this project")
    return row


def delete(session: Session, project_id: str, bad_case_id: str) -> None:
    session.delete(get(session, project_id, bad_case_id))
    session.flush()


def resolve_selection(
    session: Session,
    project_id: str,
    bad_case_ids: Sequence[str] | None,
    filter: CaseFilter | None,
) -> list[str]:
    """The ids that a request means: those it names, or those that meet its filter, oldest first.

    Raises InvalidInput where it names none or both, and where a named case does not exist.
    """
    if (bad_case_ids is None) == (filter is None):
        raise InvalidInput("say which bad cases are meant: send either bad_case_ids or filter")
    if filter is not None:
        ordered = _matching(project_id, filter).order_by(BadCaseRow.created_at, BadCaseRow.id)
        return list(session.scalars(ordered.with_only_columns(BadCaseRow.id)))
    wanted = list(dict.fromkeys(bad_case_ids or ()))
    found = {row.id for row in rows.by_ids(session, project_id, wanted)}
    unknown = [
        {"pointer": f"/bad_case_ids/{i}", "message": f"no bad case {case_id} in this project"}
        for i, case_id in enumerate(wanted)
        if case_id not in found
    ]
    if unknown:
        raise InvalidInput(f"{len(unknown)} of the bad_case_ids do not exist here", errors=unknown[:20])
    return wanted
