"""A person's own answer in the place of the proposed one."""

import pytest

from app.domain.records import Message, Role, TrainingExample
from app.domain.repair.apply.chosen_answer import rows_concerned, with_answer
from app.domain.repair.draft.actions import ActionKind, ProposedAction


def _row(name: str, output: str) -> TrainingExample:
    asked = Message(role=Role.USER, content=f"may I return it, {name}?")
    return TrainingExample(id=name, messages=(asked, Message(role=Role.ASSISTANT, content=output)))


FREE = [_row(f"free-{i}", "Returns are free.") for i in range(2)]
PAID = [_row(f"paid-{i}", "Returns cost 5 EUR.") for i in range(3)]
CONTENTS = {r.id: r.content() for r in (*FREE, *PAID)}


def _relabel() -> ProposedAction:
    """Proposes that the rows that say 'free' follow those that say '5 EUR'."""
    return ProposedAction(
        kind=ActionKind.RELABEL,
        example_ids=tuple(r.id for r in FREE),
        before=tuple(r.content() for r in FREE),
        after=tuple(_row(r.id, "Returns cost 5 EUR.").content() for r in FREE),
        reason="please choose one answer",
        score=0.9,
        evidence={
            "rule": "label_group",
            "sides": [
                {"output": "Returns cost 5 EUR.", "example_ids": [r.id for r in PAID]},
                {"output": "Returns are free.", "example_ids": [r.id for r in FREE]},
            ],
        },
    )


def _said(action: ProposedAction) -> set[str]:
    return {row["messages"][-1]["content"] for row in action.after}


def test_the_other_answer_turns_the_rows_that_were_to_be_followed() -> None:
    chosen = with_answer(_relabel(), "Returns are free.", CONTENTS)
    assert chosen.example_ids == tuple(r.id for r in PAID)
    assert list(chosen.before) == [r.content() for r in PAID]
    assert _said(chosen) == {"Returns are free."}
    assert chosen.reason == 'please choose one answer; a person chose "Returns are free."'


def test_an_answer_of_nobody_turns_all_rows_and_may_be_taken_back() -> None:
    third = with_answer(_relabel(), "Ask at the counter.", CONTENTS)
    assert set(third.example_ids) == set(CONTENTS) == set(rows_concerned(_relabel()))
    assert _said(third) == {"Ask at the counter."}
    again = with_answer(third, "Returns cost 5 EUR.", CONTENTS)
    assert (again.example_ids, again.before, again.after) == (
        _relabel().example_ids,
        _relabel().before,
        _relabel().after,
    )
    assert again.reason.count("a person chose") == 1


def test_a_merged_row_is_the_one_that_says_so_already_or_says_it_now() -> None:
    rows = [FREE[0], PAID[0]]
    merge = ProposedAction(
        kind=ActionKind.MERGE,
        example_ids=tuple(r.id for r in rows),
        before=tuple(r.content() for r in rows),
        after=(rows[0].content(),),
        reason="please choose one",
        score=0.5,
    )
    assert with_answer(merge, "Returns cost 5 EUR.", {}).after == (PAID[0].content(),)
    assert _said(with_answer(merge, "It depends.", {})) == {"It depends."}


@pytest.mark.parametrize("answer", ["", "  "])
def test_no_answer_is_no_choice(answer: str) -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        with_answer(_relabel(), answer, CONTENTS)


def test_what_gives_no_answer_takes_none_and_what_all_rows_say_changes_nothing() -> None:
    drop = ProposedAction(
        kind=ActionKind.DROP,
        example_ids=("free-0",),
        before=(FREE[0].content(),),
        after=(),
        reason="empty",
        score=1.0,
    )
    with pytest.raises(ValueError, match="gives no answer"):
        with_answer(drop, "Returns are free.", CONTENTS)
    alone = ProposedAction(
        kind=ActionKind.RELABEL,
        example_ids=("free-0",),
        before=(FREE[0].content(),),
        after=(PAID[0].content(),),
        reason="",
        score=1.0,
    )
    with pytest.raises(ValueError, match="every row says that already"):
        with_answer(alone, "Returns are free.", CONTENTS)


def test_the_spelling_that_a_person_gives_is_for_all_rows() -> None:
    chosen = with_answer(_relabel(), "returns are free", CONTENTS)
    assert set(chosen.example_ids) == set(CONTENTS)
    assert _said(chosen) == {"returns are free"}


def test_an_excerpt_stands_for_the_whole_answer() -> None:
    listed = _row("list", "Do:\n- pack it\n- send it")
    chosen = with_answer(_relabel(), "Do: - pack it - send it", {**CONTENTS, "list": listed.content()})
    assert _said(chosen) == {"Do:\n- pack it\n- send it"}


def test_a_chosen_action_is_no_policys_any_more() -> None:
    chosen = with_answer(_relabel(), "Returns are free.", CONTENTS)
    assert chosen.evidence["asks_person"] is True
    assert chosen.evidence["expected_output"] == "Returns are free."


def test_the_answer_that_a_row_rejects_is_refused() -> None:
    content = {**FREE[0].content(), "rejected": [{"role": "assistant", "content": "No."}]}
    action = ProposedAction(
        kind=ActionKind.RELABEL,
        example_ids=("free-0",),
        before=(content,),
        after=(content,),
        reason="",
        score=1.0,
    )
    with pytest.raises(ValueError, match="rejects this very answer"):
        with_answer(action, "No.", {})
