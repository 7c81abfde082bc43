from __future__ import annotations

from typing import Any

from app.domain.reports.report import ReportRepairAction
from app.reporting.report_changes import MAX_ROWS_PER_ACTION, ChangedRow, change_of


def _row(prompt: str, answer: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]}


def _rows(before: Any, after: Any) -> tuple[ChangedRow, ...]:
    action = ReportRepairAction(kind="relabel", reason="", decision="applied", before=before, after=after)
    return change_of(action).rows


def test_a_relabelled_row_shows_its_prompt_once() -> None:
    assert _rows([_row("p", "old")], [_row("p", "new")]) == (
        ChangedRow(prompt="p", before="old", after="new"),
    )


def test_a_dropped_row_has_no_after_and_an_added_one_no_before() -> None:
    assert _rows([_row("p", "a")], []) == (ChangedRow(prompt="p", before="a", after=None),)
    assert _rows(None, [_row("p", "a")]) == (ChangedRow(prompt="p", before=None, after="a"),)


def test_a_merge_keeps_the_row_that_stays_beside_itself() -> None:
    rows = _rows([_row("copy", "a"), _row("original", "a")], [_row("original", "a")])
    assert rows == (
        ChangedRow(prompt="original", before="a", after="a"),
        ChangedRow(prompt="copy", before="a", after=None),
    )


def test_a_normalised_prompt_shows_both_sides() -> None:
    (row,) = _rows(_row("p ", "a"), _row("p", "a"))
    assert (row.prompt, row.prompt_after) == ("p ", "p")


def test_alpaca_rows_and_plain_texts_are_read_too() -> None:
    before = {"instruction": "i", "input": "x", "output": "a"}
    assert _rows(before, {**before, "output": "b"}) == (ChangedRow(prompt="i\nx", before="a", after="b"),)
    assert _rows("a", "b") == (ChangedRow(prompt="", before="a", after="b"),)
    assert _rows({"odd": 1}, None)[0].before == '{\n "odd": 1\n}'


def test_turns_and_answers_that_are_no_text_are_shown_as_json() -> None:
    row = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": None}]}
    assert _rows(row, None)[0].before == "null"
    talk = {"messages": [{"role": "system", "content": "s"}, *_row("q", "a")["messages"]]}
    assert _rows(talk, None)[0].prompt == "system: s\nuser: q"


def test_only_the_first_rows_of_a_large_action_are_shown_and_the_rest_counted() -> None:
    rows = [_row(str(i), "a") for i in range(40)]
    change = change_of(ReportRepairAction(kind="drop", reason="", decision="applied", before=rows))
    assert (len(change.rows), change.left_out) == (MAX_ROWS_PER_ACTION, 40 - MAX_ROWS_PER_ACTION)


def test_a_question_that_proposes_no_answer_shows_its_rows_as_they_are() -> None:
    before = [_row("p", "a"), _row("p", "b")]
    asked = ReportRepairAction(
        kind="merge", reason="why", decision="proposed", before=before, after=None, asks=True
    )
    assert [(row.before, row.after) for row in change_of(asked).rows] == [("a", "a"), ("b", "b")]
