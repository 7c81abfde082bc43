"""What each kind of repair action means, when it is proposed and what to look at. One file, one line each.

Each module's docstring is the kind's page in ``docs/diagnosis``.
"""

from __future__ import annotations

from types import ModuleType

from app.domain.repair.draft.action_kinds import add, drop, merge, normalise, redact, relabel, upsample
from app.domain.repair.draft.actions import ActionKind

KINDS: tuple[tuple[ActionKind, ModuleType], ...] = (
    (ActionKind.DROP, drop),
    (ActionKind.RELABEL, relabel),
    (ActionKind.MERGE, merge),
    (ActionKind.NORMALISE, normalise),
    (ActionKind.REDACT, redact),
    (ActionKind.ADD, add),
    (ActionKind.UPSAMPLE, upsample),
)
