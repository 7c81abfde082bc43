"""The nouns of the domain as frozen records.

Knows what a training example, a bad case and a finding *are*. Refuses to know how they are stored,
sent over HTTP or computed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from jaxtyping import Float32
from numpy import ndarray


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
        return turns[0].content
    return "\n".join(f"{m.role.value}: {m.content}" for m in turns)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingExample:
    """One SFT row (or preference pair, when ``rejected`` is not empty).

    ``messages`` ends with the answer. ``instruction_length`` says how many characters of the first user
    turn are a task instruction (``0`` = unknown or none); the rest, after one newline, is the input.
    """

    id: str
    messages: tuple[Message, ...]
    rejected: tuple[Message, ...] = ()
    tools: Any = None
    instruction_length: int = 0
    source_id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def system(self) -> str | None:
        return next((m.content for m in self.messages if m.role is Role.SYSTEM), None)

    @property
    def prompt_messages(self) -> tuple[Message, ...]:
        return self.messages[:-1]

    @property
    def prompt(self) -> str:
        return render_prompt(self.prompt_messages)

    @property
    def output(self) -> str:
        return self.messages[-1].content

    @property
    def instruction(self) -> str | None:
        """The task instruction in front of the input, where the row's format said what it is."""
        first = next((m.content for m in self.messages if m.role is Role.USER), "")
        return first[: self.instruction_length] or None

    def content(self) -> dict[str, Any]:
        """What a model is trained on: turns, the rejected answer, tools."""
        body: dict[str, Any] = {"messages": [m.as_dict() for m in self.messages]}
        if self.rejected:
            body["rejected"] = [m.as_dict() for m in self.rejected]
        if self.tools is not None:
            body["tools"] = self.tools
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
    def acceptable_outputs(self) -> tuple[str, ...]:
        """Every output that counts as right: the expected one, then the alternatives."""
        expected = () if self.expected_output is None else (self.expected_output,)
        return expected + self.alternatives


class Embedder(Protocol):
    """Turns texts into unit vectors. ``name`` and ``fingerprint`` together are the cache's key."""

    name: str
    dimensions: int

    @property
    def fingerprint(self) -> str:
        """Short hex of the weights and of how they are used: other vectors, other fingerprint."""
        ...

    def encode(self, texts: Sequence[str]) -> Float32[ndarray, "n d"]:
        """Shape (n, dimensions), float32, each row of L2 norm 1 (0 for a text with no known token)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbor:
    """A training row near a bad case. ``similarity`` is cosine, -1..1; ``input`` the whole prompt."""

    example_id: str
    similarity: float
    input: str
    output: str
    agrees_with: Agreement


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a person checks a verdict by: neighbours first, scores second. The dicts are JSON-ready.

    ``symptoms`` tells what each detector saw (``symptom``, ``detail``), ``attribution`` which rows taught the
    wrong answer, most first (``example_id``, ``score``, ``input``, ``output``), ``judge`` what a language
    model that read the case made of it (``verdict``, ``quote``, ``agrees``). Each may be empty.
    """

    neighbors: tuple[Neighbor, ...] = ()
    ood: Mapping[str, Any] = field(default_factory=dict)
    conflict: Mapping[str, Any] = field(default_factory=dict)
    hard: Mapping[str, Any] = field(default_factory=dict)
    serving_mismatch: Mapping[str, Any] = field(default_factory=dict)
    symptoms: tuple[Mapping[str, Any], ...] = ()
    """What is visibly wrong with the output, each with the proof."""
    attribution: tuple[Mapping[str, Any], ...] = ()
    """Training rows whose gradients point where the wrong answer's does, strongest first; beside the
    neighbours, never instead of them. Empty where no adapter was at hand."""
    judge: Mapping[str, Any] = field(default_factory=dict)
    """What a language model said where the verdict was a near tie, with the words that it decided by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendedAction:
    """``cost`` is an order of magnitude: low, medium or high."""

    action: str
    reason: str
    cost: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The verdict on one bad case.

    ``probabilities`` are over ood, conflict, hard and serving_mismatch and sum to 1; ``confidence`` is
    that of ``root_cause`` (the largest one where the verdict is undetermined). ``cluster`` indexes the
    diagnosis' clusters, -1 = none.
    """

    bad_case_id: str
    root_cause: RootCause
    probabilities: Mapping[RootCause, float]
    confidence: float
    evidence: Evidence
    symptoms: tuple[Symptom, ...] = ()
    recommended_actions: tuple[RecommendedAction, ...] = ()
    cluster: int = -1


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
