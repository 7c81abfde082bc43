"""How a stage asks the configured language model: with a time limit, each answer paid for once, and not for ever.

Nothing here stops a stage: a model that stays silent or costs too much is left alone, and it is said why.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from app.db.repositories.llm_answers import AnswersInPostgres
from app.db.repositories.llm_calls import LedgerInPostgres, Prices
from app.settings import Settings
from workers.context import StageContext
from workers.llm.client import GIVE_UP_AFTER_FAILURES, LLMClient
from workers.llm.failures import LLMUnavailable
from workers.llm.pace import Pace
from workers.llm.purse import Caps, SpendCapReached
from workers.llm.questions import Accept, Messages, Sampling

TIMEOUT_SECONDS: Final = 30.0
MAX_RETRIES: Final = 2


def client_of(
    context: StageContext, *, timeout_seconds: float = TIMEOUT_SECONDS, max_retries: int = MAX_RETRIES
) -> LLMClient | None:
    """A client of the configured endpoint that keeps its answers and writes down what they cost; None where none is
    configured."""
    settings = context.settings
    if settings.llm_base_url is None or settings.llm_model is None:
        return None
    return LLMClient(
        base_url=settings.llm_base_url,
        api_key=settings.llm_api_key.get_secret_value() if settings.llm_api_key else "none",
        model=settings.llm_model,
        cache=AnswersInPostgres(context.sessions),
        ledger=LedgerInPostgres(
            sessions=context.sessions,
            project_id=context.claim.project_id,
            subject_id=context.claim.subject_id,
            model=settings.llm_model,
            prices=prices_of(settings),
        ),
        pace=pace_of(settings),
        caps=Caps(
            tokens=settings.llm_spend_cap_tokens,
            cost=settings.llm_spend_cap_cost,
            day_tokens=settings.llm_daily_cap_tokens,
            day_cost=settings.llm_daily_cap_cost,
        ),
        timeout_seconds=timeout_seconds,
        max_retries=max_retries,
        still_wanted=lambda: context.progress(context.fraction),
    )


def prices_of(settings: Settings) -> Prices:
    return Prices(prompt=settings.llm_price_prompt, answer=settings.llm_price_answer)


def pace_of(settings: Settings) -> Pace:
    """Of the configured endpoint, for all workers of this machine."""
    endpoint = f"{settings.llm_base_url} {settings.llm_model}"
    name = hashlib.sha256(endpoint.encode()).hexdigest()[:16]
    return Pace(settings.data_dir.resolve() / "llm" / name)


@dataclass(slots=True, kw_only=True)
class Asking:
    """One row of questions to one model: ``asked`` so many. ``given_up``: why it is not asked any more; empty while
    it is."""

    client: LLMClient
    sampling: Sampling
    asked: int = 0
    given_up: str = ""
    _failed_in_a_row: int = field(default=0)

    def ask(self, messages: Messages, accept: Accept = lambda _: None) -> str | None:
        """The answer; None where none came, and for good once the model is given up. One that ``accept`` does not
        take is given back and not kept."""
        if self.given_up:
            return None
        try:
            answer = self.client.complete(messages, self.sampling, accept=accept)
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
