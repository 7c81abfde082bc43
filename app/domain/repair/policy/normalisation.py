"""Which normalisations a repair may propose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.domain.repair.policy.fields import check_fields, choice, names


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


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalisationPolicy:
    """``rules`` in no order; none = rows stay as they are written."""

    rules: frozenset[NormalisationRule] = frozenset(NormalisationRule)

    @classmethod
    def from_raw(cls, raw: object) -> NormalisationPolicy:
        """true = every rule, false = none, or ``{"rules": [...]}``; a ValueError says how to fix it."""
        if isinstance(raw, bool):
            return cls() if raw else cls(rules=frozenset())
        if not isinstance(raw, Mapping):
            raise ValueError(f'policy.normalise is {raw!r}; give true or false, or {{"rules": [...]}}')
        check_fields(raw, ("rules",), "policy.normalise")
        rules = raw.get("rules", list(NormalisationRule))
        if not isinstance(rules, list | tuple):
            raise ValueError(
                f"policy.normalise.rules is {rules!r}; give a list of {names(NormalisationRule)}"
            )
        return cls(rules=frozenset(choice(NormalisationRule, rule, "normalise.rules") for rule in rules))

    def as_raw(self) -> bool | dict[str, Any]:
        if not self.rules or self.rules == frozenset(NormalisationRule):
            return bool(self.rules)
        return {"rules": sorted(rule.value for rule in self.rules)}
