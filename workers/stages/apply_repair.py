"""Carry out, or take back, a repair that is too large for a request: all of it in one transaction."""

from __future__ import annotations

from app.db.models import RepairRunRow
from app.services.repairs import runs
from workers.context import StageContext


def run(context: StageContext) -> None:
    context.progress(0.0, "rows")
    with context.saving() as (session, row):
        assert isinstance(row, RepairRunRow)
        runs.carry_out(session, row)
