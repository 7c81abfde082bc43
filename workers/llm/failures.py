"""Why an endpoint gave no answer, and whether and when another try may do better."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from openai import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    OpenAIError,
    PermissionDeniedError,
)

_PASSING: Final = frozenset({408, 409, 429})


class LLMUnavailable(Exception):
    """The endpoint gave no answer. The message says what happened, without prompt or key."""


class TryAgain(Exception):
    """``too_much``: the endpoint is given too many calls. ``may_cost``: it may have answered, and be paid for it."""

    def __init__(
        self, reason: str, *, after_seconds: float | None, too_much: bool = False, may_cost: bool = False
    ) -> None:
        super().__init__(reason)
        self.after_seconds = after_seconds
        self.too_much = too_much
        self.may_cost = may_cost


def back_off(number: int) -> float:
    return 0.5 * 2 ** (number - 1) * random.uniform(0.75, 1.25)  # noqa: S311


def passing(error: OpenAIError) -> TryAgain | None:
    """A failure after which another try may do better."""
    if isinstance(error, APIStatusError):
        status = error.status_code
        if status in _PASSING or status >= 500:
            after = _retry_after(error.response.headers)
            return TryAgain(reason_of(error), after_seconds=after, too_much=status == 429)
        return None
    if isinstance(error, APIConnectionError):  # a time-out is one as well
        may_cost = isinstance(error, APITimeoutError)
        return TryAgain(reason_of(error), after_seconds=None, may_cost=may_cost)
    return None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from a number of them or from a date (RFC 9110, 10.2.3)."""
    said = headers.get("retry-after", "")
    try:
        return max(0.01, float(said))
    except ValueError:
        pass
    try:
        return max(0.01, parsedate_to_datetime(said).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None


def reason_of(error: OpenAIError) -> str:
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
