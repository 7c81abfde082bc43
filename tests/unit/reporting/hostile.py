"""Puts one text into every text field of a report, whatever the field is called."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import Enum
from typing import TypeVar, cast

from hypothesis import strategies as st
from pydantic import BaseModel

T = TypeVar("T")

FRAGMENTS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "</style></title></script></textarea>",
    "--><!--",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt;",
    "javascript:alert(1)",
    "`` ` ``` ~~~",
    "[link](https://example.com) ![i](x) www.example.com",
    "| a | b |\n| - | - |",
    "\n# heading\n",
    "\n\n<div>\n",
    "=HYPERLINK(1)",
    "\\|",
    "\x00\x1b[31m\u202e\ud800",
    "中文，测试",
    "\r\n\t",
)

hostile_texts = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=12)), max_size=6).map("".join)


def poisoned(value: T, text: str, *, keys: bool = True) -> T:
    """``value`` with ``text`` in place of every string that is not an enum's member; ``keys`` of mappings too.

    Evidence keeps its keys in the second pass of a test: under other keys its texts would not be looked at.
    """
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return cast(T, text)
    if isinstance(value, BaseModel):
        return value.model_copy(update={k: poisoned(v, text, keys=keys) for k, v in value})
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            f.name: poisoned(getattr(value, f.name), text, keys=keys) for f in dataclasses.fields(value)
        }
        return cast(T, type(value)(**fields))
    if isinstance(value, Mapping):
        return cast(
            T, {poisoned(k, text) if keys else k: poisoned(v, text, keys=keys) for k, v in value.items()}
        )
    if isinstance(value, (tuple, list)):
        return cast(T, type(value)(poisoned(item, text, keys=keys) for item in value))
    return value
