"""The ledger of what language models were asked: a row an attempt, so that a cap holds across kills and restarts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from app.db.models import LlmCallRow
from app.db.session import SessionFactory, transaction

_LOCK: Final = 0x6C6C6D  # any number that no other pair of locks begins with


class CallStatus(StrEnum):
    """``unknown``: its worker died; whether it was answered, and paid for, only the endpoint knows."""

    SENT = "sent"
    ANSWERED = "answered"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """For a million tokens, in any currency."""

    prompt: float = 0.0
    answer: float = 0.0

    def cost(self, prompt_tokens: int, answer_tokens: int) -> float:
        return (prompt_tokens * self.prompt + answer_tokens * self.answer) / 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    tokens: int = 0
    cost: float = 0.0
    calls: int = 0


Allow = Callable[[Spent, Spent], None]
"""Gets what a project has come to today and what one more call may; raises where that call is not to be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerInPostgres:
    """Of one piece of work. Each line is committed by itself: it has to outlive whoever writes it."""

    sessions: SessionFactory
    project_id: str
    subject_id: str
    model: str
    prices: Prices

    def begin(
        self, request_key: str, *, prompt_tokens: int, answer_tokens: int, allow: Allow | None = None
    ) -> int:
        """An attempt is about to be made that costs so much at most. With ``allow``, the calls of a project are
        looked at and written down one after the other, so that work at the same time passes no cap together."""
        row = LlmCallRow(
            project_id=self.project_id,
            subject_id=self.subject_id,
            model=self.model,
            request_key=request_key,
            status=CallStatus.SENT.value,
            prompt_tokens=prompt_tokens,
            answer_tokens=answer_tokens,
            cost=self.prices.cost(prompt_tokens, answer_tokens),
        )
        with transaction(self.sessions) as session:
            if allow is not None:
                session.execute(select(func.pg_advisory_xact_lock(_LOCK, func.hashtext(self.project_id))))
                allow(self._spent_today(session), Spent(tokens=prompt_tokens + answer_tokens, cost=row.cost))
            session.add(row)
            session.flush()
            return row.id

    def end(
        self,
        call_id: int,
        status: CallStatus,
        *,
        prompt_tokens: int,
        answer_tokens: int,
        error: str | None = None,
    ) -> None:
        with transaction(self.sessions) as session:
            session.execute(
                update(LlmCallRow)
                .where(LlmCallRow.id == call_id)
                .values(
                    status=status.value,
                    prompt_tokens=prompt_tokens,
                    answer_tokens=answer_tokens,
                    cost=self.prices.cost(prompt_tokens, answer_tokens),
                    error=error,
                    ended_at=datetime.now(UTC),
                )
            )

    def take_over(self) -> Spent:
        """What was spent on this work before. Attempts of a run that is gone are from now on unknown: they count with
        the most that they can have cost."""
        with transaction(self.sessions) as session:
            session.execute(
                update(LlmCallRow)
                .where(LlmCallRow.subject_id == self.subject_id, LlmCallRow.status == CallStatus.SENT)
                .values(status=CallStatus.UNKNOWN.value)
            )
            return _sum(session, LlmCallRow.subject_id == self.subject_id)

    def _spent_today(self, session: Session) -> Spent:
        """By all work of the project since midnight, UTC, calls under way with the most that they can cost."""
        midnight = datetime.combine(datetime.now(UTC).date(), time(), tzinfo=UTC)
        return _sum(session, LlmCallRow.project_id == self.project_id, LlmCallRow.created_at >= midnight)


def _sum(session: Session, *conditions: ColumnElement[bool]) -> Spent:
    tokens, cost, calls = session.execute(
        select(
            func.coalesce(func.sum(LlmCallRow.prompt_tokens + LlmCallRow.answer_tokens), 0),
            func.coalesce(func.sum(LlmCallRow.cost), 0.0),
            func.count(),
        ).where(*conditions)
    ).one()
    return Spent(tokens=int(tokens), cost=float(cost), calls=int(calls))
