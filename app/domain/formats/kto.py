"""KTO rows: an answer and whether it is desired (Ethayarajh et al. 2024).

Written as TRL's KTO trainer reads them: ``prompt`` and ``completion`` as turns, ``label``. Read as well: any other
format with LLaMA-Factory's ``kto_tag``, or with a true/false ``label``.
"""

from __future__ import annotations

from typing import Any

from app.domain.formats import names
from app.domain.formats.alpaca import ALPACA
from app.domain.formats.completion import COMPLETION
from app.domain.formats.fields import Format, ParsedRow, with_id_and_metadata
from app.domain.formats.messages import MESSAGES, as_turn
from app.domain.formats.sharegpt import SHAREGPT
from app.domain.formats.signs import KTO_TAG, LABEL
from app.domain.records import TrainingExample

_ROWS = (SHAREGPT, MESSAGES, COMPLETION, ALPACA)
KEYS = frozenset({"prompt", "completion", "tools", KTO_TAG, LABEL})


def format_of(row: dict[str, Any]) -> Format:
    """The format that the row is in beside its sign."""
    return next((format for format in _ROWS if format.recognises(row)), COMPLETION)


def parse(row: dict[str, Any]) -> ParsedRow:
    return format_of(row).parse(row)


def render(example: TrainingExample) -> dict[str, Any]:
    body: dict[str, Any] = {
        "prompt": [as_turn(m) for m in example.prompt_messages],
        "completion": [as_turn(example.messages[example.answer_at])],
        # An SFT row's answer is a desired one.
        LABEL: example.teaches,
    }
    if example.tools is not None:
        body["tools"] = example.tools
    return with_id_and_metadata(body, example, KEYS)


def recognises(row: dict[str, Any]) -> bool:
    if type(row.get(KTO_TAG)) is bool:
        return any(format.recognises(row) for format in _ROWS)
    if type(row.get(LABEL)) is not bool or names.has(row, "preference", "chosen"):
        return False
    return any(format.recognises(row) for format in (SHAREGPT, MESSAGES, COMPLETION)) or "query" in row


KTO = Format(name="kto", parse=parse, render=render, recognises=recognises)
