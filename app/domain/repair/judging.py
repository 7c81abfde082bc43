"""How a language model is asked; who asks it, and what for, stands elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from app.domain.records import Message

AskJudge = Callable[[tuple[Message, ...]], str | None]
"""Sends messages to a language model; None where it gave no answer, or may not be asked any more."""
