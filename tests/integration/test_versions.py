"""Versions made from versions: immutable, ordered, each change with its reason."""

from __future__ import annotations

import dataclasses
import hashlib

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.models import DatasetVersionRow
from app.db.repositories.pages import PageRequest
from app.db.session import SessionFactory, transaction
from app.domain.records import Message, Role, TrainingExample
from app.errors import StageError
from app.services.versions import version_diff, versions
from app.services.versions.versions import Change
from tests.importing import Uploads, alpaca_rows


def new_row(text: str) -> TrainingExample:
    messages = (Message(role=Role.USER, content=text), Message(role=Role.ASSISTANT, content=f"{text}!"))
    return TrainingExample(id="", messages=messages, source_id=text)


def relabelled(example: TrainingExample, output: str) -> TrainingExample:
    answer = Message(role=Role.ASSISTANT, content=output)
    return dataclasses.replace(example, messages=(*example.prompt_messages, answer))


@pytest.fixture
def parent(uploads: Uploads, session: Session) -> DatasetVersionRow:
    version_id = uploads.version(alpaca_rows(6))
    return session.get_one(DatasetVersionRow, version_id)


def child_of(session: Session, parent: DatasetVersionRow) -> DatasetVersionRow:
    rows = versions.load_examples(session, parent.id)
    changes = [
        Change(kind="removed", previous_example_id=rows[0].id, reason="exact duplicate", action_id="ra_1"),
        Change(
            kind="changed",
            previous_example_id=rows[2].id,
            example=relabelled(rows[2], "x"),
            reason="relabelled",
        ),
        Change(kind="added", example=new_row("a"), reason="nothing covers it"),
        Change(kind="added", example=new_row("b"), reason="nothing covers it"),
        Change(kind="removed", previous_example_id=rows[5].id, reason="noise"),
    ]
    return versions.create_child(session, parent, changes=changes, recipe={"kind": "test"})


def outputs(session: Session, version_id: str) -> list[str]:
    return [e.output for e in versions.iter_examples(session, version_id, batch=2)]


def test_a_child_keeps_places_and_appends_what_is_new(session: Session, parent: DatasetVersionRow) -> None:
    child = child_of(session, parent)
    assert outputs(session, child.id) == [
        "Order 1 is on its way.",
        "x",
        "Order 3 is on its way.",
        "Order 4 is on its way.",
        "a!",
        "b!",
    ]
    assert (child.rows, child.parent_id, child.dataset_id) == (6, parent.id, parent.dataset_id)
    assert child.statistics["changes"] == {"removed": 2, "changed": 1, "added": 2}


def test_the_parent_stays_as_it_was_and_unchanged_rows_are_shared(
    session: Session, parent: DatasetVersionRow
) -> None:
    before = versions.load_examples(session, parent.id)
    child = child_of(session, parent)
    assert versions.load_examples(session, parent.id) == before
    kept = {e.id for e in versions.load_examples(session, child.id)} & {e.id for e in before}
    assert len(kept) == 3


def test_the_content_hash_is_that_of_the_rows_in_order(session: Session, parent: DatasetVersionRow) -> None:
    child = child_of(session, parent)
    for version in (parent, child):
        rows = versions.load_examples(session, version.id)
        lines = "".join(f"{row.record_hash}\n" for row in rows)
        assert version.content_hash == hashlib.sha256(lines.encode()).hexdigest()


def test_the_diff_to_the_parent_names_every_reason(
    session: Session, parent: DatasetVersionRow, project: str
) -> None:
    child = child_of(session, parent)
    first = version_diff.diff(session, project, child.id, None, PageRequest(limit=3))
    assert first.counts == {"added": 2, "removed": 2, "changed": 1}
    assert [c.reason for c in first.removed] == ["exact duplicate"]
    assert first.removed[0].action_id == "ra_1"
    assert first.changed[0].before != first.changed[0].after
    assert first.has_more
    rest = version_diff.diff(session, project, child.id, None, PageRequest(limit=3, after=first.next_after))
    assert [c.reason for c in rest.removed] == ["noise"]
    assert not rest.has_more


def test_the_diff_to_a_grandparent_joins_the_reasons_both_ways(
    session: Session, parent: DatasetVersionRow, project: str
) -> None:
    child = child_of(session, parent)
    rows = versions.load_examples(session, child.id)
    grandchild = versions.create_child(
        session,
        child,
        changes=[
            Change(kind="removed", previous_example_id=rows[4].id, reason="changed our mind"),
            Change(
                kind="changed",
                previous_example_id=rows[1].id,
                example=relabelled(rows[1], "y"),
                reason="again",
            ),
        ],
        recipe={"kind": "test"},
    )
    forth = version_diff.diff(session, project, grandchild.id, parent.id, PageRequest())
    assert forth.counts == {"added": 1, "removed": 2, "changed": 1}
    assert forth.changed[0].reason == "relabelled; again"
    back = version_diff.diff(session, project, parent.id, grandchild.id, PageRequest())
    assert back.counts == {"added": 2, "removed": 1, "changed": 1}
    assert back.changed[0].before == forth.changed[0].after


def test_siblings_are_compared_by_content(session: Session, parent: DatasetVersionRow, project: str) -> None:
    one = child_of(session, parent)
    other = versions.create_child(
        session,
        parent,
        changes=[Change(kind="added", example=new_row("a"), reason="grown")],
        recipe={"kind": "test"},
    )
    diff = version_diff.diff(session, project, other.id, one.id, PageRequest())
    assert diff.counts == {"added": 3, "removed": 2, "changed": 0}


def test_ids_are_kept_where_they_are_free(session: Session, parent: DatasetVersionRow) -> None:
    rows = versions.load_examples(session, parent.id)
    free = dataclasses.replace(new_row("a"), id="ex_chosen")
    copied = dataclasses.replace(rows[0], source_id="copy")
    child = versions.create_child(
        session,
        parent,
        changes=[
            Change(kind="added", example=free, reason="r"),
            Change(kind="added", example=copied, reason="r"),
            Change(kind="added", example=dataclasses.replace(new_row("b"), id="ex_twice"), reason="r"),
            Change(kind="added", example=dataclasses.replace(new_row("c"), id="ex_twice"), reason="r"),
        ],
        recipe={"kind": "test"},
    )
    added = versions.load_examples(session, child.id)[6:]
    assert added[0].id == "ex_chosen"
    assert added[1].source_id == "copy"
    assert added[1].id != rows[0].id
    assert len({e.id for e in added}) == 4


def test_a_change_of_a_row_that_is_not_there_is_refused(session: Session, parent: DatasetVersionRow) -> None:
    gone = Change(kind="removed", previous_example_id="ex_gone", reason="r")
    with pytest.raises(ValueError, match="ex_gone"):
        versions.create_child(session, parent, changes=[gone], recipe={})
    twice = [gone, gone]
    with pytest.raises(ValueError, match="previous_example_id"):
        versions.create_child(session, parent, changes=twice, recipe={})
    with pytest.raises(ValueError, match="added"):
        Change(kind="added", reason="r")
    with pytest.raises(ValueError, match="stolen"):
        Change(kind="stolen", reason="r")


def test_a_child_may_be_empty(session: Session, parent: DatasetVersionRow) -> None:
    rows = versions.load_examples(session, parent.id)
    drops = [Change(kind="removed", previous_example_id=r.id, reason="r") for r in rows]
    child = versions.create_child(session, parent, changes=drops, recipe={})
    assert child.rows == 0
    assert versions.load_examples(session, child.id) == []


def test_examples_are_loaded_by_id_only_from_their_version(
    session: Session, parent: DatasetVersionRow
) -> None:
    child = child_of(session, parent)
    rows = versions.load_examples(session, parent.id)
    found = versions.load_by_ids(session, child.id, [rows[3].id, rows[0].id, rows[1].id, rows[3].id])
    assert [e.id for e in found] == [rows[3].id, rows[1].id]


def test_a_stage_hears_that_its_dataset_was_deleted(
    client: TestClient, session: Session, parent: DatasetVersionRow
) -> None:
    assert versions.require_alive(session, parent.id).id == parent.id
    client.delete(f"/v1/datasets/{parent.dataset_id}")
    session.expire_all()
    with pytest.raises(StageError, match="deleted"):
        versions.require_alive(session, parent.id)


def test_nothing_of_a_child_is_seen_before_the_commit(
    sessions: SessionFactory, session: Session, parent: DatasetVersionRow
) -> None:
    child = child_of(session, parent)
    with transaction(sessions) as other:
        assert other.get(DatasetVersionRow, child.id) is None
        assert other.scalars(select(DatasetVersionRow.id)).all() == [parent.id]
