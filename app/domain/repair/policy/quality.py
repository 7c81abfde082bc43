"""The section of a repair policy that says how quality is weighed and what it leads to."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from app.domain.section import Section, Share


class QualityComponent(StrEnum):
    RELEVANCE = "relevance"
    INFORMATION = "information"
    FORMAT = "format"
    SAFETY = "safety"
    CONSISTENCY = "consistency"


DEFAULT_WEIGHTS: Mapping[QualityComponent, float] = MappingProxyType(
    {
        # What is left out (no context, nothing unsafe seen) gives its weight to the rest. So one part that fails
        # altogether sends a row to review, and two send it away.
        QualityComponent.RELEVANCE: 0.3,
        QualityComponent.INFORMATION: 0.2,
        QualityComponent.FORMAT: 0.2,
        QualityComponent.SAFETY: 0.3,
        QualityComponent.CONSISTENCY: 0.3,
    }
)


class QualityPolicy(Section):
    """A row above ``use_above`` is used, one below ``drop_below`` is proposed to be dropped, what lies between is for
    review."""

    weights: dict[QualityComponent, Annotated[float, Field(strict=True, ge=0)]] = Field(
        default_factory=lambda: dict(DEFAULT_WEIGHTS)
    )
    """Weight of each component; their ratios count, and one that is left out keeps its default."""
    use_above: Share = 0.8
    drop_below: Share = 0.6

    @field_validator("weights")
    @classmethod
    def _complete(cls, weights: dict[QualityComponent, float]) -> dict[QualityComponent, float]:
        made = {**DEFAULT_WEIGHTS, **weights}
        if not any(made.values()):
            raise ValueError("the weights are all 0; give one component a weight above 0")
        return made

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.drop_below > self.use_above:
            raise ValueError(
                f"drop_below is {self.drop_below}, above use_above, which is {self.use_above}; give a lower one"
            )
        return self
