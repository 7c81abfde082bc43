"""What each root cause means, how it is decided and what to do. One file and one line in the tuple each.

Each module's docstring is the cause's page in ``docs/diagnosis``.
"""

from __future__ import annotations

from types import ModuleType

from app.domain.diagnosis.root_causes import conflict, hard, ood, undetermined
from app.domain.diagnosis.serving import mismatch
from app.domain.records import RootCause

ROOT_CAUSES: tuple[tuple[RootCause, ModuleType], ...] = (
    (RootCause.SERVING_MISMATCH, mismatch),
    (RootCause.OOD, ood),
    (RootCause.CONFLICT, conflict),
    (RootCause.HARD, hard),
    (RootCause.UNDETERMINED, undetermined),
)
