"""Whether an adapter may be served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.domain.section import Section, Share
from app.domain.verification.fix_rate import FixRate
from app.domain.verification.retention import Retention

# The gate's defaults: what the adapter must keep of the earlier scores, in all and in the worst slice.
_MIN_RETENTION: Final = 0.9

_MAX_DEGRADATION: Final = 0.5


class GateSettings(Section):
    """What an adapter must keep to be served."""

    title = "gate"
    min_retention: Share = _MIN_RETENTION
    """The retention mean must be above it."""
    max_degradation: Share = _MAX_DEGRADATION
    """The share lost by the worst slice must be below it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Whether the adapter may be served; ``reasons`` holds every figure that decided it."""

    accepted: bool
    reasons: tuple[str, ...]


def gate(
    retention: Retention | None, settings: GateSettings | None = None, *, fixed: FixRate | None = None
) -> Gate:
    """Accept an adapter that kept enough and, where cases were to be fixed, fixed at least one.

    Where no retention could be measured, nothing is proven: not accepted.
    """
    limits = settings or GateSettings()
    if fixed is not None and fixed.rate == 0:
        return Gate(accepted=False, reasons=(f"none of the {fixed.n} cases is fixed",))
    if retention is None:
        reason = (
            "no retention row that the model before answered right: nothing shows what was forgotten; give a "
            "retention set, or hold rows back"
        )
        return Gate(accepted=False, reasons=(reason,))
    kept = retention.mean > limits.min_retention
    worst = retention.largest_degradation < limits.max_degradation
    where = f" (slice {retention.worst_slice!r})" if retention.worst_slice else ""
    return Gate(
        accepted=kept and worst,
        reasons=(
            f"retention {retention.mean:.3f} on {retention.n} rows is "
            f"{'above' if kept else 'not above'} {limits.min_retention:g}",
            f"largest degradation {retention.largest_degradation:.3f}{where} is "
            f"{'below' if worst else 'not below'} {limits.max_degradation:g}",
        ),
    )
