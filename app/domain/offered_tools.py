"""The functions that a model may call: read from every form in which rows carry them, and found for a case.

Knows OpenAI's ``tools``, its older ``functions`` and LLaMA-Factory's column of JSON text. Does not know how a
template writes them.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.answer_writing import answer_turn
from app.domain.answers import read_text
from app.domain.answers.answer import structured_calls
from app.domain.records import BadCase, Message, Role, TrainingExample, canonical_json


def functions_of(tools: Any) -> list[Mapping[str, Any]] | None:
    """The tools as OpenAI's list; None where there is none. A text that is not JSON is one tool, as it is."""
    if isinstance(tools, str):
        try:
            tools = json.loads(tools)
        except (ValueError, RecursionError):
            tools = [{"name": "", "description": tools}] if tools.strip() else None
    listed = [tools] if isinstance(tools, Mapping) else tools
    if not isinstance(listed, Sequence):
        return None
    return [
        {"type": "function", "function": tool} if "name" in tool and "function" not in tool else tool
        for tool in listed
        if isinstance(tool, Mapping) and tool
    ] or None


def names_of(tools: Any) -> frozenset[str]:
    own = (tool.get("function") for tool in functions_of(tools) or ())
    return frozenset(str(f["name"]) for f in own if isinstance(f, Mapping) and f.get("name"))


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedTools:
    """What the rows of a training set offer. ``by_system``: the tools of all rows with that system prompt, where
    they are the same. ``by_function``: the tools that offer a function, those of most rows. ``calling``: a turn that
    calls in a structure of its own, not in its text; None where no row has one."""

    by_system: Mapping[str, Any]
    by_function: Mapping[str, Any]
    calling: Message | None

    @classmethod
    def from_rows(cls, examples: Iterable[TrainingExample]) -> OfferedTools:
        tools: dict[str, Any] = {}
        systems: defaultdict[str, set[str]] = defaultdict(set)
        rows: Counter[str] = Counter()
        calling: Message | None = None
        for example in examples:
            key = "" if example.tools is None else canonical_json(example.tools)
            tools.setdefault(key, example.tools)
            systems[example.system or ""].add(key)
            rows[key] += 1
            if calling is None:
                calling = next((m for m in example.messages if _calls_apart(m)), None)
        by_function: dict[str, Any] = {}
        for key, _ in rows.most_common():
            for name in names_of(tools[key]):
                by_function.setdefault(name, tools[key])
        return cls(
            by_system={system: tools[next(iter(keys))] for system, keys in systems.items() if len(keys) == 1},
            by_function=by_function,
            calling=calling,
        )

    def turn(self, answer: str) -> Message:
        """A turn that gives an answer written as one text; calls in it as the rows have theirs."""
        plain = Message(role=Role.ASSISTANT, content=answer)
        return answer_turn(self.calling, answer) if self.calling and read_text(answer).tool_calls else plain

    def for_case(self, case: BadCase) -> Any:
        """The tools of a case's request: its own where its metadata has them, those of every row with its system
        prompt, or those that offer what it calls or should call; None where nothing says."""
        own = case.metadata.get("tools")
        if functions_of(own):
            return own
        shared = self.by_system.get(case.system or "")
        if shared is not None or not self.by_function:
            return shared
        expected = case.expected_answer
        calls = [*(expected.tool_calls if expected else ()), *case.model_answer.tool_calls]
        return next((self.by_function[c.name] for c in calls if c.name in self.by_function), None)


def _calls_apart(message: Message) -> bool:
    return message.role is Role.FUNCTION_CALL or bool(message.extra and structured_calls(message.extra))
