"""The rules that follow what most of a set does. One file, one line each."""

from __future__ import annotations

from app.domain.repair.policy.normalisation import NormalisationRule
from app.domain.repair.rewriting.normalisation import (
    chinese_spaces,
    layering,
    punctuation_width,
    quotes,
    roles,
    system_prompts,
    templates,
)
from app.domain.repair.rewriting.normalisation.set_rule import SetRule

SET_RULES: tuple[tuple[NormalisationRule, SetRule], ...] = (
    (NormalisationRule.PUNCTUATION_WIDTH, punctuation_width.find),
    (NormalisationRule.CHINESE_SPACES, chinese_spaces.find),
    (NormalisationRule.QUOTES, quotes.find),
    (NormalisationRule.LAYERING, layering.find),
    (NormalisationRule.TEMPLATES, templates.find),
    (NormalisationRule.ROLES, roles.find),
    (NormalisationRule.SYSTEM_PROMPTS, system_prompts.find),
)
