"""What the records of a delivery become: bad cases, created, updated or withdrawn as `POST /v1/bad-cases` does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.models import BadCaseRow, IntegrationRecordRow, IntegrationRow
from app.domain.formats import RowError, storable
from app.domain.integrations import mapping as mappings
from app.domain.integrations.mapping import CaseField, FieldMapping, UnknownField
from app.domain.integrations.reading import Reading, Record, Unreadable
from app.domain.integrations.tools import Tool
from app.domain.records import Message
from app.errors import InvalidInput
from app.services import bad_cases
from app.services.bad_cases import NewBadCase, Outcome, Rejected
from app.services.case_input import to_new_case
from app.services.integrations.integrations import DEFAULT_NAME

SHOWN_ROWS: Final = 100
_MAX_KEY: Final = 500
_MAX_VERSION: Final = 200
_MAX_DETAIL: Final = 4_000


_NEEDED: Final = frozenset({"fields.prompt", "bad_when.path"})
_OPTIONAL: Final = frozenset(
    f"fields.{name.value}"
    for name in CaseField
    if name not in (CaseField.PROMPT, CaseField.MODEL_OUTPUT, CaseField.EXPECTED_OUTPUT)
)


class Became(StrEnum):
    """What became of a record. ``skipped``: it is no bad case. ``outdated``: a newer version of it is known."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    OUTDATED = "outdated"
    UNREADABLE = "unreadable"


@dataclass(slots=True, kw_only=True)
class Row:
    """One record with its outcome; ``case`` is the body that `POST /v1/bad-cases` would take."""

    record: str
    status: str
    external_id: str | None = None
    bad_case_id: str | None = None
    reason: str | None = None
    case: dict[str, Any] | None = None


@dataclass(slots=True, kw_only=True)
class Applied:
    """``rows``: all of them. ``note``: why there is nothing to do."""

    rows: list[Row] = field(default_factory=list)
    note: str | None = None

    @property
    def counts(self) -> dict[str, int]:
        return dict(Counter(row.status for row in self.rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """A record made into a case, or why it is none (then ``item`` is None, and a case that was is withdrawn)."""

    record: Record
    external_id: str | None = None
    case: dict[str, Any] | None = None
    item: NewBadCase | Rejected | None = None
    reason: str | None = None


def read(tool: Tool, body: bytes) -> Reading:
    """Raises InvalidInput where nothing can be read."""
    try:
        reading = tool.read(body)
    except Unreadable as error:
        raise InvalidInput(_plain(f"{tool.title}: {error}")) from error
    except RecursionError:
        raise InvalidInput(f"{tool.title}: the body is nested too deeply") from None
    return replace(
        reading,
        records=tuple(map(_named, reading.records)),
        unreadable=tuple(_plain(text) for text in reading.unreadable),
    )


def _named(record: Record) -> Record:
    """The record with names that a row can hold."""
    return replace(
        record,
        key=_plain(record.key),
        group=record.group and _plain(record.group),
        case_key=record.case_key and _plain(record.case_key),
        version=record.version and _plain(record.version, _MAX_VERSION),
        skip=record.skip and _plain(record.skip),
    )


def _plain(text: str, limit: int = 500) -> str:
    """Without what PostgreSQL cannot store, and not longer than ``limit`` characters."""
    return text[:limit].replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def understand(
    reading: Reading,
    mapping: FieldMapping,
    user_mapping: FieldMapping,
    row: IntegrationRow,
    *,
    strict: bool = False,
) -> list[Understood]:
    """Every record by the mapping. Raises InvalidInput where what the user mapped is in no record, or where no record
    has a prompt. ``strict``: a field that somebody may not have filled in must be there as well."""
    values = [r.value for r in reading.records if r.value is not None and r.skip is None]
    if values:
        check_mapping(user_mapping, mapping, values, reading, strict=strict)
    return [_understood(record, mapping, row) for record in reading.records]


def missing_note(user_mapping: FieldMapping, reading: Reading) -> str | None:
    """What a mapping names and nobody filled in, where that may be so."""
    values = [r.value for r in reading.records if r.value is not None and r.skip is None]
    if not values:
        return None
    unknown = mappings.unknown_fields(user_mapping, values, reading.known_fields)
    paths = ", ".join(" or ".join(u.paths) for u in unknown)
    return f"no record has {paths}" if paths else None


def check_mapping(
    user_mapping: FieldMapping,
    mapping: FieldMapping,
    values: Sequence[Mapping[str, Any]],
    reading: Reading,
    *,
    strict: bool,
) -> None:
    """What a user names must be there in one of the records; of the default's fields, the prompt."""
    known = reading.known_fields
    prompt = FieldMapping(fields={f: p for f, p in mapping.fields.items() if f is CaseField.PROMPT})
    unknown = [
        u
        for u in mappings.unknown_fields(user_mapping, values, known)
        if strict or _is_mistake(u, reading, records=len(values))
    ] or mappings.unknown_fields(prompt, values, known)
    if unknown:
        raise InvalidInput(
            _plain(mappings.described(unknown, values, known), _MAX_DETAIL),
            errors=[
                {
                    "pointer": f"/mapping/{u.where.replace('.', '/')}",
                    "message": f"no field {' or '.join(u.paths)}",
                }
                for u in unknown
            ],
        )


def _is_mistake(unknown: UnknownField, reading: Reading, *, records: int) -> bool:
    """Whether a field that no record of a delivery has is not there at all; it may only be empty in these."""
    if any(path.removeprefix("$.").startswith(reading.maybe) for path in unknown.paths):
        return False
    if all(path.removeprefix("$.").startswith(reading.listed) for path in unknown.paths):
        return True
    if unknown.where in _OPTIONAL:
        return False
    return records > 1 or unknown.where in _NEEDED


def _understood(record: Record, mapping: FieldMapping, integration: IntegrationRow) -> Understood:
    if record.value is None:
        return Understood(record=record, reason="deleted in the tool")
    if record.skip is not None:
        return Understood(record=record, reason=record.skip)
    if mapping.bad_when is None and record.doubt is not None:
        return Understood(record=record, reason=record.doubt)
    if not mappings.is_bad(record.value, mapping.bad_when):
        assert mapping.bad_when is not None
        return Understood(record=record, reason=f"{mapping.bad_when.path} does not say that it is bad")
    case = mappings.to_case(record.value, mapping)
    case.setdefault("external_id", _external_id(record, integration))
    case["source"] = integration.tool
    case["metadata"] = {"integration": integration.name, "record": record.key}
    item: NewBadCase | Rejected
    try:
        item = bad_case(storable(case))
    except RowError as error:
        item = Rejected(code=error.code, message=_plain(error.message))
    return Understood(record=record, external_id=_plain(str(case["external_id"])), case=case, item=item)


def bad_case(case: dict[str, Any]) -> NewBadCase | Rejected:
    checked = to_new_case(case)
    return bad_cases.check(checked) if isinstance(checked, NewBadCase) else checked


def _external_id(record: Record, integration: IntegrationRow) -> str:
    local = record.case_key or record.key
    parts = (
        [integration.tool, local]
        if integration.name == DEFAULT_NAME
        else [integration.tool, integration.name, local]
    )
    return ":".join(parts)[:_MAX_KEY]


def preview(understood: Sequence[Understood], reading: Reading) -> Applied:
    """What would become of each, were nothing known yet."""
    rows = [_unreadable(text) for text in reading.unreadable]
    for each in understood:
        status, reason = "case", each.reason
        if each.record.value is None:
            status = Became.WITHDRAWN
        elif isinstance(each.item, Rejected):
            status, reason = Became.REJECTED, _plain(each.item.message)
        elif each.item is None:
            status = Became.SKIPPED
        rows.append(
            Row(
                record=each.record.key,
                status=status,
                external_id=each.external_id,
                reason=reason,
                case=each.case,
            )
        )
    return Applied(rows=rows, note=reading.ignored)


def apply(
    session: Session,
    integration_id: str,
    understood: Sequence[Understood],
    reading: Reading,
    *,
    is_everything: bool = False,
) -> Applied:
    """Store what was understood. ``is_everything``: what is known of this integration and not among the records was
    deleted in the tool.

    Deliveries of one integration are applied one after the other: its row is locked.
    """
    integration = session.get_one(IntegrationRow, integration_id, with_for_update=True)
    known = _known(session, integration, understood, all_of_it=is_everything)
    rows = [_unreadable(text) for text in reading.unreadable]
    to_store: list[tuple[Row, Understood]] = []
    for each in understood:
        row = Row(
            record=each.record.key, status=Became.SKIPPED, external_id=each.external_id, reason=each.reason
        )
        rows.append(row)
        if each.record.value is None:
            _delete(session, integration, known, each.record, row)
            continue
        before = known.get(each.record.key)
        if before is not None and _is_outdated(each.record, before):
            row.status, row.reason = Became.OUTDATED, "a newer version, or its deletion, is known"
            continue
        if isinstance(each.item, NewBadCase):
            to_store.append((row, each))
            continue
        if isinstance(each.item, Rejected):
            row.status, row.reason = Became.REJECTED, _plain(each.item.message)
            if each.item.code != "output_as_expected":
                continue
        if before is not None and before.live and each.record.withdraws:
            _withdraw(session, integration, before, row)
        _remember(session, integration, known, each, live=bool(before and before.live))
    _store(session, integration, known, to_store)
    if is_everything:
        sent = {u.record.key for u in understood}
        for key, gone in list(known.items()):
            if key not in sent and gone.live:
                row = Row(record=key, status=Became.SKIPPED, reason="not in the tool any more")
                _withdraw(session, integration, gone, row)
                gone.deleted = True
                rows.append(row)
    session.flush()
    return Applied(rows=rows, note=reading.ignored)


_Known = dict[str, IntegrationRecordRow]


def _known(
    session: Session, integration: IntegrationRow, understood: Sequence[Understood], *, all_of_it: bool
) -> _Known:
    statement = select(IntegrationRecordRow).where(IntegrationRecordRow.integration_id == integration.id)
    if not all_of_it:
        keys = {u.record.key for u in understood}
        statement = statement.where(
            IntegrationRecordRow.record_key.in_(keys) | IntegrationRecordRow.group_key.in_(keys)
        )
    return {row.record_key: row for row in session.scalars(statement)}


def _is_outdated(record: Record, before: IntegrationRecordRow) -> bool:
    if record.version is None or before.version is None:
        return before.deleted
    return record.version <= before.version if before.deleted else record.version < before.version


def _delete(session: Session, integration: IntegrationRow, known: _Known, record: Record, row: Row) -> None:
    """A deletion speaks of a record or of all its parts; a record that is not known is remembered as gone."""
    members = [r for r in known.values() if record.key in (r.record_key, r.group_key)]
    for member in members:
        if member.live:
            _withdraw(session, integration, member, row)
        member.deleted = True
    if not members:
        tombstone = IntegrationRecordRow(
            integration_id=integration.id, record_key=record.key, live=False, deleted=True
        )
        session.add(tombstone)
        known[record.key] = tombstone
    session.flush()


def _withdraw(session: Session, integration: IntegrationRow, record: IntegrationRecordRow, row: Row) -> None:
    """Delete the case of a record, unless another record still speaks of it."""
    external_id = record.external_id
    record.live = False
    session.flush()
    others = session.scalar(
        select(IntegrationRecordRow.id).where(
            IntegrationRecordRow.integration_id == integration.id,
            IntegrationRecordRow.external_id == external_id,
            IntegrationRecordRow.live,
        )
    )
    case = session.scalar(
        select(BadCaseRow).where(
            BadCaseRow.project_id == integration.project_id, BadCaseRow.external_id == external_id
        )
    )
    row.external_id = external_id
    if others is not None or case is None or external_id is None:
        return
    if case.source != integration.tool:
        row.reason = "the case came from elsewhere; it stays"
        return
    row.status, row.bad_case_id = Became.WITHDRAWN, case.id
    bad_cases.delete(session, integration.project_id, case.id)


def _remember(
    session: Session, integration: IntegrationRow, known: _Known, each: Understood, *, live: bool
) -> None:
    row = known.get(each.record.key)
    if row is None:
        row = IntegrationRecordRow(integration_id=integration.id, record_key=each.record.key[:_MAX_KEY])
        session.add(row)
        known[each.record.key] = row
    row.group_key, row.version = each.record.group, each.record.version
    row.live, row.deleted = live, False
    row.external_id = each.external_id or row.external_id


def _store(
    session: Session, integration: IntegrationRow, known: _Known, to_store: Sequence[tuple[Row, Understood]]
) -> None:
    for row, each in to_store:
        before = known.get(each.record.key)
        if before is not None and before.live and before.external_id != each.external_id:
            _withdraw(session, integration, before, row)  # it speaks of another case now
        _remember(session, integration, known, each, live=True)
    session.flush()
    items = _completed(session, integration.project_id, [each for _, each in to_store])
    for (row, _), done in zip(
        to_store, bad_cases.submit(session, integration.project_id, items), strict=True
    ):
        row.status, row.bad_case_id, row.reason = done.status.value, done.id, None
        if done.status is Outcome.REJECTED and done.error is not None:
            row.reason = done.error.message


def _completed(session: Session, project_id: str, each: Sequence[Understood]) -> list[NewBadCase | Rejected]:
    """The items; one that only adds to a case keeps what the tool does not know of it."""
    added = {str(u.external_id) for u in each if u.record.adds}
    # By the id of ours, where the case has none of its own.
    rows = session.scalars(
        select(BadCaseRow).where(
            BadCaseRow.project_id == project_id,
            BadCaseRow.external_id.in_(added) | (BadCaseRow.external_id.is_(None) & BadCaseRow.id.in_(added)),
        )
    ).all()
    for row in rows:
        if row.external_id is None:
            row.external_id = row.id
    session.flush()
    before = {row.external_id: row for row in rows}
    items: list[NewBadCase | Rejected] = []
    for u in each:
        item, row = u.item, before.get(u.external_id) if u.record.adds else None
        assert item is not None
        if row is not None and isinstance(item, NewBadCase):
            item = replace(
                item,
                messages=tuple(Message.from_dict(m) for m in row.messages),
                instruction_length=row.instruction_length,
                model_output=row.model_output,
                alternatives=tuple(a for a in row.alternatives if a != item.expected_output),
                model=row.model,
                adapter_id=row.adapter_id,
                request=row.request,
                tags=tuple(dict.fromkeys([*row.tags, *item.tags])),
                metadata=row.extra,
                occurred_at=row.occurred_at,
                source=row.source,
            )
        items.append(item)
    return items


def _unreadable(text: str) -> Row:
    return Row(record="", status=Became.UNREADABLE, reason=text)
