"""How a plan balances the groups of a set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from app.domain.repair.policy.fields import check_fields, choice

_ALPHA_RANGE = (0.5, 0.7)


class BalanceBy(StrEnum):
    TASK = "task"
    LANGUAGE = "language"


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancePolicy:
    """``alpha`` 0.5..0.7: a group of n rows gets the share n^alpha / sum of all groups' n^alpha."""

    alpha: float = 0.6
    by: BalanceBy = BalanceBy.TASK

    @classmethod
    def from_dict(cls, raw: Any) -> BalancePolicy:
        """Validate the section from outside; a ValueError says what is wrong and how to fix it."""
        if not isinstance(raw, Mapping):
            raise ValueError(
                f'policy.balance is {raw!r}; give {{"alpha": 0.6, "by": "task"}}, or null to leave it alone'
            )
        check_fields(raw, cls.__dataclass_fields__, "policy.balance")
        values: dict[str, Any] = {}
        if "by" in raw:
            values["by"] = choice(BalanceBy, raw["by"], "balance.by")
        if "alpha" in raw:
            alpha, (low, high) = raw["alpha"], _ALPHA_RANGE
            if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not low <= alpha <= high:
                raise ValueError(f"policy.balance.alpha is {alpha!r}; give a number from {low} to {high}")
            values["alpha"] = float(alpha)
        return cls(**values)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "by": self.by.value}
