"""Repair plans: decided by people, carried out once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.models import DatasetRow, DatasetVersionRow, RepairActionRow, RepairRow
from app.db.repositories.versions import changes_of
from app.db.session import SessionFactory, transaction
from app.domain.repair.plan import ActionKind, Decision
from app.errors import Conflict, InvalidInput, NotFound, PreconditionFailed, StageError
from app.queue import Stage
from app.services import projects
from app.services.repairs import applying, decisions, plans
from app.services.repairs.selection import ActionFilter
from app.services.versions import versions
from app.services.work import lifecycle
from tests.integration.builders import action, add_diagnosis, add_repair, add_version, event_types, succeed
from tests.integration.waiting import in_thread, until_blocked_or_done

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


@pytest.fixture
def repair(sessions: SessionFactory, project: str) -> RepairRow:
    """A plan on Q0..Q4: drop Q0, relabel Q1, add one row; all approved but the drop, which is proposed."""
    with transaction(sessions) as session:
        version = add_version(session, project, 5)
        rows = versions.load_examples(session, version.id)
        plan = [
            action(ActionKind.DROP, [rows[0]], decision=Decision.PROPOSED, score=0.4),
            action(ActionKind.RELABEL, [rows[1]], outputs=["better"]),
            action(ActionKind.ADD, [], outputs=["new"], score=0.8),
        ]
        return add_repair(session, project, plan, version=version)


def actions_of(session: Session, repair: RepairRow) -> list[RepairActionRow]:
    statement = select(RepairActionRow).where(RepairActionRow.repair_id == repair.id)
    return list(session.scalars(statement.order_by(RepairActionRow.ordinal)))


def decisions_of(session: Session, repair: RepairRow) -> list[str]:
    return [row.decision for row in actions_of(session, repair)]


def outputs(session: Session, version: DatasetVersionRow) -> list[str]:
    return [e.output for e in versions.load_examples(session, version.id)]


def version_count(session: Session) -> int:
    return len(session.scalars(select(DatasetVersionRow.id)).all())


def test_a_plan_is_kept_in_its_order_with_everything_a_person_needs(
    session: Session, repair: RepairRow
) -> None:
    rows = actions_of(session, repair)
    assert [r.kind for r in rows] == ["drop", "relabel", "add"]
    assert decisions_of(session, repair) == ["proposed", "approved", "approved"]
    assert rows[1].before[0]["messages"][-1]["content"] == "A1"
    assert rows[1].after[0]["messages"][-1]["content"] == "better"
    assert plans.count_actions(session, repair.id) == {
        "drop": {"proposed": 1},
        "relabel": {"approved": 1},
        "add": {"approved": 1},
    }


def test_only_approved_actions_are_carried_out(session: Session, project: str, repair: RepairRow) -> None:
    parent = session.get_one(DatasetVersionRow, repair.dataset_version_id)
    version = applying.apply(session, project, repair.id)
    assert outputs(session, version) == ["A0", "better", "A2", "A3", "A4", "new"]
    assert outputs(session, parent) == ["A0", "A1", "A2", "A3", "A4"]
    assert (version.parent_id, version.recipe) == (parent.id, {"kind": "repair", "repair_id": repair.id})
    assert decisions_of(session, repair) == ["proposed", "applied", "applied"]
    assert event_types(session, repair.id)[-1] == "applied"


def test_every_change_of_the_version_names_the_action_and_its_reason(
    session: Session, project: str, repair: RepairRow
) -> None:
    version = applying.apply(session, project, repair.id)
    _, relabel, add = actions_of(session, repair)
    assert [(c.kind, c.action_id, c.reason) for c in changes_of(session, version.id)] == [
        ("changed", relabel.id, "because of relabel"),
        ("added", add.id, "because of add"),
    ]


def test_applying_twice_gives_the_same_version(session: Session, project: str, repair: RepairRow) -> None:
    first = applying.apply(session, project, repair.id)
    made = version_count(session)
    revisions = [row.revision for row in actions_of(session, repair)]
    assert applying.apply(session, project, repair.id).id == first.id
    assert version_count(session) == made
    assert [row.revision for row in actions_of(session, repair)] == revisions
    assert event_types(session, repair.id).count("applied") == 1


def test_two_people_who_apply_at_once_get_one_version(
    sessions: SessionFactory, project: str, repair: RepairRow
) -> None:
    both = Barrier(2, timeout=10)

    def apply(session: Session) -> str:
        both.wait()
        return applying.apply(session, project, repair.id).id

    with ThreadPoolExecutor(2) as pool:
        made = [f.result(timeout=20) for f in [in_thread(pool, sessions, apply) for _ in range(2)]]
    assert made[0] == made[1]
    with sessions() as session:
        assert version_count(session) == 2


def test_a_plan_without_an_approved_action_changes_nothing(
    session: Session, project: str, repair: RepairRow
) -> None:
    decisions.decide_many(session, project, repair.id, decision=Decision.REJECTED, key_id="key_1", now=NOW)
    before = version_count(session)
    version = applying.apply(session, project, repair.id)
    assert version.id == repair.dataset_version_id
    assert version_count(session) == before
    session.expire_all()
    assert decisions_of(session, repair) == ["rejected"] * 3
    assert session.get_one(RepairRow, repair.id).applied_at is not None


def test_a_decision_is_kept_with_who_and_when(session: Session, project: str, repair: RepairRow) -> None:
    drop = actions_of(session, repair)[0]
    row = decisions.decide(session, project, drop.id, decision=Decision.APPROVED, key_id="key_1", now=NOW)
    assert (row.decision, row.decided_by, row.decided_at, row.revision) == ("approved", "key_1", NOW, 2)
    version = applying.apply(session, project, repair.id)
    assert outputs(session, version) == ["better", "A2", "A3", "A4", "new"]


def test_a_decision_on_what_was_read_stale_is_refused(
    session: Session, project: str, repair: RepairRow
) -> None:
    drop = actions_of(session, repair)[0]
    decisions.decide(
        session, project, drop.id, decision=Decision.REJECTED, key_id="key_1", now=NOW, if_revision=1
    )
    with pytest.raises(PreconditionFailed, match="revision 2"):
        decisions.decide(
            session, project, drop.id, decision=Decision.APPROVED, key_id="key_2", now=NOW, if_revision=1
        )
    assert decisions_of(session, repair)[0] == "rejected"


def test_two_people_who_decide_at_once_do_not_overwrite_each_other(
    sessions: SessionFactory, project: str, repair: RepairRow
) -> None:
    with sessions() as session:
        drop_id = actions_of(session, repair)[0].id
    both = Barrier(2, timeout=10)

    def decide(decision: Decision, key_id: str) -> str:
        try:
            with transaction(sessions) as session:
                read = plans.get_action(session, project, drop_id).revision
                both.wait()
                decisions.decide(
                    session, project, drop_id, decision=decision, key_id=key_id, now=NOW, if_revision=read
                )
        except PreconditionFailed:
            return "refused"
        return key_id

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(decide, Decision.APPROVED, "key_1")
        other = pool.submit(decide, Decision.REJECTED, "key_2")
        said = {one.result(timeout=20), other.result(timeout=20)}
    assert "refused" in said
    (winner,) = said - {"refused"}
    with sessions() as session:
        row = session.get_one(RepairActionRow, drop_id)
        assert (row.decided_by, row.revision) == (winner, 2)
        assert row.decision == {"key_1": "approved", "key_2": "rejected"}[winner]


def test_nothing_is_decided_after_the_plan_is_applied(
    session: Session, project: str, repair: RepairRow
) -> None:
    applying.apply(session, project, repair.id)
    for row in actions_of(session, repair):
        with pytest.raises(Conflict, match="applied"):
            decisions.decide(session, project, row.id, decision=Decision.REJECTED, key_id=None, now=NOW)
    with pytest.raises(Conflict, match="applied"):
        decisions.decide_many(session, project, repair.id, decision=Decision.REJECTED, key_id=None, now=NOW)
    assert decisions_of(session, repair) == ["proposed", "applied", "applied"]


@pytest.mark.parametrize(
    ("ordinal", "decision"),
    [(1, Decision.REJECTED), (0, Decision.APPROVED)],
    ids=["a rejection", "an approval"],
)
def test_a_decision_that_meets_an_apply_is_carried_out_or_refused(
    sessions: SessionFactory, project: str, repair: RepairRow, ordinal: int, decision: Decision
) -> None:
    """Whoever is told that the decision was taken finds it in the version."""
    with ThreadPoolExecutor(1) as pool:
        with transaction(sessions) as person:
            chosen = actions_of(person, repair)[ordinal]
            decisions.decide(person, project, chosen.id, decision=decision, key_id="key_1", now=NOW)
            applied = in_thread(pool, sessions, lambda s: applying.apply(s, project, repair.id).id)
            until_blocked_or_done(sessions, applied)
        version_id = applied.result(timeout=10)
    with sessions() as session:
        expected = {
            Decision.REJECTED: (["A0", "A1", "A2", "A3", "A4", "new"], ["proposed", "rejected", "applied"]),
            Decision.APPROVED: (["better", "A2", "A3", "A4", "new"], ["applied"] * 3),
        }[decision]
        version = session.get_one(DatasetVersionRow, version_id)
        assert (outputs(session, version), decisions_of(session, repair)) == expected


def test_a_decision_sees_an_apply_that_came_after_its_session_first_read_the_plan(
    sessions: SessionFactory, project: str, repair: RepairRow
) -> None:
    with sessions() as person:
        drop, relabel, _ = actions_of(person, repair)
        read = plans.get(person, project, repair.id)
        assert read.applied_at is None
        with transaction(sessions) as other:
            applying.apply(other, project, repair.id)
        for row in (drop, relabel):
            with pytest.raises(Conflict):
                decisions.decide(person, project, row.id, decision=Decision.REJECTED, key_id=None, now=NOW)


def test_many_are_decided_by_what_they_have_in_common(
    session: Session, project: str, repair: RepairRow
) -> None:
    drop, relabel, add = actions_of(session, repair)
    filters = [
        ({"kind": "drop"}, 1),
        ({"decision": "approved"}, 2),
        ({"min_score": 0.85}, 1),
        ({"action_ids": [drop.id, add.id]}, 2),
        ({"action_ids": []}, 0),
        ({"kind": "merge"}, 0),
        ({}, 3),
    ]
    for chosen, hit in filters:
        with session.begin_nested() as savepoint:
            decided = decisions.decide_many(
                session,
                project,
                repair.id,
                decision=Decision.REJECTED,
                key_id="key_1",
                now=NOW,
                chosen=ActionFilter(**chosen),
            )
            assert decided == hit, chosen
            session.expire_all()
            assert decisions_of(session, repair).count("rejected") == hit, chosen
            savepoint.rollback()
    session.expire_all()
    assert relabel.revision == 1


def test_nobody_says_applied_but_the_apply(session: Session, project: str, repair: RepairRow) -> None:
    drop = actions_of(session, repair)[0]
    with pytest.raises(InvalidInput, match="apply"):
        decisions.decide(session, project, drop.id, decision=Decision.APPLIED, key_id=None, now=NOW)
    with pytest.raises(InvalidInput, match="apply"):
        decisions.decide_many(session, project, repair.id, decision=Decision.APPLIED, key_id=None, now=NOW)


def test_a_plan_that_is_not_there_yet_is_neither_decided_nor_applied(session: Session, project: str) -> None:
    diagnosis = add_diagnosis(session, project)
    with pytest.raises(InvalidInput, match="queued"):
        plans.create(session, project, diagnosis_id=diagnosis.id)
    succeed(session, Stage.DIAGNOSE, diagnosis.id)
    row = plans.create(session, project, diagnosis_id=diagnosis.id)
    with pytest.raises(Conflict, match="queued"):
        applying.apply(session, project, row.id)
    with pytest.raises(Conflict, match="queued"):
        decisions.decide_many(session, project, row.id, decision=Decision.APPROVED, key_id=None, now=NOW)
    lifecycle.cancel(session, RepairRow, project, row.id)
    with pytest.raises(Conflict, match="cancelled"):
        applying.apply(session, project, row.id)


def test_a_policy_that_is_none_is_refused_before_it_is_queued(session: Session, project: str) -> None:
    diagnosis = add_diagnosis(session, project)
    succeed(session, Stage.DIAGNOSE, diagnosis.id)
    with pytest.raises(InvalidInput, match="nonsense"):
        plans.create(session, project, diagnosis_id=diagnosis.id, policy={"nonsense": 1})


def test_a_repair_of_a_deleted_dataset_is_not_applied(
    session: Session, project: str, repair: RepairRow
) -> None:
    parent = session.get_one(DatasetVersionRow, repair.dataset_version_id)
    session.get_one(DatasetRow, parent.dataset_id).deleted_at = NOW
    session.flush()
    with pytest.raises(StageError, match="deleted"):
        applying.apply(session, project, repair.id)
    assert version_count(session) == 1


def test_the_repairs_of_another_project_are_not_there(
    session: Session, project: str, repair: RepairRow
) -> None:
    other = projects.create_project(session, "other").id
    drop = actions_of(session, repair)[0]
    with pytest.raises(NotFound):
        applying.apply(session, other, repair.id)
    with pytest.raises(NotFound):
        decisions.decide(session, other, drop.id, decision=Decision.APPROVED, key_id=None, now=NOW)
    with pytest.raises(NotFound):
        decisions.decide_many(session, other, repair.id, decision=Decision.APPROVED, key_id=None, now=NOW)
    assert decisions_of(session, repair) == ["proposed", "approved", "approved"]
