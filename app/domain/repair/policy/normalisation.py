"""Which normalisations a repair may propose."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import model_serializer, model_validator

from app.domain.section import Section


class NormalisationRule(StrEnum):
    """Each rule's actions carry ``normalise_<rule>`` as their evidence's rule."""

    ENCODING = "encoding"
    CHARACTERS = "characters"
    SPECIAL_TOKENS = "special_tokens"
    WIDTH = "width"
    SPACES = "spaces"
    PUNCTUATION = "punctuation"
    PUNCTUATION_WIDTH = "punctuation_width"
    CHINESE_SPACES = "chinese_spaces"
    QUOTES = "quotes"
    LAYERING = "layering"
    TEMPLATES = "templates"
    ROLES = "roles"
    SYSTEM_PROMPTS = "system_prompts"


class NormalisationPolicy(Section):
    """true: every rule, false: none, or ``{"rules": [...]}``."""

    rules: frozenset[NormalisationRule] = frozenset(NormalisationRule)

    @model_validator(mode="before")
    @classmethod
    def _from_flag(cls, raw: Any) -> Any:
        return ({} if raw else {"rules": ()}) if isinstance(raw, bool) else raw

    @model_serializer
    def _as_flag(self) -> bool | dict[str, list[str]]:
        if not self.rules or self.rules == frozenset(NormalisationRule):
            return bool(self.rules)
        return {"rules": sorted(rule.value for rule in self.rules)}
