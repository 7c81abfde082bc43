"""Format normalisation: what a tokenizer sees differently though a reader does not.

Knows Unicode composition, control characters, line ends, trailing spaces and the special tokens of chat
templates. Refuses to touch code: fenced blocks and inline code stay byte for byte.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app.domain.records import Message, TrainingExample

_CODE = re.compile(r"(```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]+`)", re.DOTALL)

# C0 and C1 controls except tab and newlines; zero-width space, word joiner, BOM. The zero-width joiners
# stay: emoji and several scripts are spelled with them.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2060\ufeff]")

# Tokens that chat templates write and data never should.
_SPECIAL_TOKENS = re.compile(
    r"<\|(?:im_start|im_end|im_sep|endoftext|end_of_text|begin_of_text|eot_id|eom_id|start_header_id|"
    r"end_header_id|fim_prefix|fim_middle|fim_suffix|end|user|assistant|system|observation|pad)\|>"
    r"|<(?:start_of_turn|end_of_turn|bos|eos|pad)>|<｜[^｜<>]{1,30}｜>|<<SYS>>|<</SYS>>"
)
# These are words of other languages too (HTML's strike-through, a citation): only at a message's edges.
_EDGE_TOKENS = re.compile(r"\A(?:\s*(?:<s>|\[INST\]))+|(?:(?:</s>|\[/INST\])\s*)+\Z")
_ROLE_AFTER_TOKEN = re.compile(r"<\|im_start\|>(?:system|user|assistant|tool)\b\n?")
_TRAILING_SPACES = re.compile(r"[ \t\u00a0\u3000]+(?=\n)")
_BLANKS = " \t\u00a0\u3000"
_MAX_ROUNDS = 5

# Text in, text and number of changes out.
_Step = Callable[[str], tuple[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalisation:
    """A row's cleaned turns and what was done to them, with counts: "special tokens removed (2)"."""

    messages: tuple[Message, ...]
    rejected: tuple[Message, ...]
    changes: tuple[str, ...]


def normalise_example(example: TrainingExample) -> Normalisation | None:
    """The cleaned turns, or None where there is nothing to clean. No message is ever emptied."""
    done: Counter[str] = Counter()
    messages = tuple(_normalise_message(m, done) for m in example.messages)
    rejected = tuple(_normalise_message(m, done) for m in example.rejected)
    if not done:
        return None
    changes = tuple(f"{name} ({count})" if count > 1 else name for name, count in sorted(done.items()))
    return Normalisation(messages=messages, rejected=rejected, changes=changes)


def normalise_text(text: str) -> str:
    """The text as it should stand in a training row."""
    return _normalise(text, Counter())


def _normalise_message(message: Message, done: Counter[str]) -> Message:
    trial: Counter[str] = Counter()
    cleaned = _normalise(message.content, trial)
    if cleaned == message.content or (not cleaned.strip() and message.content.strip()):
        return message
    done.update(trial)
    return replace(message, content=cleaned)


def _normalise(text: str, done: Counter[str]) -> str:
    if text.isascii() and text.isprintable() and "<" not in text and "[" not in text and text == text.strip():
        return text
    # What one round takes away may bring a token or a space to an edge: two rounds do for real texts.
    for _ in range(_MAX_ROUNDS):
        # Odd pieces are code (the pattern is one group).
        pieces = _CODE.split(text)
        open_fence = len(pieces) > 1 and not pieces[-1] and not pieces[-2].endswith(("`", "~"))
        pieces[::2] = [_in_turn(_STEPS, piece, done) for piece in pieces[::2]]
        cleaned = "".join(pieces)
        if not open_fence:
            cleaned = _in_turn(_EDGE_STEPS, cleaned, done)
        if cleaned == text:
            break
        text = cleaned
    return text


def _in_turn(steps: Sequence[tuple[str, _Step]], text: str, done: Counter[str]) -> str:
    for name, step in steps:
        cleaned, count = step(text)
        if cleaned != text:
            done[name] += count
        text = cleaned
    return text


def _compose(text: str) -> tuple[str, int]:
    return unicodedata.normalize("NFC", text), 1


def _line_ends(text: str) -> tuple[str, int]:
    return text.replace("\r\n", "\n").replace("\r", "\n"), text.count("\r")


def _controls(text: str) -> tuple[str, int]:
    return _CONTROLS.subn("", text)


def _special_tokens(text: str) -> tuple[str, int]:
    without_roles, roles = _ROLE_AFTER_TOKEN.subn("", text)
    cleaned, tokens = _SPECIAL_TOKENS.subn("", without_roles)
    return cleaned, roles + tokens


def _edge_tokens(text: str) -> tuple[str, int]:
    # A pair of tags inside a text is HTML's strike-through.
    if "<s>" in text and "</s>" in text.rstrip().removesuffix("</s>"):
        return text, 0
    return _EDGE_TOKENS.subn("", text)


def _trailing_spaces(text: str) -> tuple[str, int]:
    removed = 0

    def shorten(match: re.Match[str]) -> str:
        nonlocal removed
        # Exactly two spaces in front of a line are Markdown's hard line break.
        if match.group() == "  ":
            return "  "
        removed += 1
        return ""

    return _TRAILING_SPACES.sub(shorten, text), max(removed, 1)


def _edges(text: str) -> tuple[str, int]:
    # The first line's indentation may be code; in a text of one line it is a slip.
    stripped = text.rstrip("\n" + _BLANKS).lstrip("\n")
    return stripped if "\n" in stripped else stripped.lstrip(_BLANKS), 1


_STEPS: tuple[tuple[str, _Step], ...] = (
    ("line ends unified", _line_ends),
    ("control characters removed", _controls),
    ("special tokens removed", _special_tokens),
    ("trailing spaces removed", _trailing_spaces),
    ("Unicode composed (NFC)", _compose),
)

# On the whole message, unless it ends inside an open code block.
_EDGE_STEPS: tuple[tuple[str, _Step], ...] = (
    ("special tokens removed", _edge_tokens),
    ("spaces at the edges removed", _edges),
)
