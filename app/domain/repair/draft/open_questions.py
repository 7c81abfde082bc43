"""What of a plan waits for a person, and which rows wait with it.

Rows in question are not trained on: nobody has said whether they are right. A question about form, or about which of
two right rows is enough, keeps no row out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.domain.repair.draft.actions import ActionKind
from app.domain.repair.policy.decision import Decision

ROWS_STAY: Final = "rows_stay"
"""Evidence of a question whose rows are right whatever the answer is."""

STOPS_CYCLE: Final = "stops_cycle"
"""Evidence of a question that a cycle waits for, whatever its policy says of other questions."""

QUESTIONS: Final = frozenset(
    {ActionKind.DROP, ActionKind.RELABEL, ActionKind.MERGE, ActionKind.NORMALISE, ActionKind.REDACT}
)
"""Kinds of actions that ask about rows; what adds rows is an offer."""

_KEEPS_OUT = QUESTIONS - {ActionKind.NORMALISE}


def is_open(kind: ActionKind, decision: Decision, evidence: Mapping[str, Any]) -> bool:
    """Whether the action asks a person something about its rows, and nobody has answered."""
    return kind in QUESTIONS and decision is Decision.PROPOSED and bool(evidence.get("asks_person"))


def rows_kept_out(
    kind: ActionKind, example_ids: Sequence[str], evidence: Mapping[str, Any]
) -> tuple[str, ...]:
    """Of an open question: the rows that are left out of training until it is answered."""
    return () if kind not in _KEEPS_OUT or evidence.get(ROWS_STAY) else tuple(example_ids)
