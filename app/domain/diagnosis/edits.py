"""How much of a text's content was changed to make another: the same question with other names, or another
question about the same passage?

Both share nearly all of their characters; what differs tells them apart.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein

from app.domain import text, thresholds


def content_change(left: Sequence[str], right: Sequence[str]) -> float:
    """Share 0..1 of the longer text's words that were put in, taken out or replaced.

    Of two texts as ``words``. A name that another name replaces throughout is no change of content.
    """
    if not left or not right:
        return 0.0 if len(left) == len(right) else 1.0
    names: dict[str, str] = {}
    changed = 0
    for step in Levenshtein.opcodes(left, right):
        if step.tag == "equal":
            continue
        old, new = left[step.src_start : step.src_end], right[step.dest_start : step.dest_end]
        if len(old) == len(new) and all(_renames(names, x, y) for x, y in zip(old, new, strict=True)):
            continue
        changed += max(len(old), len(new))
    return min(1.0, changed / max(len(left), len(right)))


def words(of: str) -> tuple[str, ...]:
    """Words as they are written, since a capital marks a name; spaces and punctuation are no content."""
    found = text.written_tokens(unicodedata.normalize("NFKC", text.clip(of)))
    half = thresholds.EDIT_MAX_TOKENS // 2
    return found if len(found) <= 2 * half else found[:half] + found[-half:]


def _renames(names: dict[str, str], old: str, new: str) -> bool:
    if not (old[0].isupper() and new[0].isupper()):
        return False
    return names.setdefault(old, new) == new
