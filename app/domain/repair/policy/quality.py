"""The section of a repair policy that says how quality is weighed and what it leads to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from app.domain.repair.policy.fields import check_fields, share

DEFAULT_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        # What is left out (no context, nothing unsafe seen) gives its weight to the rest. So one part that fails
        # altogether sends a row to review, and two send it away.
        "relevance": 0.3,
        "information": 0.2,
        "format": 0.2,
        "safety": 0.3,
        "consistency": 0.3,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityPolicy:
    """``weights`` by component, each 0 or more, of which ratios count. A row above ``use_above`` is used, one
    below ``drop_below`` is proposed to be dropped, what lies between is for review; both 0..1."""

    weights: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_WEIGHTS))
    use_above: float = 0.8
    drop_below: float = 0.6

    @classmethod
    def from_dict(cls, raw: object) -> QualityPolicy:
        """Validate a section from outside; a ValueError says which field, what is wrong and how to fix it."""
        if not isinstance(raw, Mapping):
            raise ValueError(f"policy.quality is {raw!r}; give an object, or null to score no rows")
        check_fields(raw, cls.__dataclass_fields__, "policy.quality")
        values: dict[str, Any] = {}
        if "weights" in raw:
            values["weights"] = _weights(raw["weights"])
        for name in ("use_above", "drop_below"):
            if name in raw:
                values[name] = share(raw[name], f"quality.{name}")
        made = cls(**values)
        if made.drop_below > made.use_above:
            raise ValueError(
                f"policy.quality.drop_below is {made.drop_below}, above use_above, which is {made.use_above}; "
                "give a lower one"
            )
        return made

    def as_dict(self) -> dict[str, Any]:
        return {"weights": dict(self.weights), "use_above": self.use_above, "drop_below": self.drop_below}


def _weights(raw: object) -> Mapping[str, float]:
    if not isinstance(raw, Mapping):
        raise ValueError(f"policy.quality.weights is {raw!r}; give an object of component: weight")
    check_fields(raw, DEFAULT_WEIGHTS, "policy.quality.weights")
    for name, weight in raw.items():
        number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not number or not math.isfinite(weight) or weight < 0:
            raise ValueError(f"policy.quality.weights.{name} is {weight!r}; give a number from 0 up")
    made = {**DEFAULT_WEIGHTS, **{name: float(weight) for name, weight in raw.items()}}
    if not any(made.values()):
        raise ValueError("policy.quality.weights are all 0; give one component a weight above 0")
    return made
