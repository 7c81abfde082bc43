"""A user's text inside Markdown: escaped, or in code that it cannot close."""

from __future__ import annotations

import re

from app.reporting.report_html import one_line, visible

MAX_TEXT_CHARACTERS = 2_000

# What is markup anywhere; what is markup at the start of a line; what makes a bare address a link.
_SPECIAL = re.compile(r"([\\`*_\[\]|~<>&$@])")
_LINE_START = re.compile(r"^(\d*)([-+#=:.)])(?!\d)")
_ADDRESS = re.compile(r"(:(?=//)|(?<=www)\.)", re.IGNORECASE)


def escaped(text: str, limit: int = 600) -> str:
    """A user's text on one line in which nothing is markup."""
    line = _SPECIAL.sub(r"\\\1", one_line(text, limit))
    line = _LINE_START.sub(r"\1\\\2", line)
    return _ADDRESS.sub(r"\\\1", line)


def code(text: str, limit: int = 160) -> str:
    """A user's text on one line as a code span that it cannot close."""
    line = one_line(text, limit)
    if not line:
        return "(empty)"
    ticks = "`" * (_longest_backticks(line) + 1)
    padding = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{padding}{line}{padding}{ticks}"


def cell(text: str, limit: int = 160) -> str:
    """A user's text in a table: as code, unless a pipe in it would end the cell, which code cannot escape."""
    return escaped(text, limit) if "|" in one_line(text, limit) else code(text, limit)


def fenced(text: str) -> str:
    """A user's text as a fenced block that it cannot close; a long one is cut and says so."""
    shown = visible(text[:MAX_TEXT_CHARACTERS])
    if len(text) > MAX_TEXT_CHARACTERS:
        shown += f"\n… {len(text) - MAX_TEXT_CHARACTERS:,} more characters"
    fence = "`" * max(3, _longest_backticks(shown) + 1)
    return f"{fence}text\n{shown}\n{fence}"


def _longest_backticks(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
