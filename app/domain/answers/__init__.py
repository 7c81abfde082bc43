"""What a model has to produce for one prompt, and whether two such answers are the same.

``answer`` reads a turn or a text into an ``Answer``. ``app.domain.answer_writing`` puts another answer into a row, in
the row's own structure.
"""

from __future__ import annotations

from app.domain.answers.answer import Answer, ToolCall, read_message, read_text

__all__ = ["Answer", "ToolCall", "read_message", "read_text"]
