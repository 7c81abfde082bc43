"""Siblings of the small inputs that ``bench.faults`` reads from a folder: the same kinds, other fields and languages.

Each module is a kind and says what a user must see.
"""

from __future__ import annotations

from bench.fault_siblings import (
    encodings,
    exact_prompt,
    files,
    instruction,
    kto,
    legacy,
    lists,
    placeholders,
    reasoning,
    same_words,
    symptoms,
    tool_calls,
    two_groups,
    two_questions,
    variants,
    verbatim,
)
from bench.fault_siblings.trial import Trial

MODULES = (
    tool_calls,
    same_words,
    exact_prompt,
    kto,
    lists,
    verbatim,
    reasoning,
    instruction,
    placeholders,
    legacy,
    variants,
    encodings,
    files,
    symptoms,
    two_questions,
    two_groups,
)
SIBLINGS: tuple[Trial, ...] = tuple(t for module in MODULES for t in module.TRIALS)
