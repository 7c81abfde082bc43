"""Which format a file is in, by its first rows. Looks at keys and types, never at texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from app.domain.formats.alpaca import ALPACA
from app.domain.formats.completion import COMPLETION
from app.domain.formats.fields import Format
from app.domain.formats.kto import KTO
from app.domain.formats.messages import MESSAGES
from app.domain.formats.preference import DPO, PREFERENCE
from app.domain.formats.sharegpt import SHAREGPT

FORMATS: tuple[Format, ...] = (KTO, ALPACA, SHAREGPT, MESSAGES, PREFERENCE, COMPLETION, DPO)
"""Every format of rows, the most telling first: a KTO row is one of another format with a sign. A new one is a file,
its place here, and its names for keys in ``names.toml``."""

_KEYS_SHOWN = 12


class DetectionError(Exception):
    """The first rows fit no known format."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code = "unknown_format"
        self.message = message


def detect_format(first_rows: Sequence[dict[str, Any]]) -> Format:
    """The format that recognises most of ``first_rows``; the more telling one on a tie."""
    if not first_rows:
        raise DetectionError("the upload holds no JSON object; send one row per line, or an array of rows")
    votes = Counter(f.name for f in FORMATS for row in first_rows if f.recognises(row))
    best = max(FORMATS, key=lambda f: votes[f.name])
    if votes[best.name] == 0:
        seen = Counter(str(key)[:40] for row in first_rows for key in row)
        keys = ", ".join(repr(key) for key, _ in seen.most_common(_KEYS_SHOWN)) or "none"
        raise DetectionError(
            f"no known format has these keys: {keys}; name the format with "
            f"format={'|'.join(f.name for f in FORMATS)}, or rename the keys: the prompt to 'instruction', the "
            "answer to 'output', a list of turns to 'messages'"
        )
    return best
