"""Bad cases: rows to records, and the statements that store many at once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, Text, bindparam, func, select, text
from sqlalchemy.orm import Session

from app.db.models import BadCaseRow
from app.db.repositories.examples import messages
from app.domain.records import BadCase, ServingRequest


def to_record(row: BadCaseRow) -> BadCase:
    return BadCase(
        id=row.id,
        messages=messages(row.messages),
        model_output=row.model_output,
        expected_output=row.expected_output,
        alternatives=tuple(row.alternatives),
        instruction_length=row.instruction_length,
        external_id=row.external_id,
        request=serving_request(row.request),
        tags=tuple(row.tags),
        metadata=row.extra,
        occurred_at=row.occurred_at,
    )


def serving_request(value: Mapping[str, Any] | None) -> ServingRequest | None:
    if value is None:
        return None
    stop = value.get("stop")
    return ServingRequest(
        system=value.get("system"),
        prompt_text=value.get("prompt_text"),
        temperature=value.get("temperature"),
        top_p=value.get("top_p"),
        max_tokens=value.get("max_tokens"),
        stop=None if stop is None else tuple(stop),
        finish_reason=value.get("finish_reason"),
    )


def record_from_snapshot(bad_case_id: str, external_id: str | None, snapshot: Mapping[str, Any]) -> BadCase:
    """The case as a diagnosis judged it."""
    return BadCase(
        id=bad_case_id,
        messages=messages(snapshot["messages"]),
        model_output=snapshot["model_output"],
        expected_output=snapshot["expected_output"],
        alternatives=tuple(snapshot["alternatives"]),
        instruction_length=snapshot["instruction_length"],
        external_id=external_id,
        request=serving_request(snapshot["request"]),
        tags=tuple(snapshot["tags"]),
        metadata=snapshot["metadata"],
    )


def by_ids(session: Session, project_id: str, ids: Sequence[str]) -> list[BadCaseRow]:
    """The cases named, in that order; ids that are gone are left out."""
    wanted = bindparam(None, list(set(ids)), type_=ARRAY(Text))
    rows = session.scalars(
        select(BadCaseRow).where(BadCaseRow.project_id == project_id, BadCaseRow.id == func.any(wanted))
    ).all()
    by_id = {row.id: row for row in rows}
    return [by_id[i] for i in dict.fromkeys(ids) if i in by_id]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upserted:
    id: str
    created: bool


_FIELDS = """
    id text, external_id text, messages jsonb, instruction_length int, model_output text, expected_output text,
    alternatives jsonb, model text, adapter_id text, request jsonb, tags jsonb, metadata jsonb,
    occurred_at timestamptz, source text, content_hash text, created_at timestamptz
"""
_NAMES = (
    "id, external_id, messages, instruction_length, model_output, expected_output, alternatives, model, "
    "adapter_id, request, tags, metadata, occurred_at, source, content_hash, created_at"
)
_UPDATED = (
    "messages, instruction_length, model_output, expected_output, alternatives, model, adapter_id, request, "
    "tags, metadata, occurred_at, source, content_hash"
)
# One parameter however many rows: the statement's text stays the same and nothing is rendered per row.
# ORDER BY: two calls that update the same cases lock them in the same order, so they wait instead of dying.
# xmax = 0 only in a row version that this statement inserted.
_UPSERT = text(
    f"""
    INSERT INTO bad_cases (project_id, revision, {_NAMES}, updated_at)
    SELECT :project_id, 1, {_NAMES}, created_at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS sent({_FIELDS})
    ORDER BY external_id COLLATE "C"
    ON CONFLICT (project_id, external_id) DO UPDATE SET
      {", ".join(f"{name} = excluded.{name}" for name in _UPDATED.split(", "))},
      revision = bad_cases.revision + 1,
      updated_at = clock_timestamp()
    WHERE bad_cases.content_hash IS DISTINCT FROM excluded.content_hash
    RETURNING id, external_id, xmax = 0 AS created
    """  # noqa: S608 - the names above are constants
)
_ROWS_PER_STATEMENT = 2000


def upsert(session: Session, project_id: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Upserted]:
    """Insert or update by ``external_id``; returns what was written, by the row's proposed id.

    No two rows may carry the same ``external_id``. A row whose content is stored already is left alone and
    not returned. Rows without an ``external_id`` are always new.
    """
    written: dict[str, Upserted] = {}
    # Sorted over all statements, not only within one: the lock order must hold for the whole transaction.
    ordered = sorted(rows, key=lambda row: (row["external_id"] or "").encode())
    for start in range(0, len(ordered), _ROWS_PER_STATEMENT):
        part = ordered[start : start + _ROWS_PER_STATEMENT]
        proposed_by_external_id = {row["external_id"]: row["id"] for row in part if row["external_id"]}
        parameters = {"project_id": project_id, "rows": json.dumps(part, ensure_ascii=False)}
        for id_, external_id, created in session.execute(_UPSERT, parameters):
            proposed = proposed_by_external_id[external_id] if external_id else id_
            written[proposed] = Upserted(id=id_, created=created)
    return written


def ids_by_external_id(session: Session, project_id: str, external_ids: Sequence[str]) -> dict[str, str]:
    if not external_ids:
        return {}
    statement = select(BadCaseRow.external_id, BadCaseRow.id).where(
        BadCaseRow.project_id == project_id,
        BadCaseRow.external_id == func.any(bindparam(None, list(set(external_ids)), type_=ARRAY(Text))),
    )
    return {external_id: id_ for external_id, id_ in session.execute(statement) if external_id}
