"""Repairs taken back, whole and action by action: the rows are as they would be without."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.models import DatasetVersionRow, RepairActionRow, RepairRow
from app.db.repositories.pages import PageRequest
from app.db.repositories.versions import changes_of
from app.domain.repair.plan import ActionKind, Decision
from app.errors import Conflict, InvalidInput, NotFound
from app.services.repairs import applying, reverting
from app.services.versions import lineage, version_diff, versions
from app.services.versions.versions import Change
from tests.integration.builders import action, add_plan, add_repair, add_version, event_types, example

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


@pytest.fixture
def first(session: Session, project: str) -> DatasetVersionRow:
    return add_version(session, project, 6)


@pytest.fixture
def repair(session: Session, project: str, first: DatasetVersionRow) -> RepairRow:
    """Drop the first and the last row, relabel Q1 twice, merge Q2 and Q3, add one, copy Q4."""
    q = versions.load_examples(session, first.id)
    plan = [
        action(ActionKind.DROP, [q[0]]),
        action(ActionKind.RELABEL, [q[1]], outputs=["better"]),
        action(ActionKind.RELABEL, [q[1]], outputs=["best"]),
        action(ActionKind.MERGE, [q[2], q[3]], outputs=["merged"]),
        action(ActionKind.ADD, [], outputs=["new"]),
        action(ActionKind.UPSAMPLE, [q[4]], outputs=["A4"]),
        action(ActionKind.DROP, [q[5]]),
    ]
    return add_repair(session, project, plan, version=first)


def outputs(session: Session, version: DatasetVersionRow) -> list[str]:
    return [e.output for e in versions.load_examples(session, version.id)]


def ids(session: Session, repair: RepairRow, *ordinals: int) -> list[str]:
    rows = session.scalars(
        select(RepairActionRow)
        .where(RepairActionRow.repair_id == repair.id)
        .order_by(RepairActionRow.ordinal)
    ).all()
    return [rows[i].id for i in ordinals]


def test_a_whole_revert_has_the_first_versions_rows_order_and_hash(
    session: Session, project: str, first: DatasetVersionRow, repair: RepairRow
) -> None:
    made = applying.apply(session, project, repair.id)
    assert outputs(session, made) == ["best", "merged", "A4", "new", "A4"]
    back = reverting.revert(session, project, repair.id, now=NOW)
    assert (back.content_hash, back.parent_id) == (first.content_hash, made.id)
    assert versions.load_examples(session, back.id) == versions.load_examples(session, first.id)
    assert back.recipe == {"kind": "revert", "repair_id": repair.id, "actions": 7}
    assert (repair.result_version_id, repair.reverted_version_id) == (made.id, back.id)
    assert event_types(session, repair.id)[-1] == "reverted"
    for row in session.scalars(select(RepairActionRow)):
        assert (row.decision, row.reverted_at, row.reverted_in_version_id) == ("applied", NOW, back.id)
    assert all(c.reason.startswith("reverted: because of") for c in changes_of(session, back.id))


def test_what_was_reverted_is_no_difference_any_more(
    session: Session, project: str, first: DatasetVersionRow, repair: RepairRow
) -> None:
    applying.apply(session, project, repair.id)
    back = reverting.revert(session, project, repair.id, now=NOW)
    diff = version_diff.diff(session, project, back.id, first.id, PageRequest())
    assert diff.counts == {"added": 0, "removed": 0, "changed": 0}
    assert lineage.taught_since(session, back.id, ancestor_id=first.id) == frozenset()


def test_reverting_twice_gives_the_same_version(session: Session, project: str, repair: RepairRow) -> None:
    applying.apply(session, project, repair.id)
    back = reverting.revert(session, project, repair.id, now=NOW)
    assert reverting.revert(session, project, repair.id, now=NOW).id == back.id
    assert len(session.scalars(select(DatasetVersionRow.id)).all()) == 3


@pytest.mark.parametrize(
    ("ordinals", "expected"),
    [
        ((0,), ["A0", "best", "merged", "A4", "new", "A4"]),
        ((2,), ["better", "merged", "A4", "new", "A4"]),
        ((1,), ["best", "merged", "A4", "new", "A4"]),
        ((1, 2), ["A1", "merged", "A4", "new", "A4"]),
        ((3,), ["best", "A2", "A3", "A4", "new", "A4"]),
        ((4,), ["best", "merged", "A4", "A4"]),
        ((5,), ["best", "merged", "A4", "new"]),
        ((6,), ["best", "merged", "A4", "A5", "new", "A4"]),
    ],
)
def test_one_action_is_taken_back_and_the_others_stand(
    session: Session, project: str, repair: RepairRow, ordinals: tuple[int, ...], expected: list[str]
) -> None:
    applying.apply(session, project, repair.id)
    chosen = ids(session, repair, *ordinals)
    back = reverting.revert(session, project, repair.id, action_ids=chosen, now=NOW)
    assert outputs(session, back) == expected
    marked = session.scalars(select(RepairActionRow.id).where(RepairActionRow.reverted_at.is_not(None))).all()
    assert set(marked) == set(chosen)


def test_actions_taken_back_one_after_the_other_end_where_the_whole_revert_does(
    session: Session, project: str, first: DatasetVersionRow, repair: RepairRow
) -> None:
    applying.apply(session, project, repair.id)
    back = first
    for ordinal in (3, 0, 5, 2, 6, 4, 1):
        chosen = ids(session, repair, ordinal)
        back = reverting.revert(session, project, repair.id, action_ids=chosen, now=NOW)
    assert back.content_hash == first.content_hash


def test_a_drop_taken_back_before_the_relabel_of_the_same_row(
    session: Session, project: str, first: DatasetVersionRow
) -> None:
    row = versions.load_examples(session, first.id)[2]
    plan = [action(ActionKind.RELABEL, [row], outputs=["other"]), action(ActionKind.DROP, [row])]
    repair = add_repair(session, project, plan, version=first)
    applying.apply(session, project, repair.id)
    relabel, drop = ids(session, repair, 0, 1)
    back = reverting.revert(session, project, repair.id, action_ids=[drop], now=NOW)
    assert outputs(session, back) == ["A0", "A1", "other", "A3", "A4", "A5"]
    back = reverting.revert(session, project, repair.id, action_ids=[relabel], now=NOW)
    assert back.content_hash == first.content_hash


def test_which_row_a_merge_keeps_is_decided_anew_when_a_drop_is_taken_back(
    session: Session, project: str, first: DatasetVersionRow
) -> None:
    q = versions.load_examples(session, first.id)
    plan = [action(ActionKind.DROP, [q[1]]), action(ActionKind.MERGE, [q[1], q[2]], outputs=["merged"])]
    repair = add_repair(session, project, plan, version=first)
    made = applying.apply(session, project, repair.id)
    assert outputs(session, made) == ["A0", "merged", "A3", "A4", "A5"]
    drop = ids(session, repair, 0)
    back = reverting.revert(session, project, repair.id, action_ids=drop, now=NOW)
    assert outputs(session, back) == ["A0", "merged", "A3", "A4", "A5"]
    merged = versions.load_examples(session, back.id)[1]
    assert merged.prompt == "Q1"
    back = reverting.revert(session, project, repair.id, now=NOW)
    assert back.content_hash == first.content_hash


def test_later_rows_stay_when_a_repair_is_taken_back(
    session: Session, project: str, first: DatasetVersionRow, repair: RepairRow
) -> None:
    made = applying.apply(session, project, repair.id)
    grown = versions.create_child(
        session,
        made,
        changes=[Change(kind="added", example=example("Q", "grown"), reason="grown")],
        recipe={"kind": "augmentation"},
    )
    back = reverting.revert(session, project, repair.id, now=NOW)
    assert back.parent_id == grown.id
    assert outputs(session, back) == ["A0", "A1", "A2", "A3", "A4", "A5", "grown"]
    alone = reverting.revert(session, project, repair.id, version_id=made.id, now=NOW)
    assert (alone.parent_id, alone.content_hash) == (made.id, first.content_hash)


def test_a_row_that_a_later_version_changed_stops_the_revert_and_is_named(
    session: Session, project: str, first: DatasetVersionRow, repair: RepairRow
) -> None:
    made = applying.apply(session, project, repair.id)
    rows = versions.load_examples(session, made.id)
    later = add_plan(
        session,
        project,
        repair.diagnosis_id,
        [action(ActionKind.RELABEL, [rows[0]], outputs=["later"])],
        version=made,
    )
    applying.apply(session, project, later.id)
    touched = versions.load_examples(session, first.id)[1].id
    with pytest.raises(Conflict, match=touched) as refused:
        reverting.revert(session, project, repair.id, now=NOW)
    assert [e["pointer"] for e in refused.value.errors] == [f"/examples/{touched}"]
    assert repair.reverted_version_id is None
    others = ids(session, repair, 0, 3, 4, 5, 6)
    back = reverting.revert(session, project, repair.id, action_ids=others, now=NOW)
    assert outputs(session, back) == ["A0", "later", "A2", "A3", "A4", "A5"]
    reverting.revert(session, project, later.id, now=NOW)
    back = reverting.revert(session, project, repair.id, now=NOW)
    assert back.content_hash == first.content_hash


def test_what_was_not_carried_out_cannot_be_taken_back(
    session: Session, project: str, first: DatasetVersionRow, repair: RepairRow
) -> None:
    with pytest.raises(Conflict, match="not applied"):
        reverting.revert(session, project, repair.id, now=NOW)
    rejected = session.get_one(RepairActionRow, ids(session, repair, 0)[0])
    rejected.decision = Decision.REJECTED.value
    session.flush()
    applying.apply(session, project, repair.id)
    with pytest.raises(Conflict, match="rejected"):
        reverting.revert(session, project, repair.id, action_ids=[rejected.id], now=NOW)
    with pytest.raises(NotFound):
        reverting.revert(session, project, repair.id, action_ids=["ra_x"], now=NOW)
    with pytest.raises(InvalidInput, match="come from"):
        reverting.revert(session, project, repair.id, version_id=first.id, now=NOW)
