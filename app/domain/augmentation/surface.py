"""Answer-preserving surface variants: letter case, final punctuation, politeness. English and Chinese.

Refuses prompts that hold code or quoted text: there a letter's case or a full stop may be the question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from app.domain.language import phrases, text

_CODE = re.compile(
    r"```|`[^`\n]+`|[{};]\s*$|^\s*(?:def|class|import|SELECT|function|#include)\b|</?\w+>", re.M
)
_QUOTED = re.compile(r"[\"“”「」『』《》]|(?<!\w)'[^'\n]{2,}'(?!\w)")

_FRONT: Mapping[str, Sequence[str]] = phrases.document("politeness")["front"]
_BEHIND: Mapping[str, Sequence[str]] = phrases.document("politeness")["behind"]


def holds_code(prompt: str) -> bool:
    """Whether a prompt holds code, markup or quotations, whose surface must not change."""
    return bool(_CODE.search(prompt) or _QUOTED.search(prompt))


def surface_variants(prompt: str, count: int, rng: np.random.Generator) -> tuple[str, ...]:
    """Up to ``count`` different rewritings of a one-line prompt that ask the same; () where none is safe."""
    plain = prompt.strip()
    if not plain or "\n" in plain or holds_code(plain):
        return ()
    ends = plain[-1] in ".!?。！？"
    core = plain.rstrip(".!?。！？ ")
    if not core:
        return ()
    if text.is_chinese(plain):
        question = plain[-1] in "?？"
        made = [f"{prefix}{plain}" for prefix in _FRONT["zh"]]
        made += [f"{core}{suffix}" for suffix in _BEHIND["zh"] if not question]
        made.append(core if ends else f"{plain}。")
    else:
        lowered = core[0].lower() + core[1:] if not core[:2].isupper() else core
        final = plain[len(core) :].strip()
        made = [f"{prefix}{lowered}{final}" for prefix in _FRONT["en"]]
        made += [f"{core}{suffix}{final}" for suffix in _BEHIND["en"]]
        made += [plain.lower(), core[0].upper() + plain[1:], core if ends else f"{plain}."]
    different = [variant for variant in dict.fromkeys(made) if variant != plain]
    order = rng.permutation(len(different)).tolist()
    return tuple(different[i] for i in order[:count])
