"""Function words of English and Chinese (as bigrams): they name no topic."""

from __future__ import annotations

from typing import Final

from app.domain.language import phrases

STOP_WORDS: Final = frozenset(phrases.listed("stop_words"))
