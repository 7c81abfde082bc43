"""The open questions of a plan: how many, which rows they keep out of training, and where they are answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import Session

from app.db.models import RepairActionRow
from app.domain.pipeline import Questions
from app.domain.repair.draft import open_questions
from app.domain.repair.draft.actions import ActionKind
from app.domain.repair.policy.decision import Decision

SHOWN_ROWS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestions:
    """``kept_out``: ids of rows of the version that the plan is of, each once, in the plan's order."""

    repair_id: str
    count: int
    kept_out: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """What a cycle tells; of many rows the first ones, the link has all."""
        return {
            "count": self.count,
            "rows_kept_out": len(self.kept_out),
            "example_ids": list(self.kept_out[:SHOWN_ROWS]),
            "repair_id": self.repair_id,
            "url": f"/v1/repairs/{self.repair_id}/actions?decision=proposed&asks=true",
        }


def asks_person() -> ColumnElement[bool]:
    """Whether an action asks a person something about its rows, as one condition."""
    row = RepairActionRow
    return and_(
        row.kind.in_(sorted(kind.value for kind in open_questions.QUESTIONS)),
        func.coalesce(row.evidence["asks_person"].as_boolean(), False),
    )


def keeps_waiting(session: Session, repair_id: str, policy: Questions) -> bool:
    """Whether a cycle of this policy waits for answers: for all, or for those alone that it may not go on without."""
    conditions = _open(repair_id)
    if policy is Questions.GO_ON:
        stops = RepairActionRow.evidence[open_questions.STOPS_CYCLE].as_boolean()
        conditions = (*conditions, func.coalesce(stops, False))
    return bool(session.scalar(select(exists().where(*conditions))))


def of_repair(session: Session, repair_id: str) -> OpenQuestions:
    row = RepairActionRow
    found = session.execute(
        select(row.kind, row.example_ids, row.evidence).where(*_open(repair_id)).order_by(row.ordinal)
    ).all()
    kept_out = (
        example_id
        for kind, example_ids, evidence in found
        for example_id in open_questions.rows_kept_out(ActionKind(kind), example_ids, evidence)
    )
    return OpenQuestions(repair_id=repair_id, count=len(found), kept_out=tuple(dict.fromkeys(kept_out)))


def _open(repair_id: str) -> tuple[ColumnElement[bool], ...]:
    row = RepairActionRow
    return row.repair_id == repair_id, row.decision == Decision.PROPOSED, asks_person()
