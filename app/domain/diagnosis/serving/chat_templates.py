"""Chat templates as they look in a rendered prompt: which family the role markers are of, which special tokens.

Knows the marks of the common families. Does not render: that is a tokenizer's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from app.domain.language import text


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """``marks``: any of them is enough. ``answer``: what the text ends with where the answer begins."""

    name: str
    marks: re.Pattern[str]
    answer: re.Pattern[str]


def _family(name: str, marks: str, answer: str) -> Family:
    return Family(
        name=name,
        marks=re.compile(marks, re.MULTILINE | re.IGNORECASE),
        answer=re.compile(rf"(?:{answer})\s*\Z", re.IGNORECASE),
    )


# The telling ones first: '<|user|>' stands in several, '### Response' in one.
FAMILIES: Final = (
    _family(
        "ChatML", r"<\|im_start\|>|<\|im_end\|>", r"<\|im_start\|>assistant(?:\s*<think>\s*(?:</think>)?)?"
    ),
    _family(
        "Llama 3",
        r"<\|start_header_id\|>|<\|eot_id\|>",
        r"<\|start_header_id\|>assistant<\|end_header_id\|>",
    ),
    _family("Gemma", r"<start_of_turn>|<end_of_turn>", r"<start_of_turn>model"),
    _family("Llama 2 or Mistral", r"\[/?INST\]|<</?SYS>>", r"\[/INST\]"),
    _family("DeepSeek", r"<｜(?:User|Assistant)｜>", r"<｜Assistant｜>(?:\s*<think>)?"),
    _family(
        "Harmony", r"<\|start\|>\w+|<\|channel\|>", r"<\|start\|>assistant(?:<\|channel\|>\w+<\|message\|>)?"
    ),
    _family("Command R", r"<\|START_OF_TURN_TOKEN\|>", r"<\|CHATBOT_TOKEN\|>"),
    _family("Phi or Zephyr", r"<\|(?:system|user|assistant)\|>", r"<\|assistant\|>"),
    _family("Alpaca", r"^#{2,3} ?(?:Instruction|Response|Input)\b", r"#{2,3} ?Response:?"),
    _family("Human and Assistant", r"^(?:#{2,3} ?)?(?:Human|H):", r"(?:#{2,3} ?)?(?:Assistant|A):"),
    _family("Vicuna", r"^(?:.*\s)?USER:\s|^ASSISTANT:|\sASSISTANT:\s*$", r"(?:ASSISTANT|Assistant):"),
    _family("question and answer", r"^(?:Question|Q|问题|问)[:：]", r"(?:Answer|A|答案|答)[:：]"),
)
# Cheap test that a text may hold any of the marks or special tokens.
_HINTS: Final = (
    "<|",
    "<｜",
    "[INST",
    "[/INST",
    "_of_turn>",
    "##",
    "SYS>>",
    "</s>",
    "<s>",
    "<bos>",
    "<eos>",
    "[gMASK]",
)
SPECIAL: Final = re.compile(
    r"<\|[A-Za-z_][\w/ -]{0,40}\|>|<｜[\w▁ ]{1,40}｜>|</?s>|<(?:bos|eos|pad|unk)>|\[/?INST\]|<</?SYS>>"
    r"|</?(?:start|end)_of_turn>|\[(?:PAD|UNK|CLS|SEP|MASK|gMASK)\]|<\|?endoftext\|?>"
)
_BEGINNINGS: Final = r"(?:<s>|<bos>|<\|begin_of_text\|>|<\|startoftext\|>|<｜begin▁of▁sentence｜>)"
_DOUBLE_BEGINNING: Final = re.compile(rf"\A\s*({_BEGINNINGS})\s*({_BEGINNINGS})")


def family_of(rendered: str) -> Family | None:
    """The template that the role markers are of; None where there are none."""
    clipped = text.clip(rendered)
    return next((f for f in FAMILIES if f.marks.search(clipped)), None)


def named(name: str | None) -> Family | None:
    return next((f for f in FAMILIES if f.name == name), None)


def may_hold_marks(said: str) -> bool:
    return any(hint in said for hint in _HINTS)


def special_tokens(said: str) -> frozenset[str]:
    """The special tokens that are spelt out in a text, casefolded."""
    if not may_hold_marks(said) and "[" not in said and "<" not in said:
        return frozenset()
    return frozenset(t.casefold() for t in SPECIAL.findall(said))


def double_beginning(rendered: str) -> str | None:
    """'<s><s>' where a text begins with two beginning-of-text tokens."""
    found = _DOUBLE_BEGINNING.match(rendered)
    return found.group(1) + found.group(2) if found else None


def opens_answer(rendered: str, family: Family) -> bool:
    """Whether the text ends where the assistant's answer begins."""
    return family.answer.search(rendered[-200:]) is not None
