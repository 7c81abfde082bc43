"""What a sample would become, with nothing stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from app.db.models import IntegrationRow
from app.domain.integrations import mapping as mappings
from app.domain.integrations.mapping import FieldMapping
from app.services.integrations import applying, integrations
from app.services.integrations.applying import SHOWN_ROWS, Row

_SHOWN_FIELDS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """``fields``: every path that the sample has. ``mapping``: the one in use."""

    counts: Mapping[str, int]
    rows: list[Row]
    note: str | None
    mapping: dict[str, Any]
    fields: list[str]


def preview(
    session: Session,
    project_id: str,
    tool: str,
    sample: object,
    *,
    integration_id: str | None = None,
    mapping: FieldMapping | None = None,
) -> Preview:
    """Raises InvalidInput where nothing can be read, and where the mapping names no field of the sample."""
    if integration_id is not None:
        row = integrations.chosen(session, project_id, tool, integration_id)
    else:
        row = integrations.only_one(session, project_id, tool) or IntegrationRow(
            project_id=project_id,
            tool=integrations.tool_of(tool).tag,
            name=integrations.DEFAULT_NAME,
            mapping={},
        )
    known_tool = integrations.tool_of(row.tool)
    user_mapping = mapping if mapping is not None else FieldMapping.from_dict(row.mapping)
    in_use = user_mapping.over(known_tool.mapping)
    body = sample if isinstance(sample, str) else json.dumps(sample, ensure_ascii=False)
    reading = applying.read(known_tool, body.encode("utf-8", "surrogatepass"))
    previewed = applying.preview(
        applying.understand(reading, in_use, user_mapping, row, strict=True), reading
    )
    values = [r.value for r in reading.records if r.value is not None]
    fields = {
        path for value in values[:SHOWN_ROWS] for path in mappings.fields_of(value)
    } | reading.known_fields
    return Preview(
        counts={"records": len(previewed.rows), **previewed.counts},
        rows=previewed.rows[:SHOWN_ROWS],
        note=previewed.note,
        mapping=in_use.as_dict(),
        fields=sorted(fields)[:_SHOWN_FIELDS],
    )
