"""The nouns of the domain as frozen records.

Knows what a training example, a bad case and a finding *are*. Does not know how they are stored,
sent over HTTP or computed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.domain.answers.answer import Answer, compared_message, read_message, read_text


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"
    FUNCTION_CALL = "function_call"


class RootCause(StrEnum):
    """Why a bad case fails. ``serving_mismatch`` is looked at first: then nothing in the data is wrong."""

    OOD = "ood"
    CONFLICT = "conflict"
    HARD = "hard"
    SERVING_MISMATCH = "serving_mismatch"
    UNDETERMINED = "undetermined"


CAUSES = (RootCause.OOD, RootCause.CONFLICT, RootCause.HARD)
"""Those that a training set can have, in the order of every probability that is listed."""


class Symptom(StrEnum):
    """What is visibly wrong with a model output."""

    GIBBERISH = "gibberish"
    REPETITION = "repetition"
    TRUNCATION = "truncation"
    FORMAT_VIOLATION = "format_violation"
    REFUSAL = "refusal"
    WRONG_LANGUAGE = "wrong_language"
    MISSING_KNOWLEDGE = "missing_knowledge"
    COPIED_TRAINING_OUTPUT = "copied_training_output"
    EMPTY = "empty"
    RUN_ON = "run_on"
    FORGETTING = "forgetting"


class Agreement(StrEnum):
    """Which side of a bad case a training row's output is on."""

    EXPECTED = "expected"
    MODEL_OUTPUT = "model_output"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn. ``extra`` keeps what the role carries besides text (``tool_calls``, ``name`` ...)."""

    role: Role
    content: str
    extra: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {"role": self.role.value, "content": self.content, **self.extra}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Message:
        extra = {key: item for key, item in value.items() if key not in ("role", "content")}
        return cls(role=Role(value["role"]), content=value["content"], extra=extra)

    @property
    def answer(self) -> Answer:
        return read_message(self.role.value, self.content, self.extra)

    @property
    def compared(self) -> str:
        """All that the turn says or calls, as one text, without its reasoning."""
        if self.role in ANSWER_ROLES:
            return compared_message(self.role.value, self.content, self.extra)
        return self.content

    @property
    def is_learnt(self) -> bool:
        """Whether a training may take this answer as right: OpenAI's ``weight`` 0 says that it may not."""
        weight = self.extra.get("weight") if self.extra else None
        return not (isinstance(weight, int | float) and weight == 0)


ANSWER_ROLES = frozenset({Role.ASSISTANT, Role.FUNCTION_CALL})


def canonical_json(value: object) -> str:
    """JSON with sorted keys and no spaces: equal values give equal bytes."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def content_hash_of(value: object) -> str:
    """SHA-256 (64 hex digits) of the canonical JSON of ``value``."""
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()


def render_prompt(messages: Sequence[Message]) -> str:
    """The prompt as one text: system prompts left out, a single user turn verbatim, more turns labelled."""
    turns = [m for m in messages if m.role is not Role.SYSTEM]
    if len(turns) == 1:
        return turns[0].compared
    return "\n".join(f"{m.role.value}: {m.compared}" for m in turns)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingExample:
    """One SFT row (or preference pair, when ``rejected`` is not empty; or a KTO row, when ``desirable`` says so).

    The answer is the last turn of the assistant that may be learnt; what comes before it is the prompt.
    ``desirable``: False = nobody should answer so, True = a person said that it is right, None = the row does not
    say, as an SFT row. ``instruction_length`` says how many characters of the first user
    turn are a task instruction (``0`` = unknown or none); the rest, after one newline, is the input.
    """

    id: str
    messages: tuple[Message, ...]
    rejected: tuple[Message, ...] = ()
    tools: Any = None
    desirable: bool | None = None
    instruction_length: int = 0
    source_id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_content(cls, content: Mapping[str, Any], id: str = "") -> TrainingExample:
        """The row whose ``content()`` that is, without source and metadata."""
        return cls(
            id=id,
            messages=tuple(map(Message.from_dict, content["messages"])),
            rejected=tuple(map(Message.from_dict, content.get("rejected", ()))),
            tools=content.get("tools"),
            desirable=content.get("desirable"),
        )

    @property
    def system(self) -> str | None:
        return next((m.content for m in self.messages if m.role is Role.SYSTEM), None)

    @property
    def answer_at(self) -> int:
        """Place of the answer in ``messages``: the last turn that may be learnt; the last one where none may."""
        last = len(self.messages) - 1
        if not self.messages[last].extra:
            return last
        learnt = (
            i
            for i in range(last, -1, -1)
            if self.messages[i].role in ANSWER_ROLES and self.messages[i].is_learnt
        )
        return next(learnt, last)

    @property
    def teaches(self) -> bool:
        """Whether the answer may be learnt as right."""
        return self.desirable is not False and self.messages[self.answer_at].is_learnt

    def steps(self) -> tuple[TrainingExample, ...]:
        """The row once for every answer that is learnt from it, each ending with that answer; () where none is.

        These are the answers behind the last question (the calls of tools on the way to the last answer), and any
        earlier turn with a ``weight`` above 0.
        """
        if not self.teaches:
            return ()
        asked = max(
            (i for i, m in enumerate(self.messages[: self.answer_at]) if m.role is Role.USER), default=-1
        )
        places = [
            i
            for i, m in enumerate(self.messages)
            if m.role in ANSWER_ROLES and m.is_learnt and (i > asked or "weight" in m.extra)
        ]
        if places == [len(self.messages) - 1]:
            return (self,)
        return tuple(
            replace(
                self, messages=self.messages[: i + 1], rejected=self.rejected if i == self.answer_at else ()
            )
            for i in places
        )

    @property
    def prompt_messages(self) -> tuple[Message, ...]:
        return self.messages[: self.answer_at]

    @property
    def prompt(self) -> str:
        return render_prompt(self.prompt_messages)

    @property
    def answer(self) -> Answer:
        return self.messages[self.answer_at].answer

    @property
    def output(self) -> str:
        """The answer as one text: what is said and what is called, without reasoning (``Answer.compared``)."""
        return self.messages[self.answer_at].compared

    @property
    def rejected_output(self) -> str:
        """The same of the rejected answer; '' where the row has none."""
        return self.rejected[-1].compared if self.rejected else ""

    @property
    def instruction(self) -> str | None:
        """The task instruction in front of the input, where the row's format said what it is."""
        first = next((m.content for m in self.messages if m.role is Role.USER), "")
        return first[: self.instruction_length] or None

    def content(self) -> dict[str, Any]:
        """What a model is trained on: turns, the rejected answer, tools, and whether the answer is desired."""
        body: dict[str, Any] = {"messages": [m.as_dict() for m in self.messages]}
        if self.rejected:
            body["rejected"] = [m.as_dict() for m in self.rejected]
        if self.tools is not None:
            body["tools"] = self.tools
        if self.desirable is not None:
            body["desirable"] = self.desirable
        return body

    @property
    def content_hash(self) -> str:
        """SHA-256 of what a model is trained on; ids and metadata do not count."""
        return content_hash_of(self.content())

    @property
    def record_hash(self) -> str:
        """SHA-256 of everything an export brings back: content, source id and metadata."""
        return content_hash_of([self.content(), self.source_id, dict(self.metadata)])


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingRequest:
    """How the request that failed was built. ``None`` = the caller did not say."""

    system: str | None = None
    prompt_text: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] | None = None
    finish_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BadCase:
    """A prompt that the tuned model answered badly. ``messages`` is the prompt without the answer."""

    id: str
    messages: tuple[Message, ...]
    model_output: str
    expected_output: str | None = None
    alternatives: tuple[str, ...] = ()
    instruction_length: int = 0
    external_id: str | None = None
    request: ServingRequest | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    occurred_at: datetime | None = None

    @property
    def prompt(self) -> str:
        return render_prompt(self.messages)

    @property
    def system(self) -> str | None:
        return next((m.content for m in self.messages if m.role is Role.SYSTEM), None)

    @property
    def instruction(self) -> str | None:
        first = next((m.content for m in self.messages if m.role is Role.USER), "")
        return first[: self.instruction_length] or None

    @property
    def model_answer(self) -> Answer:
        return read_text(self.model_output)

    @property
    def expected_answer(self) -> Answer | None:
        return None if self.expected_output is None else read_text(self.expected_output)

    @property
    def said(self) -> str:
        """The model's answer as comparisons read it; see ``Answer.compared``."""
        return self.model_answer.compared

    @property
    def wanted(self) -> str:
        """The expected answer as comparisons read it; '' where none was given."""
        expected = self.expected_answer
        return "" if expected is None else expected.compared

    @property
    def acceptable_outputs(self) -> tuple[str, ...]:
        """Every answer that counts as right, as comparisons read it: the expected one, then the alternatives."""
        expected = () if self.expected_output is None else (self.expected_output,)
        return tuple(read_text(output).compared for output in expected + self.alternatives)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendedAction:
    """``cost`` is an order of magnitude: low, medium or high."""

    action: str
    reason: str
    cost: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Bad cases that fail alike. ``case_ids`` holds all members, ``exemplar_ids`` the most central."""

    label: str
    keywords: tuple[str, ...]
    case_ids: tuple[str, ...]
    exemplar_ids: tuple[str, ...]
    category_counts: Mapping[RootCause, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadmapStep:
    """``cost`` is low, medium or high; ``gain`` says in words how many cases the step can help, at most."""

    step: int
    action: str
    key_point: str
    cost: str
    gain: str = ""
