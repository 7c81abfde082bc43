"""Bytes of any encoding as UTF-8: named by the sender, or told by a byte order mark or by NUL bytes.

What is neither is taken for UTF-8; ``likely`` names what a row that is not UTF-8 may be, and is never believed.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Final

from app.domain.formats.inflate import UploadError, peek

_BOMS: Final = (  # UTF-32 first: its mark begins as that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UTF8: Final = ("utf-8", "utf_8", "utf8", "utf-8-sig", "ascii", "us-ascii")
_BAD: Final = "casemend-bad-bytes"
_SHOWN_CHARACTERS: Final = 12


def known(name: str) -> bool:
    """Whether ``name`` is an encoding of text that can be read."""
    try:
        "a".encode(name)
    except (LookupError, ValueError):
        return False
    return True


def as_utf8(chunks: Iterable[bytes], encoding: str | None) -> Iterator[bytes]:
    """The text in UTF-8. Bytes that ``encoding`` has no character for become bytes that are not UTF-8, so that they
    cost their row and no other."""
    start, stream = peek(chunks, 4)
    found = None
    if encoding is None or codecs.lookup(encoding).name.startswith(("utf-16", "utf-32")):
        found = next(((mark, name) for mark, name in _BOMS if start.startswith(mark)), None)
    if found is not None:
        mark, name = found
        return _transcoded(chain([next(stream)[len(mark) :]], stream), name)
    if encoding is None:
        encoding = _by_nul_bytes(start)
    return stream if encoding is None or encoding.lower() in _UTF8 else _transcoded(stream, encoding)


def likely(piece: bytes) -> str:
    """What a text that is not UTF-8 may be, as the end of a sentence: encodings with what they would read."""
    readings = [
        (name, text) for name, fits in _CANDIDATES if (text := _reading(piece, name, fits)) is not None
    ]
    if not readings:
        return "save the file as UTF-8, or name its encoding with ?encoding="
    shown = " or ".join(f"{name} ({_excerpt(text)!r})" for name, text in readings[:3])
    return f"it reads as {shown}; send it again with ?encoding={readings[0][0]}, or save the file as UTF-8"


def _by_nul_bytes(start: bytes) -> str | None:
    """UTF-16 and UTF-32 without a mark: rows begin with an ASCII character, the rest of its bytes are 0."""
    match [byte == 0 for byte in start]:
        case [False, True, True, True]:
            return "utf-32-le"
        case [True, True, True, False]:
            return "utf-32-be"
        case [False, True, *_]:
            return "utf-16-le"
        case [True, False, *_]:
            return "utf-16-be"
        case _:
            return None


def _transcoded(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(_BAD)
    try:
        for chunk in chunks:
            if text := decoder.decode(chunk):
                yield text.encode("utf-8", "surrogatepass")
        if text := decoder.decode(b"", final=True):
            yield text.encode("utf-8", "surrogatepass")
    except UnicodeError as error:
        raise UploadError(
            "bad_encoding", f"the upload cannot be read as {encoding}: {error}; name another encoding"
        ) from error


def _marked(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end  # half a surrogate pair: no UTF-8


codecs.register_error(_BAD, _marked)


def _reading(piece: bytes, encoding: str, fits: Callable[[str], bool]) -> str | None:
    try:
        text = piece.decode(encoding)
    except UnicodeDecodeError:
        return None
    beyond = [c for c in text if not c.isascii()]
    if encoding == "cp1252" and re.search(r"[^\x00-\x7f]{4}", text):
        return None  # an accented letter seldom stands beside another: no language of Latin script
    return text if beyond and sum(map(fits, beyond)) >= 0.8 * len(beyond) else None


def _excerpt(text: str) -> str:
    at = next(i for i, c in enumerate(text) if not c.isascii())
    return text[at : at + _SHOWN_CHARACTERS]


def _lead_byte_in(encoding: str, first: int, last: int) -> Callable[[str], bool]:
    """Whether a character is one of the frequent ones, which the standards of Chinese list first; or a sign."""

    def fits(character: str) -> bool:
        try:
            code = character.encode(encoding)
        except UnicodeEncodeError:
            return False
        return len(code) == 2 and (first <= code[0] <= last or code[0] in (0xA1, 0xA3))

    return fits


def _between(*ranges: tuple[str, str]) -> Callable[[str], bool]:
    return lambda character: any(first <= character <= last for first, last in ranges)


_CANDIDATES: Final[tuple[tuple[str, Callable[[str], bool]], ...]] = (
    ("gb18030", _lead_byte_in("gb2312", 0xB0, 0xD7)),
    ("big5", _lead_byte_in("big5", 0xA4, 0xC6)),
    ("shift_jis", _between(("\u3000", "\u30ff"), ("\u4e00", "\u9fff"))),
    ("euc_kr", _between(("\uac00", "\ud7a3"), ("\u3000", "\u303f"))),
    ("cp1252", _between(("\u00a0", "\u00ff"), ("\u2010", "\u20ac"))),
)
