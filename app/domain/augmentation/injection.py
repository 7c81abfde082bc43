"""Texts that give a language model orders where it was given them as data (prompt injection, OWASP LLM01)."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from app.domain.language import phrases

_TOPIC: Final = "commands_to_models"


def commands_a_model(text: str) -> bool:
    """Whether ``text`` holds an order to a model, such as to ignore its instructions; English and Chinese."""
    return bool(_orders().search(text) or phrases.pattern(_TOPIC, "marks").search(text))


@cache
def _orders() -> re.Pattern[str]:
    def words(table: str, language: str) -> str:
        return phrases.one_of(_TOPIC, table, language)

    english = (
        rf"\b(?:{words('verbs', 'en')})\b\W+(?:\w+\W+){{0,4}}?"
        rf"(?:{words('scope', 'en')})\b\W+(?:\w+\W+){{0,3}}?(?:{words('orders', 'en')})\b"
        rf"|\b(?:{words('verbs', 'en')})\b\W+(?:everything above|everything before)\b"
    )
    chinese = (
        rf"(?:{words('verbs', 'zh')})[^。！？，；\n]{{0,8}}?(?:{words('scope', 'zh')})"
        rf"[^。！？，；\n]{{0,6}}?(?:{words('orders', 'zh')})"
    )
    return re.compile(f"{english}|{chinese}", re.IGNORECASE)
