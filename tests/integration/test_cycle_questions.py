"""A cycle whose plan asks a person: it goes on without the rows in question, or waits for the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.db.models import (
    CycleRow,
    DatasetVersionRow,
    MixtureRow,
    RepairActionRow,
    RepairRow,
    RepairRunRow,
    VerificationRow,
)
from app.domain.job_status import Status
from app.domain.pipeline import CycleStage
from app.domain.records import TrainingExample
from app.domain.repair.draft.actions import ActionKind
from app.domain.repair.plan import ProposedAction, RepairPlan
from app.domain.repair.policy.decision import Decision
from app.errors import InvalidInput
from app.queue import Stage
from app.services.cycles import advance, cycles
from app.services.repairs import decisions, open_questions, plans, runs
from app.services.repairs.selection import ActionFilter
from app.services.versions import lineage, versions
from app.services.work import lifecycle, work
from tests.integration.builders import (
    action,
    add_cycle,
    claim,
    claim_stage,
    event_types,
    finish_stage,
    finish_until,
    jobs,
    verification_result,
)
from workers.stages import mix

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def asking(
    kind: ActionKind, rows: Sequence[TrainingExample], *, outputs: Sequence[str] = (), **evidence: Any
) -> ProposedAction:
    made = action(kind, rows, outputs=outputs, decision=Decision.PROPOSED)
    return replace(made, evidence={"rule": "ask", "asks_person": True, **evidence})


def planned(session: Session, project: str, *, asked: bool = True, **policy: Any) -> CycleRow:
    """Its plan relabels Q0, asks which of Q1 and Q2 is right and whether Q3 is a copy, and leaves Q4 and Q5."""
    cycle = add_cycle(session, project, rows=6, **policy)
    finish_until(session, cycle, CycleStage.REPAIR)
    q = versions.load_examples(session, cycle.dataset_version_id)
    plan = [action(ActionKind.RELABEL, [q[0]], outputs=["new"])]
    if asked:
        plan += [
            asking(ActionKind.MERGE, q[1:3]),
            asking(ActionKind.DROP, [q[3]], rows_stay=True),
        ]
    row = work.held(session, claim_stage(session, cycle), to_finish=True)
    assert isinstance(row, RepairRow)
    plans.save_plan(session, row, RepairPlan(actions=tuple(plan), summary={}))
    lifecycle.finish(session, row, Status.SUCCEEDED)
    return cycle


def names(cycle: CycleRow) -> list[tuple[str, str]]:
    return [(entry["name"], entry["status"]) for entry in cycle.stages]


def open_actions(session: Session, repair_id: str) -> list[RepairActionRow]:
    rows = session.query(RepairActionRow).filter_by(repair_id=repair_id).order_by(RepairActionRow.ordinal)
    return [row for row in rows if row.decision == Decision.PROPOSED]


def decide(session: Session, project: str, row: RepairActionRow, decision: Decision, **more: Any) -> None:
    decisions.decide(session, project, row.id, decision=decision, key_id=None, now=NOW, **more)


def test_a_cycle_goes_on_by_itself_and_says_what_is_open(session: Session, project: str) -> None:
    cycle = planned(session, project)
    assert (cycle.status, cycle.stage) == (Status.RUNNING, "augment")
    assert "open_questions" in event_types(session, cycle.id)
    repair_id = cycle.stages[1]["result_id"]
    q = versions.load_examples(session, cycle.dataset_version_id)
    told = {
        "count": 2,
        "rows_kept_out": 2,
        "example_ids": [q[1].id, q[2].id],
        "repair_id": repair_id,
        "url": f"/v1/repairs/{repair_id}/actions?decision=proposed&asks=true",
    }
    assert cycle.stages[1]["open_questions"] == told
    finish_until(session, cycle, CycleStage.VERIFY)
    finish_stage(session, cycle, fixed=4)
    assert cycle.verdict is not None
    assert cycle.verdict["open_questions"] == told
    assert any("2 questions are open" in reason and "2 rows" in reason for reason in cycle.verdict["reasons"])


def test_a_cycle_without_questions_says_so_and_waits_for_nothing(session: Session, project: str) -> None:
    cycle = planned(session, project, asked=False, questions="wait")
    assert names(cycle)[-1] == ("augment", "running")
    assert "open_questions" not in event_types(session, cycle.id)
    finish_until(session, cycle, CycleStage.VERIFY)
    finish_stage(session, cycle, fixed=4)
    assert cycle.verdict is not None
    assert (cycle.verdict["open_questions"]["count"], cycle.verdict["reasons"]) == (0, [])


def test_rows_in_question_are_in_the_version_and_not_in_the_mixture(session: Session, project: str) -> None:
    cycle = planned(session, project)
    finish_until(session, cycle, CycleStage.MIX)
    row = session.get_one(MixtureRow, cycle.stages[-1]["result_id"])
    q = versions.load_examples(session, cycle.dataset_version_id)
    standing = {e.id for e in versions.load_examples(session, row.dataset_version_id)}
    assert {q[1].id, q[2].id} <= standing
    assert mix.in_question(session, row) == {q[1].id, q[2].id}


def test_a_row_in_question_is_known_by_the_id_that_another_change_gave_it(
    session: Session, project: str
) -> None:
    cycle = add_cycle(session, project)
    finish_until(session, cycle, CycleStage.REPAIR)
    q = versions.load_examples(session, cycle.dataset_version_id)
    plan = [
        action(ActionKind.NORMALISE, [q[0]], outputs=["A 0"]),
        action(ActionKind.DROP, [q[1]]),
        asking(ActionKind.RELABEL, q[:2], outputs=["x", "x"]),
    ]
    row = work.held(session, claim_stage(session, cycle), to_finish=True)
    assert isinstance(row, RepairRow)
    plans.save_plan(session, row, RepairPlan(actions=tuple(plan), summary={}))
    lifecycle.finish(session, row, Status.SUCCEEDED)
    finish_until(session, cycle, CycleStage.MIX)
    mixture = session.get_one(MixtureRow, cycle.stages[-1]["result_id"])
    (left,) = mix.in_question(session, mixture)
    standing = {e.id: e for e in versions.load_examples(session, mixture.dataset_version_id)}
    assert (left != q[0].id, standing[left].output) == (True, "A 0")
    assert lineage.became(
        session, cycle.dataset_version_id, [q[0].id], ancestor_id=cycle.dataset_version_id
    ) == {q[0].id}


def test_a_cycle_that_waits_goes_on_when_every_question_is_answered(session: Session, project: str) -> None:
    cycle = planned(session, project, questions="wait")
    queued = jobs(session)
    assert (cycle.status, cycle.stage) == (Status.RUNNING, "questions")
    assert names(cycle)[-2:] == [("repair", "succeeded"), ("questions", "running")]
    assert cycle.stages[-1]["open_questions"]["count"] == 2
    repair_id = cycle.stages[-1]["result_id"]
    which, copy = open_actions(session, repair_id)
    with pytest.raises(InvalidInput, match="reject the action"):
        decide(session, project, which, Decision.APPROVED)
    decide(session, project, which, Decision.APPROVED, answer="A1")
    assert (cycle.stage, jobs(session)) == ("questions", queued)
    decide(session, project, copy, Decision.REJECTED)
    (run,) = session.query(RepairRunRow).filter_by(repair_id=repair_id)
    assert jobs(session)[len(queued) :] == [("cpu", "apply", run.id)]
    assert cycle.stage == "questions"
    # a worker dies with it, and another one takes over
    claim(session, Stage.APPLY, run.id)
    again = lifecycle.claim(session, Stage.APPLY, run.id, run_token="run_2", max_attempts=5)
    assert again is not None
    held = work.held(session, again, to_finish=True)
    assert isinstance(held, RepairRunRow)
    runs.carry_out(session, held)
    lifecycle.finish(session, held, Status.SUCCEEDED)
    assert names(cycle)[-2:] == [("questions", "succeeded"), ("augment", "running")]
    assert cycle.stages[-2]["open_questions"]["count"] == 0
    assert [entry for entry in event_types(session, cycle.id) if "question" in entry] == [
        "open_questions",
        "questions_answered",
    ]
    version = session.get_one(DatasetVersionRow, run.result_version_id)
    assert version.rows == 5


def test_many_answers_at_once_let_a_waiting_cycle_go_on(session: Session, project: str) -> None:
    cycle = planned(session, project, questions="wait")
    repair_id = cycle.stages[-1]["result_id"]
    decisions.decide_many(
        session,
        project,
        repair_id,
        decision=Decision.REJECTED,
        chosen=ActionFilter(asks=True),
        key_id=None,
        now=NOW,
    )
    assert open_questions.of_repair(session, repair_id).count == 0
    assert [stage for _, stage, _ in jobs(session)].count("apply") == 1


def test_a_question_that_stops_a_cycle_is_waited_for_though_it_would_go_on(
    session: Session, project: str
) -> None:
    cycle = add_cycle(session, project)
    finish_until(session, cycle, CycleStage.REPAIR)
    q = versions.load_examples(session, cycle.dataset_version_id)
    plan = [
        asking(ActionKind.REDACT, [q[0]], outputs=["[name]"], stops_cycle=True),
        asking(ActionKind.MERGE, q[1:3]),
    ]
    row = work.held(session, claim_stage(session, cycle), to_finish=True)
    assert isinstance(row, RepairRow)
    plans.save_plan(session, row, RepairPlan(actions=tuple(plan), summary={}))
    lifecycle.finish(session, row, Status.SUCCEEDED)
    assert cycle.stage == "questions"
    first, second = open_actions(session, row.id)
    decide(session, project, first, Decision.APPROVED)
    assert [stage for _, stage, _ in jobs(session)].count("apply") == 1
    assert second.decision == Decision.PROPOSED


def test_a_person_may_apply_a_plan_whose_questions_are_open(session: Session, project: str) -> None:
    cycle = planned(session, project, questions="wait")
    advance.apply_repair(session, project, cycle.stages[-1]["result_id"])
    assert names(cycle)[-2:] == [("questions", "succeeded"), ("augment", "running")]
    assert cycle.stages[-2]["open_questions"]["count"] == 2


def test_a_cycle_that_waits_for_answers_is_cancelled_at_once(session: Session, project: str) -> None:
    cycle = planned(session, project, questions="wait")
    repair_id = cycle.stages[-1]["result_id"]
    queued = jobs(session)
    cycles.cancel(session, project, cycle.id)
    assert (cycle.status, names(cycle)[-1]) == (Status.CANCELLED, ("questions", "cancelled"))
    for row in open_actions(session, repair_id):
        decide(session, project, row, Decision.REJECTED)
    assert jobs(session) == queued


def test_a_policy_that_is_none_is_refused(session: Session, project: str) -> None:
    with pytest.raises(InvalidInput, match="go_on"):
        add_cycle(session, project, questions="maybe")


def test_without_anything_that_shows_what_was_forgotten_the_gate_is_inconclusive(
    session: Session, project: str
) -> None:
    cycle = add_cycle(session, project, max_attempts=1)
    finish_until(session, cycle, CycleStage.VERIFY)
    row = work.held(session, claim_stage(session, cycle), to_finish=True)
    assert isinstance(row, VerificationRow)
    row.result = verification_result(fixed=4, accepted=False) | {"retention": None}
    lifecycle.finish(session, row, Status.SUCCEEDED)
    assert cycle.verdict is not None
    assert cycle.verdict["gate"] == "inconclusive"
