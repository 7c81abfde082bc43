"""A strong language model behind any OpenAI-compatible endpoint, asked with a cap on what it may cost.

It knows how to ask, to try again and not to pay twice. It does not know what the answers are for, and
never logs a prompt, an answer or the key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from openai import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    OpenAI,
    OpenAIError,
    PermissionDeniedError,
)

from app.domain.records import content_hash_of

TIMEOUT_SECONDS = 120.0
MAX_RETRIES = 5
"""On 408, 409, 429 and 5xx and lost connections, with exponential back-off and the server's Retry-After."""

BYTES_PER_TOKEN = 3
"""What an endpoint that reports no usage is taken to have read and written: rather too much than too little."""


class AnswerCache(Protocol):
    """Answers by content hash, so that a rerun pays nothing twice."""

    def get(self, key: str) -> str | None: ...

    def put(self, key: str, value: str) -> None: ...


class LLMUnavailable(Exception):
    """The endpoint gave no answer. The message says what happened, without prompt or key."""


class SpendCapReached(Exception):
    """Asking on could cost more than was allowed."""

    def __init__(self, *, spent_tokens: int, cap_tokens: int) -> None:
        super().__init__(f"{spent_tokens} of {cap_tokens} tokens are spent; raise the cap to go on")
        self.spent_tokens = spent_tokens
        self.cap_tokens = cap_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How an answer is drawn. Part of the cache key."""

    temperature: float = 0.7
    max_tokens: int = 1_024
    seed: int = 0


class LLMClient:
    """One run's view of the endpoint. ``spent_tokens`` counts what was paid for, prompt and answer."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        model: str,
        cache: AnswerCache,
        spend_cap_tokens: int,
        timeout_seconds: float = TIMEOUT_SECONDS,
        max_retries: int = MAX_RETRIES,
    ) -> None:
        self.model = model
        self.spend_cap_tokens = spend_cap_tokens
        self.spent_tokens = 0
        self._cache = cache
        self._client = OpenAI(
            base_url=base_url, api_key=api_key, timeout=timeout_seconds, max_retries=max_retries
        )

    def complete(self, messages: Sequence[Mapping[str, Any]], sampling: Sampling | None = None) -> str:
        """The model's answer. Raises :class:`LLMUnavailable` or :class:`SpendCapReached`.

        An answer from the cache costs nothing. The cap is checked before asking, against the most that the
        answer could cost, so that it is never passed.
        """
        drawn = sampling or Sampling()
        key = answer_key(self.model, messages, drawn)
        cached = self._cache.get(key)
        if cached is not None:
            return cached
        prompt_tokens = _estimated_tokens("".join(str(m.get("content") or "") for m in messages))
        if self.spent_tokens + prompt_tokens + drawn.max_tokens > self.spend_cap_tokens:
            raise SpendCapReached(spent_tokens=self.spent_tokens, cap_tokens=self.spend_cap_tokens)
        answer = self._ask(messages, drawn, prompt_tokens)
        self._cache.put(key, answer)
        return answer

    def _ask(self, messages: Sequence[Mapping[str, Any]], sampling: Sampling, prompt_tokens: int) -> str:
        body: Any = [dict(m) for m in messages]
        try:
            completion = self._client.chat.completions.create(
                model=self.model,
                messages=body,
                temperature=sampling.temperature,
                max_tokens=sampling.max_tokens,
                seed=sampling.seed,
            )
        except OpenAIError as error:
            raise LLMUnavailable(_reason(error)) from None  # the cause holds the request, prompt and all
        answer = completion.choices[0].message.content if completion.choices else None
        usage = completion.usage
        self.spent_tokens += usage.total_tokens if usage else prompt_tokens + _estimated_tokens(answer or "")
        if not answer or not answer.strip():
            raise LLMUnavailable("the model gave an empty answer")
        return answer.replace("\x00", "\ufffd")


def answer_key(model: str, messages: Sequence[Mapping[str, Any]], sampling: Sampling) -> str:
    """SHA-256 of everything that the answer depends on; the endpoint's address and key do not count."""
    return content_hash_of(
        {
            "model": model,
            "messages": [dict(m) for m in messages],
            "temperature": sampling.temperature,
            "max_tokens": sampling.max_tokens,
            "seed": sampling.seed,
        }
    )


def _estimated_tokens(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN + 1


def _reason(error: OpenAIError) -> str:
    """What went wrong, in our own words: an endpoint's message may repeat the prompt or the key."""
    if isinstance(error, AuthenticationError | PermissionDeniedError):
        return f"the endpoint refused the API key (HTTP {error.status_code})"
    if isinstance(error, APIStatusError):
        return f"the endpoint answered HTTP {error.status_code}"
    if isinstance(error, APITimeoutError):
        return "the endpoint did not answer in time"
    if isinstance(error, APIConnectionError):
        return "the endpoint cannot be reached"
    return f"the request failed ({type(error).__name__})"
