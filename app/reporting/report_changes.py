"""A repair action as rows that a reader can compare: prompt, answer before, answer after.

Knows the shapes in which a row may come: ``{"messages": [...]}``, alpaca keys, plain text, or a list.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from app.domain.json_ready import json_ready
from app.domain.repair.draft.actions import needs_answer
from app.domain.reports.report import ReportRepairAction

# An upsampled or merged group may hold hundreds of rows; the first ones tell what was done.
MAX_ROWS_PER_ACTION = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedRow:
    """``None`` = no such row on that side. ``prompt_after`` is ``None`` where the prompt did not change."""

    prompt: str
    before: str | None
    after: str | None
    prompt_after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The rows of one action; ``left_out`` counts those beyond the first few."""

    rows: tuple[ChangedRow, ...]
    left_out: int


def change_of(action: ReportRepairAction) -> Change:
    """What ``action`` changes, row by row."""
    before = _rows(action.before)
    # A question without a proposal changes nothing yet.
    waits = action.asks and needs_answer(action.kind, _rows(action.after))
    pairs = _paired(before, before if waits else _rows(action.after))
    rows = tuple(_changed(before, after) for before, after in pairs[:MAX_ROWS_PER_ACTION])
    return Change(rows=rows, left_out=max(0, len(pairs) - MAX_ROWS_PER_ACTION))


Row = tuple[str, str]


def _paired(before: list[Row], after: list[Row]) -> list[tuple[Row | None, Row | None]]:
    """Each row with what became of it: rows that stay as they are first, the others in their order."""
    kept: list[tuple[Row | None, Row | None]] = []
    left = list(before)
    new = []
    for row in after:
        if row in left:
            left.remove(row)
            kept.append((row, row))
        else:
            new.append(row)
    return kept + list(zip_longest(left, new))


def _changed(before: Row | None, after: Row | None) -> ChangedRow:
    if before is None:
        prompt, answer = after or ("", "")
        return ChangedRow(prompt=prompt, before=None, after=answer)
    if after is None:
        return ChangedRow(prompt=before[0], before=before[1], after=None)
    prompt_after = after[0] if after[0] != before[0] else None
    return ChangedRow(prompt=before[0], before=before[1], after=after[1], prompt_after=prompt_after)


def _rows(value: Any) -> list[Row]:
    """Each row as (prompt, answer)."""
    value = json_ready(value)
    if value is None:
        return []
    if isinstance(value, list):
        return [row for item in value for row in _rows(item)]
    return [_prompt_and_answer(value)]


def _prompt_and_answer(row: Any) -> Row:
    if not isinstance(row, Mapping):
        return "", row if isinstance(row, str) else _json(row)
    messages = row.get("messages")
    if isinstance(messages, list) and messages and all(isinstance(m, Mapping) for m in messages):
        *turns, answer = messages
        if len(turns) == 1:
            return _content(turns[0]), _content(answer)
        return "\n".join(f"{m.get('role', '')}: {_content(m)}" for m in turns), _content(answer)
    if "output" in row:
        asked = [str(row[key]) for key in ("instruction", "input", "prompt") if row.get(key)]
        return "\n".join(asked), str(row["output"])
    return "", _json(row)


def _content(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else _json(content)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)
