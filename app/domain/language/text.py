"""Texts as the diagnosis compares them: what varies in a prompt, tokens, numbers, scripts.

Knows Unicode and two kinds of scripts (spaced words, and Chinese, Japanese and Korean characters).
Does not know meaning: that is an embedder's.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.domain.language import phrases

SENTENCE_MIN_TOKENS: Final = 8
"""Shorter texts need no full stop."""

TEXT_MAX_CHARACTERS: Final = 4000
"""Longer texts are compared by head and tail: sentence encoders read a few hundred words at most."""

INSTRUCTION_MIN_ROWS: Final = 2
"""One row's own wording is not a task instruction."""


_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
CJK_CHARACTER: Final = f"[{_CJK}]"
WORD_CHARACTER: Final = rf"[^\W_{_CJK}\U00010000-\U0010ffff]"
"""Letters and digits of spaced scripts, of the basic plane."""

_CJK_CHARACTER = re.compile(CJK_CHARACTER)
_LATIN_CHARACTER = re.compile(r"[A-Za-z\u00c0-\u024f]")
_TOKEN = re.compile(rf"[{_CJK}]|\d+(?:[.,]\d+)*|[^\W\d_{_CJK}]+(?:['’][^\W\d_{_CJK}]+)*", re.UNICODE)
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?|\d+(?:\.\d+)?")
_NUMBER_RUN = re.compile(r"[-\d][\d,.]*")
_DIGIT = re.compile(r"\d")
_EDGES = " \t\r\n.,;:!?\"'`´‘’“”。，；：！？、…·*#_~"
_ENGLISH_NEGATION = rf"\b(?:{phrases.one_of('negation', language='en')})\b|n['’]t\b"
_ENGLISH_NEGATIONS = re.compile(_ENGLISH_NEGATION, re.IGNORECASE)
_NEGATIONS = re.compile(
    # 是不是, 可不可以 and 有没有 ask
    rf"({CJK_CHARACTER})[不没]\1|{phrases.one_of('negation', 'idioms')}|"
    rf"({_ENGLISH_NEGATION}|{phrases.one_of('negation', language='zh')})",
    re.IGNORECASE,
)


def clip(text: str, max_characters: int = TEXT_MAX_CHARACTERS) -> str:
    """Head and tail of a text that is longer than ``max_characters``: a question often stands at the end."""
    if len(text) <= max_characters:
        return text
    half = max_characters // 2
    return f"{text[:half]}\n{text[-half:]}"


def normalised(text: str) -> str:
    """NFKC, casefolded, runs of spaces as one, no punctuation at the edges: for exact matching."""
    if text.isascii():  # the same, several times as fast
        if "  " not in text and text.isprintable():
            return text.lower().strip(_EDGES)
        return " ".join(text.lower().split()).strip(_EDGES)
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.split()).strip(_EDGES)


def tokens(text: str) -> tuple[str, ...]:
    """Words and numbers, casefolded; every Chinese, Japanese or Korean character is a token of its own."""
    return tuple(_TOKEN.findall(unicodedata.normalize("NFKC", text).casefold()))


def written_tokens(text: str) -> tuple[str, ...]:
    """The same, as they are written: neither folded nor normalised."""
    return tuple(_TOKEN.findall(text))


def character_ngrams(text: str, n: int) -> frozenset[str]:
    """The set of ``n``-grams of the normalised text; a text shorter than ``n`` is one gram, '' has none."""
    return ngrams(normalised(text), n)


def ngrams(plain: str, n: int) -> frozenset[str]:
    """The same of a text that is normalised already."""
    if len(plain) <= n:
        return frozenset((plain,)) if plain else frozenset()
    return frozenset(plain[i : i + n] for i in range(len(plain) - n + 1))


def numbers(text: str) -> tuple[str, ...]:
    """The numbers in a text in order, thousands separators and trailing zeros gone: '1,200.0' is '1200'."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    found: list[str] = []
    # Looked for where a digit or a sign stands only: several times as fast, and the same.
    for run in _NUMBER_RUN.finditer(plain):
        if run.end() - run.start() > 1 or run[0] != "-":
            found.extend(_NUMBER.findall(plain, *run.span()))
    return tuple(_canonical_number(n) if "," in n or "." in n else n for n in found)


def has_digit(text: str) -> bool:
    return _DIGIT.search(text) is not None


def _canonical_number(number: str) -> str:
    plain = number.replace(",", "")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def negations(text: str) -> int:
    """How many negating words (English, Chinese) a text holds."""
    return len(negating_words(text))


def negating_words(text: str) -> tuple[str, ...]:
    """The negating words (English, Chinese) of a text, in order; 是不是 asks, and 非常 is no negation either."""
    if text.isascii():
        return tuple(_ENGLISH_NEGATIONS.findall(text))
    return tuple(word for _, word in _NEGATIONS.findall(text) if word)


def stable_hash(text: str) -> int:
    """63-bit hash, equal in every process (the built-in one is salted)."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptShares:
    """Shares 0..1 of a text's letters; the rest is other scripts. Both 0 for a text without letters."""

    cjk: float
    latin: float
    letters: int


def script_shares(text: str) -> ScriptShares:
    """What a text is written in; light: counts characters, tells no language of one script from another."""
    sample = clip(text)
    letters = sum(1 for character in sample if character.isalpha())
    if not letters:
        return ScriptShares(cjk=0.0, latin=0.0, letters=0)
    cjk = len(_CJK_CHARACTER.findall(sample)) / letters
    return ScriptShares(
        cjk=min(1.0, cjk), latin=len(_LATIN_CHARACTER.findall(sample)) / letters, letters=letters
    )


def is_chinese(text: str) -> bool:
    """Whether CJK characters carry the text: one of them says about as much as two Latin letters."""
    shares = script_shares(text)
    return 2 * shares.cjk > shares.latin


def focus(prompt: str, instructions: frozenset[str]) -> str:
    """The part of a prompt that varies: the longest known instruction in front is cut off.

    The instruction must be followed by a newline, and what is left may not be empty: else the whole.
    """
    end = prompt.find("\n")
    best = 0
    while end != -1:
        if prompt[:end] in instructions and prompt[end:].strip():
            best = end
        if end > TEXT_MAX_CHARACTERS:
            break
        end = prompt.find("\n", end + 1)
    return prompt[best:].strip() if best else prompt


def instruction_of(prompt: str, instructions: frozenset[str]) -> str:
    """What ``focus`` cuts off; '' where the prompt carries no known instruction."""
    rest = focus(prompt, instructions)
    return prompt[: len(prompt) - len(rest)].strip() if len(rest) < len(prompt) else ""


def most_common_share(shares: Mapping[str, float]) -> tuple[str, float]:
    """The key with the largest share and the share; ('', 0.0) for none. Ties go to the smaller text."""
    if not shares:
        return "", 0.0
    return min(shares.items(), key=lambda item: (-item[1], item[0]))
