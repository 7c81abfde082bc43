"""People and policies decide what of a plan is carried out.

Every decision locks its repair and raises its revision: who has read an older state is told so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, not_, select, type_coerce
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from app.db.models import RepairActionRow, RepairRow
from app.domain.repair.apply import chosen_answer
from app.domain.repair.draft.actions import needs_answer
from app.domain.repair.policy.decision import Decision
from app.domain.repair.policy.decisions import DecisionPolicy
from app.errors import Conflict, InvalidInput, NotFound
from app.services.cycles import advance
from app.services.repairs import applying, plans, selection
from app.services.repairs.selection import ActionFilter
from app.services.versions import versions

_SHOWN_ANSWERS = 6


def decide(
    session: Session,
    project_id: str,
    action_id: str,
    *,
    decision: Decision,
    answer: str | None = None,
    key_id: str | None,
    now: datetime,
    if_revision: int | None = None,
) -> RepairActionRow:
    """Approve, reject or reopen one action. 409 once its repair is applied, 412 when read stale.

    ``answer``: what its rows shall say instead of what is proposed (``chosen_answer.with_answer``)."""
    action = plans.get_action(session, project_id, action_id)
    plans.refuse_while_running(session, action.repair_id)
    # the repair first, as apply does: a decision and an apply never pass each other by
    repair = plans.lock(session, project_id, action.repair_id)
    row = session.scalar(
        select(RepairActionRow)
        .where(RepairActionRow.id == action_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound(f"no repair action {action_id} in this project")
    _refuse_applied_decision(decision)
    if row.decision == Decision.APPLIED or repair.applied_at is not None:
        raise Conflict(f"the repair of {action_id} is applied already; start another repair to change more")
    plans.refuse_while_running(session, repair.id)
    plans.require_action_revision(row, if_revision)
    if decision is Decision.APPROVED and answer is None and needs_answer(row.kind, row.after):
        raise InvalidInput(_which_answer(row), errors=[{"pointer": "/answer", "message": _which_answer(row)}])
    if answer is not None:
        _choose(session, repair, row, decision, answer)
        _reject_siblings(session, row, key_id=key_id, now=now)
    row.decision = decision.value
    row.decided_by = key_id
    row.decided_at = now
    row.revision += 1
    repair.revision += 1
    session.flush()
    advance.questions_decided(session, repair)
    return row


def _which_answer(row: RepairActionRow) -> str:
    """What to give, where an action proposes no answer."""
    said = " or ".join(f'"{side["output"]}"' for side in row.evidence.get("sides", ())[:_SHOWN_ANSWERS])
    given = f", such as {said}" if said else ""
    return (
        f"answer: nothing speaks for one of the answers, so approving needs the right one{given}; "
        "or reject the action to leave the rows as they are"
    )


def _choose(
    session: Session, repair: RepairRow, row: RepairActionRow, decision: Decision, answer: str
) -> None:
    if decision is Decision.REJECTED:
        raise InvalidInput("answer: goes with the decision approved or proposed; a rejected action has none")
    action = applying.action_of(row)
    rows = versions.load_by_ids(session, repair.dataset_version_id, chosen_answer.rows_concerned(action))
    try:
        chosen = chosen_answer.with_answer(action, answer, {r.id: r.content() for r in rows})
    except ValueError as error:
        raise InvalidInput(str(error), errors=[{"pointer": "/answer", "message": str(error)}]) from error
    row.example_ids = list(chosen.example_ids)
    row.before = list(chosen.before)
    row.after = list(chosen.after)
    row.evidence = dict(chosen.evidence)
    row.reason = chosen.reason


def _reject_siblings(session: Session, row: RepairActionRow, *, key_id: str | None, now: datetime) -> None:
    """A dispute that was settled row by row has an action for each losing row; a chosen answer is for all."""
    sides = row.evidence.get("sides")
    if sides:
        session.flush()  # what is written below reads every action anew
        siblings = [
            RepairActionRow.id != row.id,
            RepairActionRow.kind == row.kind,
            RepairActionRow.rule == row.rule,
            RepairActionRow.evidence["sides"] == type_coerce(sides, JSONB),
        ]
        selection.update_actions(
            session,
            row.repair_id,
            siblings,
            decision=Decision.REJECTED.value,
            decided_by=key_id,
            decided_at=now,
        )


def decide_many(
    session: Session,
    project_id: str,
    repair_id: str,
    *,
    decision: Decision,
    chosen: ActionFilter | None = None,
    key_id: str | None,
    now: datetime,
    if_revision: int | None = None,
) -> int:
    """Decide every action that meets the filter; returns how many. 412 when the repair was read stale.

    Approving many leaves out those that need an answer of their own."""
    _refuse_applied_decision(decision)
    repair = plans.require_open(session, project_id, repair_id, if_revision)
    conditions = (chosen or ActionFilter()).conditions()
    if decision is Decision.APPROVED:
        conditions.append(not_(selection.waits_for_answer()))
    return _decide_where(session, repair, decision, conditions, key_id=key_id, now=now)


def decide_by_policy(
    session: Session,
    project_id: str,
    repair_id: str,
    policy: DecisionPolicy,
    *,
    chosen: ActionFilter | None = None,
    key_id: str | None,
    now: datetime,
    if_revision: int | None = None,
) -> int:
    """Approve the proposed actions that reach the policy's bar; what a person decided stays. Returns how many."""
    repair = plans.require_open(session, project_id, repair_id, if_revision)
    conditions = [
        *(chosen or ActionFilter()).conditions(),
        RepairActionRow.decision == Decision.PROPOSED,
        selection.approved_by(policy),
        not_(selection.waits_for_answer()),
    ]
    return _decide_where(session, repair, Decision.APPROVED, conditions, key_id=key_id, now=now)


def _decide_where(
    session: Session,
    repair: RepairRow,
    decision: Decision,
    conditions: Sequence[ColumnElement[bool]],
    *,
    key_id: str | None,
    now: datetime,
) -> int:
    decided = selection.update_actions(
        session, repair.id, conditions, decision=decision.value, decided_by=key_id, decided_at=now
    )
    repair.revision += 1
    session.flush()
    advance.questions_decided(session, repair)
    return decided


def _refuse_applied_decision(decision: Decision) -> None:
    if decision is Decision.APPLIED:
        raise InvalidInput(
            "decision: only apply makes an action 'applied'; send approved, rejected or proposed"
        )
