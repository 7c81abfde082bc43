"""Tokens that chat templates write and data never should: a model would learn to say them."""

from __future__ import annotations

import re

from app.domain.repair.rewriting.normalisation.text_rule import TextRule

TOKENS = re.compile(
    r"<\|(?:im_start|im_end|im_sep|startoftext|endoftext|end_of_text|begin_of_text|eot_id|eom_id|eot|"
    r"start_header_id|end_header_id|fim_prefix|fim_middle|fim_suffix|end|user|assistant|system|"
    r"observation|pad)\|>"
    r"|<(?:start_of_turn|end_of_turn|bos|eos|pad)>|<｜[^｜<>]{1,30}｜>|<<SYS>>|<</SYS>>"
)
# These are words of other languages too (HTML's strike-through, a citation): only at a message's edges.
_EDGE_TOKENS = re.compile(r"\A(?:\s*(?:<s>|\[INST\]))+|(?:(?:</s>|\[/INST\])\s*)+\Z")
_ROLE_AFTER_TOKEN = re.compile(
    r"<\|im_start\|>(?:system|user|assistant|tool)\b\n?"
    r"|<\|start_header_id\|>(?:system|user|assistant|tool)<\|end_header_id\|>\n{0,2}"
)


def _special_tokens(text: str) -> tuple[str, int]:
    without_roles, roles = _ROLE_AFTER_TOKEN.subn("", text)
    cleaned, tokens = TOKENS.subn("", without_roles)
    return cleaned, roles + tokens


def _edge_tokens(text: str) -> tuple[str, int]:
    # A pair of tags inside a text is HTML's strike-through.
    if "<s>" in text and "</s>" in text.rstrip().removesuffix("</s>"):
        return text, 0
    return _EDGE_TOKENS.subn("", text)


RULE = TextRule(
    name="special_tokens",
    trigger=re.compile(r"<[|｜/<sbep]|\[/?INST\]"),
    steps=(("special tokens removed", _special_tokens),),
    edge_steps=(("special tokens removed", _edge_tokens),),
)
