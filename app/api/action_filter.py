"""Which actions of a plan a request asks for, the same for the list and the page."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from app.api.schemas.common import Id
from app.api.schemas.repairs import Rule
from app.domain.repair.plan import ActionKind, Decision
from app.services.repairs.selection import ActionFilter


def _asked(
    kind: ActionKind | None = None,
    rule: Annotated[Rule | None, Query()] = None,
    decision: Decision | None = None,
    min_score: Annotated[float | None, Query(ge=0, le=1)] = None,
    max_score: Annotated[float | None, Query(ge=0, le=1)] = None,
    reason: Annotated[str | None, Query(max_length=500)] = None,
    asks: Annotated[bool | None, Query(description="Whether it asks a person.")] = None,
    example_id: Id | None = None,
) -> ActionFilter:
    return ActionFilter(
        kind=kind,
        rule=rule,
        decision=decision,
        min_score=min_score,
        max_score=max_score,
        reason=reason,
        asks=asks,
        example_ids=None if example_id is None else [example_id],
    )


AskedActions = Annotated[ActionFilter, Depends(_asked)]
