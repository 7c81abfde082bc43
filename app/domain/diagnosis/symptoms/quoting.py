"""How the proof of a symptom quotes and lists."""

from __future__ import annotations

_QUOTED_CHARACTERS = 60


def quoted(said: str, limit: int = _QUOTED_CHARACTERS) -> str:
    """A text as a quotation on one line, cut in the middle where it is long. Storable: no lone surrogate."""
    line = " ".join(said[: 4 * limit].split() if len(said) <= 4 * limit else _ends(said, limit).split())
    if len(line) > limit:
        line = f"{line[: limit - limit // 3]}…{line[-(limit // 3) :]}"
    return f"'{line.encode('utf-8', 'replace').decode()}'"


def _ends(said: str, limit: int) -> str:
    return f"{said[: 2 * limit]} {said[-2 * limit :]}"


def listed(items: list[str] | tuple[str, ...], shown: int = 5) -> str:
    """'a, b and 3 more'."""
    head = ", ".join(items[:shown])
    rest = len(items) - shown
    return f"{head} and {rest} more" if rest > 0 else head
