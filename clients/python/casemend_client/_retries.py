"""Which requests are sent again, and when."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

LONGEST_WAIT_SECONDS = 60.0
_FIRST_WAIT_SECONDS = 0.5
_BUSY = frozenset({429, 502, 503, 504})
# A POST carries an Idempotency-Key: sent twice, it is done once.
_REPEATABLE = frozenset({"GET", "PUT", "DELETE", "POST"})


def backoff_seconds(attempt: int) -> float:
    """Doubled from try to try, with jitter so that clients do not come back together. ``attempt`` from 0."""
    longest = min(LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2**attempt)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


def after_answer(response: httpx.Response, method: str, attempt: int) -> float | None:
    """Seconds to wait before the request is sent again; None: the answer stands."""
    if response.status_code not in _BUSY:
        return None
    # 502 and 504 are a proxy's: the service may have done the work.
    if response.status_code in {502, 504} and method not in _REPEATABLE:
        return None
    asked = _retry_after_seconds(response.headers.get("Retry-After"))
    if asked is None:
        return backoff_seconds(attempt)
    return asked if asked <= LONGEST_WAIT_SECONDS else None


def after_error(error: httpx.TransportError, method: str, attempt: int) -> float | None:
    """The same for a request that got no answer."""
    never_sent = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))
    return backoff_seconds(attempt) if never_sent or method in _REPEATABLE else None


def _retry_after_seconds(value: str | None) -> float | None:
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
