"""What a row says of its answer beside the answer: whether it is desired (KTO), and which other one was rejected.

LLaMA-Factory writes ``kto_tag``, TRL and ms-swift ``label``; ms-swift writes ``rejected_response`` and
``rejected_messages`` (the whole conversation again).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from app.domain.formats.errors import RowError
from app.domain.formats.fields import ParsedRow, after_prompt, json_type, parse_turns, plain_turns
from app.domain.records import Role

KTO_TAG, LABEL = "kto_tag", "label"
_REJECTED: Final[dict[str, tuple[str, ...]]] = {
    "alpaca": ("rejected_response", "rejected_messages", "rejected"),
    "sharegpt": ("rejected_response", "rejected_messages", "rejected"),
    "messages": ("rejected_response", "rejected_messages", "rejected"),
    "completion": ("rejected_response", "rejected_messages"),
}
# An Alpaca row's ``label`` is as likely its class.
_LABELLED: Final = ("sharegpt", "messages", "completion")


def split(row: dict[str, Any], format: str, *, label: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """The row without its signs, and the signs. ``label``: a true/false ``label`` is one in any format."""
    signs: dict[str, Any] = {}
    if KTO_TAG in row:
        signs[KTO_TAG] = row[KTO_TAG]
    elif type(row.get(LABEL)) is bool and (label or format in _LABELLED):
        signs[LABEL] = row[LABEL]
    elif label and row.get(LABEL) is not None:
        raise RowError("wrong_type", f"'label' is {json_type(row[LABEL])}; it must be true or false")
    for key in _REJECTED.get(format, ()):
        value = row.get(key)
        if value and (
            type(value) is str or (type(value) is list and all(type(turn) is dict for turn in value))
        ):
            signs[key] = value
            break
    return ({k: v for k, v in row.items() if k not in signs} if signs else row), signs


def applied(parsed: ParsedRow, signs: Mapping[str, Any]) -> ParsedRow:
    """The row with what its signs say. Raises ``RowError`` for a sign that says nothing."""
    for key, value in signs.items():
        if key in (KTO_TAG, LABEL):
            parsed = replace(parsed, desirable=_desirable(key, value))
        elif type(value) is str:
            parsed = replace(parsed, rejected=plain_turns([(Role.ASSISTANT, value)]))
        else:
            turns = parse_turns(value, key)
            parsed = replace(parsed, rejected=after_prompt(parsed.messages[:-1], turns))
    return parsed


def _desirable(key: str, value: object) -> bool | None:
    if value is None or type(value) is bool:
        return value
    raise RowError(
        "wrong_type",
        f"'{key}' is {json_type(value)}; it must be true (a desired answer) or false",
    )
