"""The methods of a repair plan in their order. One file, one line each.

A step reads the draft and the material and writes actions into the draft; what an earlier step dropped or settled
a later one leaves alone.
"""

from __future__ import annotations

from collections.abc import Callable

from app.domain.repair.draft import Draft
from app.domain.repair.material import Material
from app.domain.repair.steps import (
    balance,
    conflicts,
    contradictions,
    coverage,
    disputes,
    duplicates,
    leakage,
    noise,
    normalisation,
    pii,
    quality,
    uniformity,
)

Step = Callable[[Draft, Material], None]

STEPS: tuple[tuple[str, Step], ...] = (
    ("normalisation", normalisation.propose),
    ("leakage", leakage.propose),
    ("pii", pii.propose),
    ("uniformity", uniformity.propose),
    ("duplicates", duplicates.propose),
    ("conflicts", conflicts.propose),
    ("contradictions", contradictions.propose),
    ("disputes", disputes.propose),
    ("noise", noise.propose),
    ("quality", quality.propose),
    ("balance", balance.propose),
    ("coverage", coverage.propose),
)
