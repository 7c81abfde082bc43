"""What may be spent on language models, and what was."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from app.db.repositories.llm_calls import Prices, Spent


class SpendCapReached(Exception):
    """Asking on could cost more than was allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """Most that may be spent; None = no limit. ``cost`` in the currency of the prices; a day is one of UTC, and its
    caps hold for all work of a project."""

    tokens: int | None = None
    cost: float | None = None
    day_tokens: int | None = None
    day_cost: float | None = None


@dataclass(slots=True)
class Purse:
    """What this piece of work has spent, in earlier runs too, and what the calls under way may still cost."""

    spent: Spent
    caps: Caps
    prices: Prices
    _reserved: dict[int, tuple[int, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _tokens: int = 0
    _cost: float = 0.0
    _number: int = 0

    @property
    def tokens(self) -> int:
        """Of this run."""
        return self._tokens

    @property
    def cost(self) -> float:
        return self._cost

    def reserve(self, prompt_tokens: int, answer_tokens: int) -> int:
        """Room for a call that costs so much at most. Raises SpendCapReached."""
        with self._lock:
            under_way = [*self._reserved.values(), (prompt_tokens, answer_tokens)]
            tokens = self._tokens + sum(p + a for p, a in under_way)
            cost = self._cost + sum(self.prices.cost(p, a) for p, a in under_way)
            for name, before, paid, more, cap in (
                ("tokens of this run", self.spent.tokens, self._tokens, tokens, self.caps.tokens),
                ("cost of this run", self.spent.cost, self._cost, cost, self.caps.cost),
            ):
                if cap is not None and before + more > cap:
                    raise _reached(name, before + paid, cap)
            self._number += 1
            self._reserved[self._number] = (prompt_tokens, answer_tokens)
            return self._number

    @property
    def has_day_caps(self) -> bool:
        return self.caps.day_tokens is not None or self.caps.day_cost is not None

    def check_day(self, before: Spent, call: Spent) -> None:
        """Whether a project that has come to ``before`` today, calls under way included, may make ``call``. Raises
        SpendCapReached."""
        for name, spent, more, cap in (
            ("tokens of the project today", before.tokens, call.tokens, self.caps.day_tokens),
            ("cost of the project today", before.cost, call.cost, self.caps.day_cost),
        ):
            if cap is not None and spent + more > cap:
                raise _reached(name, spent, cap)

    def settle(self, reservation: int, prompt_tokens: int, answer_tokens: int) -> None:
        with self._lock:
            del self._reserved[reservation]
            self._tokens += prompt_tokens + answer_tokens
            self._cost += self.prices.cost(prompt_tokens, answer_tokens)


def _reached(name: str, spent: float, cap: float) -> SpendCapReached:
    return SpendCapReached(f"{spent:.6g} of {cap:.6g} {name} are spent; raise the cap to go on")
