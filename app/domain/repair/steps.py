"""The methods of a repair plan in their order. One file, one line each.

A step reads the draft and the material and writes actions into the draft; what an earlier step dropped or settled
a later one leaves alone.
"""

from __future__ import annotations

from collections.abc import Callable

from app.domain.repair.balance.step import propose as balance
from app.domain.repair.contradictions.bad_case_step import propose as bad_case_conflicts
from app.domain.repair.contradictions.step import propose as contradictions
from app.domain.repair.coverage.step import propose as coverage
from app.domain.repair.draft.draft import Draft
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.duplicates.step import propose as duplicates
from app.domain.repair.leakage.step import propose as leakage
from app.domain.repair.resolution.step import propose as disputes
from app.domain.repair.rewriting.normalisation_step import propose as normalisation
from app.domain.repair.rewriting.pii_step import propose as personal_data
from app.domain.repair.row_quality.defects_step import propose as defects
from app.domain.repair.row_quality.scores_step import propose as quality
from app.domain.repair.uniformity.step import propose as uniformity

Step = Callable[[Draft, PlanInputs], None]

STEPS: tuple[tuple[str, Step], ...] = (
    ("normalisation", normalisation),
    ("leakage", leakage),
    ("pii", personal_data),
    ("uniformity", uniformity),
    ("duplicates", duplicates),
    ("conflicts", bad_case_conflicts),
    ("contradictions", contradictions),
    ("disputes", disputes),
    ("noise", defects),
    ("quality", quality),
    ("balance", balance),
    ("coverage", coverage),
)
