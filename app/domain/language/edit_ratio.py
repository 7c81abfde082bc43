"""How much of a text's content was changed to make another: the same question with other names, or another
question about the same passage?

Both share nearly all of their characters; what differs tells them apart.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Final

from rapidfuzz.distance import Levenshtein

from app.domain.language import text

_EDIT_MAX_TOKENS: Final = 400


def content_change(left: Sequence[str], right: Sequence[str]) -> float:
    """Share 0..1 of the longer text's words that were put in, taken out or replaced.

    Of two texts as ``words``. A name that another name replaces throughout is no change of content; one that
    stands where it stood in other places is ("Alice has the ball", of a text about Alice and Claire).
    """
    if not left or not right:
        return 0.0 if len(left) == len(right) else 1.0
    changed = 0
    renamed: list[list[tuple[str, str]]] = []
    for step in Levenshtein.opcodes(left, right):
        if step.tag == "equal":
            continue
        old, new = left[step.src_start : step.src_end], right[step.dest_start : step.dest_end]
        if len(old) == len(new) and all(
            x[0].isupper() and y[0].isupper() for x, y in zip(old, new, strict=True)
        ):
            renamed.append(list(zip(old, new, strict=True)))
        else:
            changed += max(len(old), len(new))
    times = Counter(itertools.chain.from_iterable(renamed))
    throughout = {(x, y) for (x, y), count in times.items() if left.count(x) == right.count(y) == count}
    changed += sum(len(names) for names in renamed if not throughout.issuperset(names))
    return min(1.0, changed / max(len(left), len(right)))


def words(of: str) -> tuple[str, ...]:
    """Words as they are written, since a capital marks a name; spaces and punctuation are no content."""
    found = text.written_tokens(unicodedata.normalize("NFKC", text.clip(of)))
    half = _EDIT_MAX_TOKENS // 2
    return found if len(found) <= 2 * half else found[:half] + found[-half:]
