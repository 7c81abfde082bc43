"""Fix all like this: more proposed actions for a plan, modelled on one of its actions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.db.models import RepairActionRow, RepairRow
from app.domain.records import TrainingExample
from app.domain.repair.apply.similar_rows import propose_similar, replaced_texts, spoken_for
from app.domain.repair.draft.actions import ActionKind, ProposedAction
from app.domain.repair.policy.decision import Decision
from app.errors import InvalidInput
from app.services import events
from app.services.repairs import plans
from app.services.repairs.applying import action_of
from app.services.versions import versions

# Rows that give the same answer up to case and outer spaces, in the order of the version.
_SAME_ANSWER = text(
    """
    SELECT member.example_id
    FROM dataset_version_examples AS member JOIN examples AS example ON example.id = member.example_id
    WHERE member.version_id = :version_id
      AND lower(btrim(example.messages -> -1 ->> 'content', E' \\t\\n\\r')) = lower(btrim(:answer, E' \\t\\n\\r'))
    ORDER BY member.position
    """
)
_HOLDING = text(
    """
    SELECT member.example_id
    FROM dataset_version_examples AS member JOIN examples AS example ON example.id = member.example_id
    WHERE member.version_id = :version_id AND EXISTS (
      SELECT FROM jsonb_array_elements(example.messages || COALESCE(example.rejected, '[]')) AS turn
      WHERE EXISTS (SELECT FROM unnest(CAST(:texts AS text[])) AS old WHERE position(old IN turn ->> 'content') > 0)
    )
    ORDER BY member.position
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """``actions`` now stand in the plan, proposed; ``left_out`` more rows fit than were asked for."""

    repair: RepairRow
    actions: list[RepairActionRow]
    left_out: int


def add_similar(
    session: Session, project_id: str, action_id: str, *, limit: int, if_revision: int | None = None
) -> Added:
    """Propose the action's change for every row that it fits and that no other action speaks for.

    ``if_revision`` is the action's. Raises InvalidInput for an action that says nothing about other rows.
    """
    read = plans.get_action(session, project_id, action_id)
    repair = plans.require_open(session, project_id, read.repair_id)
    session.refresh(read)
    plans.require_action_revision(read, if_revision)
    version = versions.require_alive(session, repair.dataset_version_id)
    action = action_of(read)
    model = _model(session, version.id, read)
    taken = spoken_for(action, _others(session, repair.id))
    candidates = [
        example
        for example in _candidates(session, version.id, action, model)
        if example.id == model.id or example.id not in taken
    ]
    try:
        proposed, left_out = propose_similar(action, action_id, model, candidates, limit=limit)
    except ValueError as error:
        raise InvalidInput(str(error)) from error
    last = session.scalar(
        select(func.max(RepairActionRow.ordinal)).where(RepairActionRow.repair_id == repair.id)
    )
    rows = plans.add_actions(session, repair, proposed, start=(last or 0) + 1)
    if rows:
        repair.revision += 1
        events.append(
            session, project_id, repair.id, "actions_added", {"modelled_on": action_id, "actions": len(rows)}
        )
    return Added(repair=repair, actions=rows, left_out=left_out)


def _model(session: Session, version_id: str, row: RepairActionRow) -> TrainingExample:
    found = versions.load_by_ids(session, version_id, row.example_ids[:1])
    if not found:
        raise InvalidInput(f"action {row.id} is about no row of {version_id}: there is nothing to be like")
    return found[0]


def _others(session: Session, repair_id: str) -> Iterator[ProposedAction]:
    """The plan's actions without their contents."""
    rows = session.execute(
        select(
            RepairActionRow.kind, RepairActionRow.decision, RepairActionRow.example_ids, RepairActionRow.score
        ).where(RepairActionRow.repair_id == repair_id)
    )
    for kind, decision, example_ids, score in rows:
        yield ProposedAction(
            kind=ActionKind(kind),
            example_ids=tuple(example_ids),
            before=(),
            after=(),
            reason="",
            score=score,
            decision=Decision(decision),
        )


def _candidates(
    session: Session, version_id: str, action: ProposedAction, model: TrainingExample
) -> list[TrainingExample]:
    """Rows that the action may fit: those that the database can tell, or all."""
    if action.kind in (ActionKind.RELABEL, ActionKind.DROP):
        ids = session.scalars(_SAME_ANSWER, {"version_id": version_id, "answer": model.output})
        return versions.load_by_ids(session, version_id, list(ids))
    texts = replaced_texts(action)
    if texts:
        ids = session.scalars(_HOLDING, {"version_id": version_id, "texts": list(texts)})
        return versions.load_by_ids(session, version_id, list(ids))
    if action.kind is ActionKind.NORMALISE:
        return list(versions.iter_examples(session, version_id, batch=5000))
    return []
