from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.records import TrainingExample
from app.domain.repair.apply.apply import AppliedRepair, ChangeKind, apply_actions
from app.domain.repair.draft.actions import ActionKind, ProposedAction
from app.domain.repair.policy.decision import Decision
from tests.unit.repair.builders import example

ROWS = [example(f"ex_{i}", f"question {i}", f"answer {i}") for i in range(6)]


def _ids(prefix: str = "new") -> Callable[[], str]:
    numbers = iter(range(10_000))
    return lambda: f"{prefix}_{next(numbers)}"


def _output(row: TrainingExample, output: str) -> dict:
    content = row.content()
    content["messages"][-1]["content"] = output
    return content


def _action(
    kind: ActionKind, rows: list[TrainingExample], after: list[dict], **more: object
) -> ProposedAction:
    return ProposedAction(
        kind=kind,
        example_ids=tuple(r.id for r in rows),
        before=tuple(r.content() for r in rows),
        after=tuple(after),
        reason=str(more.get("reason", kind.value)),
        score=1.0,
        decision=Decision(str(more.get("decision", "approved"))),
    )


_KINDS = st.sampled_from(
    [ActionKind.DROP, ActionKind.RELABEL, ActionKind.MERGE, ActionKind.ADD, ActionKind.UPSAMPLE]
)


@st.composite
def plans(draw: st.DrawFn) -> list[ProposedAction]:
    actions = []
    for _ in range(draw(st.integers(0, 6))):
        kind = draw(_KINDS)
        rows = draw(st.lists(st.sampled_from(ROWS), min_size=1, max_size=3, unique_by=lambda r: r.id))
        said = draw(st.sampled_from(["one", "two"]))
        after = {
            ActionKind.DROP: [],
            ActionKind.RELABEL: [_output(r, said) for r in rows],
            ActionKind.MERGE: [_output(rows[0], said)],
            ActionKind.ADD: [_output(rows[0], f"added {said}")],
            ActionKind.UPSAMPLE: [rows[0].content()] * 2,
        }[kind]
        decision = draw(st.sampled_from(Decision))
        actions.append(_action(kind, rows, after, decision=decision))
    return actions


def _contents(applied: AppliedRepair) -> list[str]:
    return [row.example.content_hash for row in applied.rows]


@given(plans())
def test_a_plan_applied_to_its_own_result_changes_nothing(actions: list[ProposedAction]) -> None:
    once = apply_actions(ROWS, actions, new_id=_ids())
    dropped = {i for a in actions if a.kind is ActionKind.DROP for i in a.example_ids}
    twice = apply_actions([row.example for row in once.rows], actions, new_id=_ids("again"))
    assert _contents(twice) == _contents(once)
    assert twice.changes == []
    assert not dropped & {c.example_id for c in twice.changes}


@given(plans())
def test_rows_keep_their_order_and_every_difference_has_a_reason(actions: list[ProposedAction]) -> None:
    applied = apply_actions(ROWS, actions, new_id=_ids())
    origin = [r.change.previous_example_id if r.change else r.example.id for r in applied.rows]
    kept = [i for i in origin if i is not None]
    assert kept == sorted(kept)
    assert origin[len(kept) :] == [None] * (len(origin) - len(kept))
    removed = {c.previous_example_id for c in applied.changes if c.kind is ChangeKind.REMOVED}
    assert removed | set(kept) == {r.id for r in ROWS}
    assert all(c.reason for c in applied.changes)
    assert all(r.example in ROWS for r in applied.rows if r.change is None)


@given(plans())
def test_only_what_is_approved_or_applied_counts(actions: list[ProposedAction]) -> None:
    counted = [a for a in actions if a.decision in (Decision.APPROVED, Decision.APPLIED)]
    assert _contents(apply_actions(ROWS, actions, new_id=_ids())) == _contents(
        apply_actions(ROWS, counted, new_id=_ids())
    )


def test_a_drop_wins_over_a_relabel_in_either_order() -> None:
    drop = _action(ActionKind.DROP, [ROWS[0]], [], reason="duplicate")
    relabel = _action(ActionKind.RELABEL, [ROWS[0]], [_output(ROWS[0], "other")])
    for plan in ([drop, relabel], [relabel, drop]):
        applied = apply_actions(ROWS[:1], plan, new_id=_ids())
        assert applied.rows == []
        assert [(c.kind, c.reason) for c in applied.changes] == [(ChangeKind.REMOVED, "duplicate")]


def test_two_edits_of_one_row_compose_turn_by_turn() -> None:
    row = example("a", "hello ", "old")
    cleaned = row.content()
    cleaned["messages"][0]["content"] = "hello"
    plan = [
        _action(ActionKind.NORMALISE, [row], [cleaned], reason="format"),
        _action(ActionKind.RELABEL, [row], [_output(row, "new")], reason="label"),
    ]
    (applied,) = apply_actions([row], plan, new_id=_ids()).rows
    assert (applied.example.prompt, applied.example.output) == ("hello", "new")
    assert applied.change is not None
    assert applied.change.reason == "format; label"
    assert applied.change.action_index == 1
    assert applied.example.id == "new_0"


def test_a_merge_keeps_one_row() -> None:
    applied = apply_actions(
        ROWS, [_action(ActionKind.MERGE, ROWS[:3], [_output(ROWS[0], "one")])], new_id=_ids()
    )
    assert [r.example.output for r in applied.rows] == ["one", "answer 3", "answer 4", "answer 5"]


def test_a_merge_never_loses_its_content_to_a_drop_of_its_first_row() -> None:
    merge = _action(ActionKind.MERGE, ROWS[:3], [_output(ROWS[0], "one")])
    drop = _action(ActionKind.DROP, ROWS[:1], [])
    for plan in ([merge, drop], [drop, merge]):
        applied = apply_actions(ROWS[:4], plan, new_id=_ids())
        assert [r.example.output for r in applied.rows] == ["one", "answer 3"]


def test_a_changed_row_keeps_its_source_and_metadata() -> None:
    row = TrainingExample(
        id="a", messages=ROWS[0].messages, source_id="s", metadata={"k": 1}, instruction_length=0
    )
    applied = apply_actions([row], [_action(ActionKind.RELABEL, [row], [_output(row, "x")])], new_id=_ids())
    assert (applied.rows[0].example.source_id, applied.rows[0].example.metadata) == ("s", {"k": 1})


@pytest.mark.parametrize(("instruction", "kept"), [("Name the intent.", 16), ("Name the intent. ", 16)])
def test_the_split_between_instruction_and_input_survives_a_cleaning(instruction: str, kept: int) -> None:
    row = example("a", "hello", "old", instruction=instruction)
    cleaned = row.content()
    cleaned["messages"][0]["content"] = "Name the intent.\nhello"
    cleaned["messages"][1]["content"] = "new"
    applied = apply_actions([row], [_action(ActionKind.NORMALISE, [row], [cleaned])], new_id=_ids())
    assert applied.rows[0].example.instruction_length == kept


def test_copies_are_of_the_row_as_it_comes_out_and_of_none_that_goes() -> None:
    a, b, c = ROWS[:3]
    actions = [
        _action(ActionKind.RELABEL, [a], [_output(a, "mended")]),
        _action(ActionKind.DROP, [b], []),
        _action(ActionKind.UPSAMPLE, [a, a, b, c], [r.content() for r in (a, a, b, c)]),
        _action(ActionKind.UPSAMPLE, [a], [a.content()]),
    ]
    applied = apply_actions([a, b, c], actions, new_id=_ids())
    assert [row.example.output for row in applied.rows] == [
        "mended",
        c.output,
        "mended",
        "mended",
        c.output,
        "mended",
    ]
    assert [change.action_index for change in applied.changes] == [0, 1, 2, 2, 2, 3]
