"""What a language model is asked, how an answer is drawn, and what came of it. Where answers and costs are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from app.db.repositories.llm_calls import Allow, CallStatus, Prices, Spent
from app.domain.records import content_hash_of

BYTES_PER_TOKEN: Final = 3
"""What an endpoint that reports no usage is taken to have read and written: rather too much than too little."""

Accept = Callable[[str], str | None]
"""Why an answer cannot be used; None where it can. Only what can be used is kept."""

Messages = Sequence[Mapping[str, Any]]


class AnswerCache(Protocol):
    """Answers by content hash, so that a rerun pays nothing twice."""

    def get(self, key: str, /) -> str | None: ...

    def put(self, key: str, value: str, /) -> None: ...


class Ledger(Protocol):
    """A line an attempt (``app.db.repositories.llm_calls``)."""

    @property
    def prices(self) -> Prices: ...

    def begin(
        self,
        request_key: str,
        *,
        prompt_tokens: int,
        answer_tokens: int,
        allow: Allow | None = None,
    ) -> int: ...

    def end(
        self,
        call_id: int,
        status: CallStatus,
        *,
        prompt_tokens: int,
        answer_tokens: int,
        error: str | None = None,
    ) -> None: ...

    def take_over(self) -> Spent: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How an answer is drawn. Part of the cache key."""

    temperature: float = 0.7
    max_tokens: int = 1_024
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """``schema``: a JSON schema that the answer is to follow, where the endpoint can be held to one."""

    messages: Messages
    accept: Accept = lambda _: None
    schema: Mapping[str, Any] | None = None


class Lost(StrEnum):
    """Why a question has no answer."""

    UNUSABLE = "unusable"
    UNAVAILABLE = "unavailable"
    SPEND_CAP = "spend_cap"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """``text`` None: it was lost, and ``detail`` says more."""

    text: str | None
    lost: Lost | None = None
    detail: str = ""


def answer_key(
    model: str, messages: Messages, sampling: Sampling, schema: Mapping[str, Any] | None = None
) -> str:
    """SHA-256 of everything that the answer depends on; the endpoint's address and key do not count."""
    asked: dict[str, Any] = {
        "model": model,
        "messages": [dict(m) for m in messages],
        "temperature": sampling.temperature,
        "max_tokens": sampling.max_tokens,
        "seed": sampling.seed,
    }
    return content_hash_of(asked if schema is None else {**asked, "schema": schema})


def tokens_in(messages: Messages) -> int:
    return estimated_tokens("".join(str(m.get("content") or "") for m in messages))


def estimated_tokens(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN + 1
