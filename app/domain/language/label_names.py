"""What the name of a label says: its words, and whether two names are the same words.

Knows how names are written (PlaySong, play_song, play-song). Does not know the rows.
"""

from __future__ import annotations

import re

from app.domain.language import phrases

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATORS = re.compile(r"(?<=[^\W_])[\s_./:|-]+(?=[^\W_])")
"""What sets the words of a name apart and means nothing; at an end it does: C, C++ and C# are three names, A and A-
two."""

_DIRECTED = frozenset(phrases.listed("stop_words", "directed"))
"""Words that make the order of the others matter: USD_to_EUR is another name than EUR_to_USD."""


def spoken(label: str) -> str:
    """A label's name as words: 'PlaySong', 'play_song' -> 'play song'."""
    return re.sub(r"[\W_]+", " ", _HUMP.sub(" ", label)).strip().casefold()


def same_words(one: str, other: str) -> bool:
    """Whether two names are the same words in any order, however these are set apart."""
    return bool(readings(one) & readings(other))


def readings(name: str) -> set[tuple[str, ...]]:
    """The words of a name in one order, unless one of them makes the order matter, and as one word, unless that would
    join numbers; none where it has no letter."""
    words = _SEPARATORS.sub(" ", _HUMP.sub(" ", name)).casefold().split()
    if not re.search(r"[^\W\d_]", name):
        return set()
    ordered = tuple(words) if _DIRECTED.intersection(words) else tuple(sorted(words))
    return {ordered} if re.search(r"\d", name) else {ordered, ("".join(words),)}
