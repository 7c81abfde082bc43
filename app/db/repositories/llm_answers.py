"""Answers of a language model, kept by the key of their request."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.dialects.postgresql import insert

from app.db.models import LlmAnswerRow
from app.db.session import SessionFactory, transaction


@dataclass(frozen=True, slots=True)
class AnswersInPostgres:
    """What was answered before is not paid for again."""

    sessions: SessionFactory

    def get(self, key: str) -> str | None:
        with self.sessions() as session:
            row = session.get(LlmAnswerRow, key)
            return row.answer if row else None

    def put(self, key: str, value: str) -> None:
        with transaction(self.sessions) as session:
            # one that is there already could not be used
            made = insert(LlmAnswerRow).values(key=key, answer=value, tokens=0)
            session.execute(
                made.on_conflict_do_update(index_elements=[LlmAnswerRow.key], set_={"answer": value})
            )
