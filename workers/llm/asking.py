"""How a stage asks the configured language model: with a time limit, each answer paid for once, and not for ever.

Nothing here stops a stage: a model that stays silent or costs too much is left alone, and it is said why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.db.repositories.llm_answers import AnswersInPostgres
from workers.context import Resources
from workers.llm.client import LLMClient, LLMUnavailable, Sampling, SpendCapReached

GIVE_UP_AFTER_FAILURES = 3
TIMEOUT_SECONDS = 30.0
MAX_RETRIES = 2


def client_of(
    resources: Resources, *, timeout_seconds: float = TIMEOUT_SECONDS, max_retries: int = MAX_RETRIES
) -> LLMClient | None:
    """A client of the configured endpoint that keeps its answers; None where none is configured."""
    settings = resources.settings
    if settings.llm_base_url is None or settings.llm_model is None:
        return None
    return LLMClient(
        base_url=settings.llm_base_url,
        api_key=settings.llm_api_key.get_secret_value() if settings.llm_api_key else "none",
        model=settings.llm_model,
        cache=AnswersInPostgres(resources.sessions),
        spend_cap_tokens=settings.llm_spend_cap_tokens,
        timeout_seconds=timeout_seconds,
        max_retries=max_retries,
    )


@dataclass(slots=True, kw_only=True)
class Asking:
    """One row of questions to one model: ``asked`` so many. ``given_up``: why it is not asked any more; empty while
    it is."""

    client: LLMClient
    sampling: Sampling
    asked: int = 0
    given_up: str = ""
    _failed_in_a_row: int = field(default=0)

    def ask(self, messages: Sequence[Mapping[str, Any]]) -> str | None:
        """The answer; None where none came, and for good once the model is given up."""
        if self.given_up:
            return None
        try:
            answer = self.client.complete(messages, self.sampling)
        except SpendCapReached as error:
            self.given_up = f"the language model was not asked any more: {error}"
            return None  # the cap is looked at before asking
        except LLMUnavailable as error:
            self.asked += 1
            self._failed_in_a_row += 1
            if self._failed_in_a_row == GIVE_UP_AFTER_FAILURES:
                self.given_up = f"the language model was not asked any more: {error}"
            return None
        self.asked += 1
        self._failed_in_a_row = 0
        return answer
