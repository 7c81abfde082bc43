"""What strong language models were asked and what it cost."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Float, ForeignKey, Identity, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Created


class LlmAnswerRow(Created, Base):
    """Answers of the strong model by the hash of what was asked: a rerun pays nothing twice."""

    __tablename__ = "llm_answers"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    answer: Mapped[str] = mapped_column(Text)
    tokens: Mapped[int]


class LlmCallRow(Created, Base):
    """One attempt to have an answer, written before it is made. ``subject_id``: the work that it was made for.
    ``status``: sent, answered, failed, or unknown, for the worker died meanwhile. Until the endpoint has told, tokens
    and ``cost`` (in the currency of the operator's prices) are the most that it can come to."""

    __tablename__ = "llm_calls"
    __table_args__ = (
        Index("ix_llm_calls_subject_id", "subject_id"),
        Index("ix_llm_calls_project_id_created_at", "project_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    subject_id: Mapped[str] = mapped_column(String(40))
    model: Mapped[str] = mapped_column(Text)
    request_key: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(16))
    prompt_tokens: Mapped[int]
    answer_tokens: Mapped[int]
    cost: Mapped[float] = mapped_column(Float)
    error: Mapped[str | None] = mapped_column(Text)
    ended_at: Mapped[datetime | None]
