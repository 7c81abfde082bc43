"""What a text is written in: the script of each letter, and the language of a Latin text where that is sure.

Knows Unicode blocks and stop words. Does not guess: a short text, or one whose stop words fit two
languages, has no language.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import numpy as np
from jaxtyping import UInt8, UInt32
from numpy import ndarray

from app.domain.language import text

_KANA_SHARE: Final = 0.1
"""Share of kana among the letters from which a text is Japanese; a brand name in Chinese text stays below."""

_LATIN_MIN_WORDS: Final = 6
_LATIN_STOP_WORD_SHARE: Final = 0.2
"""Running text of any of the seven languages has a third of such words; a list of names has none."""

_LATIN_LEAD: Final = 2.0
_LATIN_DIFFERENT_WORDS: Final = 3

OTHER: Final = "Other"
_BLOCKS: Final = (
    ("Latin", ((0x41, 0x5A), (0x61, 0x7A), (0xC0, 0x24F), (0x1E00, 0x1EFF), (0xFF21, 0xFF5A))),
    ("Han", ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3134F))),
    ("Kana", ((0x3041, 0x309F), (0x30A1, 0x30FA), (0x30FC, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9D))),
    ("Hangul", ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7AF))),
    ("Cyrillic", ((0x400, 0x52F), (0x1C80, 0x1C8F), (0x2DE0, 0x2DFF))),
    ("Greek", ((0x370, 0x3FF), (0x1F00, 0x1FFF))),
    ("Arabic", ((0x620, 0x64A), (0x66E, 0x6D3), (0x750, 0x77F), (0xFB50, 0xFDFF), (0xFE70, 0xFEFC))),
    ("Hebrew", ((0x5D0, 0x5F2), (0xFB1D, 0xFB4F))),
    ("Devanagari", ((0x900, 0x965), (0x970, 0x97F))),
    ("Bengali", ((0x980, 0x9FF),)),
    ("Gurmukhi", ((0xA00, 0xA7F),)),
    ("Gujarati", ((0xA80, 0xAFF),)),
    ("Tamil", ((0xB80, 0xBFF),)),
    ("Telugu", ((0xC00, 0xC7F),)),
    ("Kannada", ((0xC80, 0xCFF),)),
    ("Malayalam", ((0xD00, 0xD7F),)),
    ("Thai", ((0xE01, 0xE3A), (0xE40, 0xE4E))),
    ("Lao", ((0xE80, 0xEDF),)),
    ("Myanmar", ((0x1000, 0x109F),)),
    ("Georgian", ((0x10A0, 0x10FF), (0x1C90, 0x1CBF))),
    ("Armenian", ((0x531, 0x587),)),
    ("Ethiopic", ((0x1200, 0x137F),)),
    ("Khmer", ((0x1780, 0x17D3),)),
)
SCRIPTS: Final = tuple(name for name, _ in _BLOCKS)

# Words of one language that are rare in the others. Shared ones ("die", "in", "a", "no") are left out.
_STOP_WORDS: Final[Mapping[str, frozenset[str]]] = {
    "English": frozenset(
        "the and is are was were of to with that this it you your have has for on not be by from at will can "  # noqa: SIM905
        "would which their they he she his her i".split()
    ),
    "French": frozenset(
        "le les des est une dans pour que qui sur avec pas vous nous ce cette sont au aux du et il elle je "  # noqa: SIM905
        "votre plus être ont".split()
    ),
    "German": frozenset(
        "der die das und ist nicht ein eine einen mit auf für von zu den dem sich auch wie sie ich wir werden "  # noqa: SIM905
        "wird ihr ihre bei oder sind".split()
    ),
    "Spanish": frozenset(
        "el los las una que es por para con su como más pero sus al lo está son usted puede muy también del y "  # noqa: SIM905
        "hay fue".split()
    ),
    "Portuguese": frozenset(
        "os as um uma que é não para com por mais dos da do das você seu sua são está pode também ao pelo "  # noqa: SIM905
        "muito em foi".split()
    ),
    "Italian": frozenset(
        "il gli della che è non per una con sono dei del più nel alla anche questo come può suo si di ha "  # noqa: SIM905
        "delle essere".split()
    ),
    "Dutch": frozenset(
        "het een van en is niet dat op te zijn voor met die aan er ook maar bij naar wordt uw je deze kan of "  # noqa: SIM905
        "heeft worden".split()
    ),
}
LATIN_LANGUAGES: Final = tuple(_STOP_WORDS)
_LANGUAGES_OF: Final = {
    word: tuple(language for language, words in _STOP_WORDS.items() if word in words)
    for word in frozenset().union(*_STOP_WORDS.values())
}


def _table() -> UInt8[ndarray, " c"]:
    """For each code point 1 + the index of its script, 0 = no letter of a script that is told apart."""
    table = np.zeros(0x110000, dtype=np.uint8)
    for number, (_, blocks) in enumerate(_BLOCKS, start=1):
        for first, last in blocks:
            table[first : last + 1] = number
    table[[0xD7, 0xF7, 0x37E, 0x387]] = 0  # signs among the letters
    table[0xFF3B:0xFF41] = 0
    return table


_TABLE = _table()


def code_points(of: str) -> UInt32[ndarray, " c"]:
    """The text's code points; half a surrogate pair stays what it is."""
    return np.frombuffer(of.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def letters_by_script(of: str) -> dict[str, int]:
    """How many letters of each script a text holds, of any length; scripts it lacks are left out."""
    counts = np.bincount(_TABLE[code_points(of)], minlength=len(SCRIPTS) + 1)[1:]
    return {name: int(n) for name, n in zip(SCRIPTS, counts, strict=True) if n}


def shares(of: str) -> dict[str, float]:
    """Share 0..1 of the letters by script, largest first; empty for a text without letters."""
    counts = letters_by_script(text.clip(of))
    total = sum(counts.values())
    return {name: n / total for name, n in sorted(counts.items(), key=lambda item: -item[1])}


def letters(of: str) -> int:
    """How many letters of a known script a text holds (its clipped form)."""
    return sum(letters_by_script(text.clip(of)).values())


def writing(of: str) -> str:
    """'Chinese', 'Japanese', 'Korean', a Latin language where it is sure, else the main script's name.

    '' for a text without letters. Kana make Japanese of Han characters; Chinese has none.
    """
    if of.isascii():
        return (latin_language(of) or "Latin") if any(map(str.isalpha, text.clip(of))) else ""
    found = shares(of)
    if not found:
        return ""
    if found.get("Kana", 0.0) > _KANA_SHARE:
        return "Japanese"
    # One Han character says about as much as two Latin letters.
    main = max(found, key=lambda s: found[s] * (2.0 if s == "Han" else 1.0))
    match main:
        case "Han":
            return "Chinese"
        case "Hangul":
            return "Korean"
        case "Latin":
            return latin_language(of) or "Latin"
        case _:
            return main


def latin_language(of: str) -> str | None:
    """The language of a text in Latin letters by its stop words; None where two fit or too few are there."""
    words = [w for w in text.tokens(text.clip(of)) if w[0].isalpha()]
    if len(words) < _LATIN_MIN_WORDS:
        return None
    hits = Counter(language for w in words for language in _LANGUAGES_OF.get(w, ()))
    (first, most), (_, next_) = (*hits.most_common(2), ("", 0), ("", 0))[:2]
    best, second = most / len(words), next_ / len(words)
    different = len({w for w in words if first in _LANGUAGES_OF.get(w, ())})
    sure = best >= _LATIN_STOP_WORD_SHARE and best >= _LATIN_LEAD * second
    return first if sure and different >= _LATIN_DIFFERENT_WORDS else None
