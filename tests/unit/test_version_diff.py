"""Changes along a line of versions, composed into one step."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.services.versions.version_diff import RowChange, composed
from app.services.versions.versions import ChangeKind

ADDED, REMOVED, CHANGED = ChangeKind.ADDED, ChangeKind.REMOVED, ChangeKind.CHANGED


def change(kind: ChangeKind, previous: str | None, now: str | None, reason: str = "r") -> RowChange:
    return RowChange(kind=kind, reason=reason, previous_example_id=previous, example_id=now)


def test_what_was_added_and_removed_again_is_gone() -> None:
    assert composed([change(ADDED, None, "b"), change(REMOVED, "b", None)]) == []


def test_a_row_changed_twice_shows_once_with_both_reasons() -> None:
    steps = [change(CHANGED, "a", "b", "relabelled"), change(CHANGED, "b", "c", "trimmed")]
    assert composed(steps) == [change(CHANGED, "a", "c", "relabelled; trimmed")]


def test_a_row_changed_and_then_removed_is_removed() -> None:
    steps = [change(CHANGED, "a", "b", "relabelled"), change(REMOVED, "b", None, "duplicate")]
    assert composed(steps) == [change(REMOVED, "a", None, "relabelled; duplicate")]


def test_an_added_row_that_was_changed_is_added_as_it_stands() -> None:
    steps = [change(ADDED, None, "a", "grown"), change(CHANGED, "a", "b", "trimmed")]
    assert composed(steps) == [change(ADDED, None, "b", "grown; trimmed")]


def _apply(rows: list[str], steps: list[RowChange]) -> list[str]:
    for step in steps:
        if step.kind is REMOVED:
            rows = [r for r in rows if r != step.previous_example_id]
        elif step.kind is CHANGED:
            rows = [str(step.example_id) if r == step.previous_example_id else r for r in rows]
        else:
            rows = [*rows, str(step.example_id)]
    return rows


@given(st.lists(st.tuples(st.sampled_from(ChangeKind), st.integers(0, 9)), max_size=20))
def test_the_composed_step_leads_to_the_same_rows(draws: list[tuple[ChangeKind, int]]) -> None:
    start = [f"s{i}" for i in range(4)]
    rows, steps = start, []
    for number, (kind, pick) in enumerate(draws):
        if kind is not ADDED and not rows:
            continue
        previous = None if kind is ADDED else rows[pick % len(rows)]
        step = change(kind, previous, None if kind is REMOVED else f"n{number}")
        steps.append(step)
        rows = _apply(rows, [step])
    assert sorted(_apply(start, composed(steps))) == sorted(rows)
