"""Text from outside inside a prompt, so that it stays data."""

from __future__ import annotations

import re

_BACKTICKS = re.compile(r"`+")


def fenced(content: str) -> str:
    """The text between fences longer than any run of backticks in it, so that it cannot end its fence."""
    longest = max((len(run) for run in _BACKTICKS.findall(content)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{content}\n{fence}"
