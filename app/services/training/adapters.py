"""Adapters that training jobs made."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.db.models import AdapterRow
from app.errors import NotFound


def get_adapter(session: Session, project_id: str, adapter_id: str) -> AdapterRow:
    row = session.get(AdapterRow, adapter_id)
    if row is None or row.project_id != project_id:
        raise NotFound(f"no adapter {adapter_id} in this project")
    return row
