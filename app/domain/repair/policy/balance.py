"""How a plan balances the groups of a set."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from app.domain.section import Section


class BalanceBy(StrEnum):
    TASK = "task"
    LANGUAGE = "language"


class BalancePolicy(Section):
    """A group of n rows gets the share n^alpha / sum of all groups' n^alpha."""

    alpha: Annotated[float, Field(strict=True, ge=0.5, le=0.7)] = 0.6
    by: BalanceBy = BalanceBy.TASK
