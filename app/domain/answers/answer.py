"""An answer is everything that the model has to produce: text, reasoning and tool calls.

Reads the ways in which data writes them: OpenAI's ``tool_calls`` and older ``function_call``, ``reasoning_content``,
LLaMA-Factory's ``function_call`` turns, Hermes' and Qwen's ``<tool_call>`` tags, a call as bare JSON, ``<think>``
blocks. Does not know rows and cases.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

FUNCTION_CALL_ROLE: Final = "function_call"
REASONING_KEYS: Final = ("reasoning_content", "reasoning", "thinking")
"""Keys of a turn that hold its reasoning (DeepSeek, Qwen and vLLM; OpenRouter; Ollama)."""

_OPEN, _CLOSE = "<think>", "</think>"
_TAGGED_CALL = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>", re.S)
_CALL_KEYS = frozenset({"name", "arguments", "parameters", "id", "type", "index"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """``arguments`` decoded where they are JSON; else the text as it came (``well_formed`` False)."""

    name: str
    arguments: Any
    well_formed: bool = True

    def as_text(self) -> str:
        """Canonical JSON: the name, then the arguments with sorted keys. Equal calls give equal texts."""
        arguments = json.dumps(self.arguments, ensure_ascii=False, sort_keys=True)
        return f'{{"name": {json.dumps(self.name, ensure_ascii=False)}, "arguments": {arguments}}}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``text`` is what is said, without reasoning and calls. ``reasoning``: None = no block, "" = an empty one;
    ``reasoning_closed`` is False where the answer ends inside its reasoning."""

    text: str
    reasoning: str | None = None
    reasoning_closed: bool = True
    tool_calls: tuple[ToolCall, ...] = ()

    @property
    def compared(self) -> str:
        """What comparisons read: the text, then the calls in canonical JSON, a line each; no reasoning."""
        if not self.tool_calls:
            return self.text
        calls = [call.as_text() for call in self.tool_calls]
        return "\n".join([self.text, *calls] if self.text.strip() else calls)

    @property
    def is_empty(self) -> bool:
        """Nothing is said and nothing is called, whatever was thought."""
        return not self.tool_calls and not self.text.strip()


def read_text(written: str) -> Answer:
    """An answer written as one text, as a bad case has it."""
    reasoning, closed, text = _split_reasoning(written)
    calls = _calls_in(text)
    if calls is None:
        return Answer(text=text, reasoning=reasoning, reasoning_closed=closed)
    said, found = calls
    return Answer(text=said, reasoning=reasoning, reasoning_closed=closed, tool_calls=found)


def read_message(role: str, content: str, extra: Mapping[str, Any]) -> Answer:
    """The answer of a turn; ``extra`` is what the turn carries besides role and content."""
    if is_plain(role, content, extra):
        return Answer(text=content)
    written = read_text(content)
    calls = structured_calls(extra)
    if not calls and role == FUNCTION_CALL_ROLE and not written.tool_calls:
        calls = (ToolCall(name="", arguments=content, well_formed=False),)
        written = Answer(text="")
    beside = next((extra[key] for key in REASONING_KEYS if isinstance(extra.get(key), str)), None)
    return Answer(
        text=written.text,
        reasoning=written.reasoning if beside is None else beside,
        reasoning_closed=written.reasoning_closed,
        tool_calls=calls or written.tool_calls,
    )


def compared_message(role: str, content: str, extra: Mapping[str, Any]) -> str:
    """``read_message(...).compared``; a plain text as it is, without an object made of it."""
    return content if is_plain(role, content, extra) else read_message(role, content, extra).compared


def is_plain(role: str, content: str, extra: Mapping[str, Any]) -> bool:
    """Whether a turn is its text and nothing else. Cheap: asked of every row of a million."""
    if extra and (
        "tool_calls" in extra or "function_call" in extra or not extra.keys().isdisjoint(REASONING_KEYS)
    ):
        return False
    if role == FUNCTION_CALL_ROLE or "think>" in content or "<tool_call>" in content:
        return False
    return not content.lstrip()[:1] or content.lstrip()[0] not in "{["


def structured_calls(extra: Mapping[str, Any]) -> tuple[ToolCall, ...]:
    """The calls under ``tool_calls`` or OpenAI's older ``function_call``; what is no call there is none."""
    listed = extra.get("tool_calls")
    if not isinstance(listed, list) or not listed:
        listed = [extra["function_call"]] if isinstance(extra.get("function_call"), dict) else []
    return tuple(call for call in map(_call, listed) if call is not None)


def _call(value: object) -> ToolCall | None:
    """A call in OpenAI's form, ``{"function": {...}}``, or flat."""
    if not isinstance(value, dict):
        return None
    function = value.get("function", value)
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        return None
    arguments = function.get("arguments", function.get("parameters", {}))
    if not isinstance(arguments, str):
        return ToolCall(name=function["name"], arguments={} if arguments is None else arguments)
    try:
        # "" is how a call without arguments is streamed.
        decoded = json.loads(arguments) if arguments.strip() else {}
    except (ValueError, RecursionError):
        return ToolCall(name=function["name"], arguments=arguments, well_formed=False)
    return ToolCall(name=function["name"], arguments=decoded)


def _calls_in(text: str) -> tuple[str, tuple[ToolCall, ...]] | None:
    """The text around the calls and the calls, where all that is tagged or the whole text is calls."""
    if "<tool_call>" in text:
        found = [_bare_calls(body) for body in _TAGGED_CALL.findall(text)]
        calls = tuple(call for each in found for call in each or ())
        if found and all(found):
            return _TAGGED_CALL.sub("", text).strip(), calls
        return None
    calls = _bare_calls(text)
    return ("", calls) if calls else None


def _bare_calls(text: str) -> tuple[ToolCall, ...]:
    """The calls that the whole text is as JSON; () for anything else, other JSON included."""
    stripped = text.strip()
    if stripped[:1] not in ("{", "["):
        return ()
    try:
        value = json.loads(stripped)
    except (ValueError, RecursionError):
        return ()
    if isinstance(value, dict) and isinstance(value.get("tool_calls"), list):
        value = value["tool_calls"]
    elif isinstance(value, dict) and isinstance(value.get("function_call"), dict):
        value = value["function_call"]
    listed = value if isinstance(value, list) else [value]
    if not listed or not all(_is_call(item) for item in listed):
        return ()
    return tuple(call for call in map(_call, listed) if call is not None)


def _is_call(value: object) -> bool:
    """A name and arguments and nothing else: an extracted record may have a name, too."""
    if not isinstance(value, dict):
        return False
    if isinstance(value.get("function"), dict):
        return isinstance(value["function"].get("name"), str) and value.keys() <= {
            "function",
            "id",
            "type",
            "index",
        }
    has_arguments = "arguments" in value or "parameters" in value
    return has_arguments and isinstance(value.get("name"), str) and value.keys() <= _CALL_KEYS


def _split_reasoning(written: str) -> tuple[str | None, bool, str]:
    """Reasoning, whether it is closed, and the rest. A template may write the opening tag into the prompt, so that
    the answer holds only the closing one."""
    if "think>" not in written:
        return None, True, written
    head, opened, rest = written.partition(_OPEN)
    if opened and not head.strip():
        inside, closed, behind = rest.partition(_CLOSE)
        return inside.strip(), bool(closed), behind.lstrip() if closed else ""
    before, closed, behind = written.partition(_CLOSE)
    if closed and _OPEN not in before and _CLOSE not in behind and _OPEN not in behind:
        return before.strip(), True, behind.lstrip()
    return None, True, written
