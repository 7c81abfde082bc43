"""Which actions of a plan are meant: one set of conditions for lists, decisions and counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Text, and_, bindparam, func, not_, or_, select, update
from sqlalchemy.orm import Session

from app.db.models import RepairActionRow
from app.db.repositories.pages import Page, PageRequest, by_ordinal
from app.domain.repair.draft.actions import GIVES_AN_ANSWER
from app.domain.repair.policy.decision import Decision
from app.domain.repair.policy.decisions import DecisionPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFilter:
    """Conditions that an action meets all of; None = no condition. ``reason`` is a part of its text; ``asks``:
    whether it asks a person."""

    kind: str | None = None
    rule: str | None = None
    decision: str | None = None
    min_score: float | None = None
    max_score: float | None = None
    reason: str | None = None
    asks: bool | None = None
    example_ids: Sequence[str] | None = None
    action_ids: Sequence[str] | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        row = RepairActionRow
        made: list[ColumnElement[bool]] = []
        if self.kind is not None:
            made.append(row.kind == self.kind)
        if self.rule is not None:
            made.append(row.rule == self.rule)
        if self.decision is not None:
            made.append(row.decision == self.decision)
        if self.min_score is not None:
            made.append(row.score >= self.min_score)
        if self.max_score is not None:
            made.append(row.score <= self.max_score)
        if self.reason:
            made.append(row.reason.icontains(self.reason, autoescape=True))
        if self.asks is not None:
            asks = func.coalesce(row.evidence["asks_person"].as_boolean(), False)
            made.append(asks if self.asks else not_(asks))
        if self.example_ids is not None:
            made.append(func.jsonb_exists_any(row.example_ids, _texts(self.example_ids)))
        if self.action_ids is not None:
            made.append(row.id == func.any(_texts(self.action_ids)))
        return made


def _texts(values: Sequence[str]) -> ColumnElement[Sequence[str]]:
    # One parameter, however many values: PostgreSQL takes 65,535 of them.
    return bindparam(None, list(dict.fromkeys(values)), type_=ARRAY(Text))


def approved_by(policy: DecisionPolicy) -> ColumnElement[bool]:
    """The actions that ``policy.decision_for`` approves, as one condition."""
    row = RepairActionRow
    ways = [
        and_(row.rule == rule, row.score >= bar.lowest_score)
        for rule, bar in policy.rules.items()
        if bar.lowest_score is not None
    ]
    lowest = policy.lowest_score
    if lowest is not None:
        asks = row.evidence["asks_person"].as_boolean().is_(True)
        others = not_(row.rule == func.any(_texts(list(policy.rules))))
        ways.append(and_(others, not_(asks), row.score >= lowest))
    return or_(*ways) if ways else func.false()


def waits_for_answer() -> ColumnElement[bool]:
    """The actions of which ``actions.needs_answer`` is true, as one condition."""
    row = RepairActionRow
    return and_(
        row.kind.in_([kind.value for kind in GIVES_AN_ANSWER]), func.jsonb_array_length(row.after) == 0
    )


def page(
    session: Session, repair_id: str, chosen: ActionFilter, request: PageRequest
) -> Page[RepairActionRow]:
    """The chosen actions in the plan's order."""
    statement = select(RepairActionRow).where(RepairActionRow.repair_id == repair_id, *chosen.conditions())
    return by_ordinal(session, statement, RepairActionRow, request)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionCount:
    """How many actions of one kind and rule stand at one decision; ``reverted`` of them were taken back."""

    kind: str
    rule: str
    decision: str
    actions: int
    reverted: int


def counts(session: Session, repair_id: str) -> list[ActionCount]:
    row = RepairActionRow
    found = session.execute(
        select(row.kind, row.rule, row.decision, func.count(), func.count(row.reverted_at))
        .where(row.repair_id == repair_id)
        .group_by(row.kind, row.rule, row.decision)
        .order_by(row.kind, row.rule, row.decision)
    )
    return [
        ActionCount(kind=kind, rule=rule, decision=decision, actions=actions, reverted=reverted)
        for kind, rule, decision, actions, reverted in found
    ]


def update_actions(
    session: Session, repair_id: str, conditions: Sequence[ColumnElement[bool]], **values: Any
) -> int:
    """Write ``values`` into the chosen actions and raise their revisions, in one statement; how many."""
    result = session.execute(
        update(RepairActionRow)
        .where(RepairActionRow.repair_id == repair_id, *conditions)
        .values(**values, revision=RepairActionRow.revision + 1)
        .execution_options(synchronize_session=False)
    )
    for row in session:
        if isinstance(row, RepairActionRow):
            session.expire(row)
    return int(result.rowcount)  # pyright: ignore[reportAttributeAccessIssue]


def count_still_applied(session: Session, repair_id: str) -> int:
    """Actions that were carried out and not taken back."""
    row = RepairActionRow
    statement = select(func.count()).select_from(row).where(row.repair_id == repair_id)
    statement = statement.where(row.decision == Decision.APPLIED, row.reverted_at.is_(None))
    return session.scalar(statement) or 0
