from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.job_status import MOVES, IllegalMove, Status, move

statuses = st.sampled_from(Status)


@given(st.lists(statuses, max_size=12))
def test_a_final_state_is_never_left_whatever_is_asked(wanted: list[Status]) -> None:
    current, final = Status.QUEUED, None
    for to in wanted:
        try:
            current = move(current, to)
        except IllegalMove:
            continue
        assert final is None, "a final state was left"
        final = current if current.is_final else None


@given(statuses, statuses)
def test_a_move_is_made_exactly_where_the_table_allows_it(current: Status, to: Status) -> None:
    if to in MOVES[current]:
        assert move(current, to) is to
    else:
        with pytest.raises(IllegalMove, match=current.value):
            move(current, to)


def test_running_work_can_be_taken_over_by_another_worker() -> None:
    assert move(Status.RUNNING, Status.RUNNING) is Status.RUNNING


def test_the_three_ends_are_final_and_the_others_are_not() -> None:
    assert {s for s in Status if s.is_final} == {Status.SUCCEEDED, Status.FAILED, Status.CANCELLED}
