"""Half an apply is no apply: whatever breaks in the middle, and however often it is tried."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.models import (
    DatasetVersionRow,
    ExampleRow,
    RepairActionRow,
    RepairRow,
    VersionChangeRow,
    VersionExampleRow,
)
from app.db.repositories import bulk
from app.db.repositories import versions as version_rows
from app.db.session import SessionFactory, transaction
from app.domain.records import TrainingExample
from app.domain.repair.plan import ActionKind, Decision, ProposedAction
from app.services import events
from app.services.repairs import applying, reverting, selection
from app.services.versions import versions
from app.services.work import work
from tests.effort import examples
from tests.integration.builders import action, add_repair, add_version

WRITTEN = (DatasetVersionRow, ExampleRow, VersionExampleRow, VersionChangeRow)


class Broken(Exception):
    pass


def rows_written(session: Session) -> dict[str, int]:
    return {
        table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0 for table in WRITTEN
    }


@pytest.fixture
def repair_id(sessions: SessionFactory, project: str) -> str:
    with transaction(sessions) as session:
        version = add_version(session, project, 5)
        q = versions.load_examples(session, version.id)
        plan = [
            action(ActionKind.DROP, [q[0]]),
            action(ActionKind.RELABEL, [q[1]], outputs=["better"]),
            action(ActionKind.ADD, [], outputs=["new"]),
        ]
        return add_repair(session, project, plan, version=version).id


@pytest.mark.parametrize(
    ("where", "name"),
    [
        (bulk, "copy_examples"),
        (version_rows, "inherit_members"),
        (bulk, "copy_members"),
        (bulk, "copy_changes"),
        (selection, "update_actions"),
        (events, "append"),
    ],
)
def test_an_apply_or_revert_that_breaks_leaves_nothing_and_works_the_next_time(
    sessions: SessionFactory,
    project: str,
    repair_id: str,
    monkeypatch: pytest.MonkeyPatch,
    where: Any,
    name: str,
) -> None:
    def carried_out(what: str) -> str:
        with transaction(sessions) as session:
            if what == "apply":
                return applying.apply(session, project, repair_id).id
            return reverting.revert(session, project, repair_id, now=work.now()).id

    def broken(*_: object, **__: object) -> None:
        raise Broken

    for what in ("apply", "revert"):
        with sessions() as session:
            before = rows_written(session)
        with monkeypatch.context() as patched:
            # the statement itself is carried out; the process dies right after it
            real = getattr(where, name)
            patched.setattr(where, name, lambda *a, real=real, **k: (real(*a, **k), broken())[0])
            with pytest.raises(Broken):
                carried_out(what)
        with sessions() as session:
            assert rows_written(session) == before
            repair = session.get_one(RepairRow, repair_id)
            actions = session.scalars(select(RepairActionRow)).all()
            if what == "apply":
                assert (repair.applied_at, repair.result_version_id) == (None, None)
                assert {a.decision for a in actions} == {"approved"}
            else:
                assert repair.reverted_version_id is None
                assert {a.reverted_at for a in actions} == {None}
        assert carried_out(what) == carried_out(what)


_ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(
            [ActionKind.DROP, ActionKind.RELABEL, ActionKind.MERGE, ActionKind.ADD, ActionKind.UPSAMPLE]
        ),
        st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True),
        st.sampled_from(["one", "two"]),
        st.sampled_from([Decision.APPROVED, Decision.PROPOSED, Decision.REJECTED]),
    ),
    max_size=6,
)


def planned(q: list[TrainingExample], drawn: list[tuple[Any, ...]]) -> list[ProposedAction]:
    made = []
    for kind, numbers, said, decision in drawn:
        rows = [q[n] for n in numbers]
        match kind:
            case ActionKind.ADD:
                made.append(action(kind, [], outputs=[said], decision=decision))
            case ActionKind.MERGE | ActionKind.DROP:
                made.append(action(kind, rows, outputs=[said] if kind == "merge" else (), decision=decision))
            case _:
                made.append(action(kind, rows, outputs=[said] * len(rows), decision=decision))
    return made


@settings(max_examples=examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=_ACTIONS, order=st.randoms(use_true_random=False))
def test_any_plan_is_applied_once_and_taken_back_in_any_order(
    sessions: SessionFactory, project: str, drawn: list[tuple[Any, ...]], order: Any
) -> None:
    with sessions() as session:  # never committed: the next plan starts from the same database
        first = add_version(session, project, 6)
        plan = planned(versions.load_examples(session, first.id), drawn)
        repair = add_repair(session, project, plan, version=first)
        made = applying.apply(session, project, repair.id)
        written = rows_written(session)
        assert applying.apply(session, project, repair.id).id == made.id
        assert rows_written(session) == written
        applied = list(
            session.scalars(select(RepairActionRow.id).where(RepairActionRow.decision == Decision.APPLIED))
        )
        order.shuffle(applied)
        back = made
        for action_id in applied:
            back = reverting.revert(session, project, repair.id, action_ids=[action_id], now=work.now())
        assert back.content_hash == first.content_hash
