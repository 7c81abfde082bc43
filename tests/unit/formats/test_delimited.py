"""Tables as text: whose rows they are, and what each costs when it is broken."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.formats import RowError, delimited
from tests.unit.formats.strategies import said


def read(text: str | bytes, delimiter: str = ",", *, limit: int = 10_000) -> list[tuple[int, Any]]:
    data = text.encode() if isinstance(text, str) else text
    lines = delimited.iter_table(
        [data[i : i + 7] for i in range(0, len(data), 7)], delimiter=delimiter, max_row_bytes=limit
    )
    return [
        (line.number, line.value.code if isinstance(line.value, RowError) else line.value) for line in lines
    ]


@given(rows=st.lists(st.tuples(said, said), min_size=1, max_size=5))
def test_what_is_written_reads_back(rows: list[tuple[str, str]]) -> None:
    written = delimited.written([("question", "answer"), *rows])
    assert [value for _, value in read(written)] == [{"question": q, "answer": a} for q, a in rows]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_separator_and_line_end_is_read(delimiter: str, end: str) -> None:
    text = end.join([f"q{delimiter}a", f'"say ""hi"", x{delimiter}"{delimiter}b', "", f"c{delimiter}d", ""])
    assert delimited.delimiter_of(text.encode()) == delimiter
    assert read(text, delimiter) == [
        (2, {"q": f'say "hi", x{delimiter}', "a": "b"}),
        (4, {"q": "c", "a": "d"}),
    ]


def test_a_cell_may_go_on_over_lines_and_rows_are_told_by_their_first() -> None:
    assert read('q,a\n"one\ntwo",x\ny,z\n') == [(2, {"q": "one\ntwo", "a": "x"}), (4, {"q": "y", "a": "z"})]


def test_empty_cells_are_missing_and_signs_are_true_or_false() -> None:
    text = "q,input,kto_tag,label\na,,TRUE,sports\nb,c,false,False\n"
    assert [value for _, value in read(text)] == [
        {"q": "a", "kto_tag": True, "label": "sports"},
        {"q": "b", "input": "c", "kto_tag": False, "label": False},
    ]


def test_a_bad_row_costs_itself() -> None:
    text = b"q,a\nx,y,z\n" + "问,".encode("gb18030") + b"b\nc,d\n"
    assert read(text) == [(2, "wrong_columns"), (3, "not_utf8"), (4, {"q": "c", "a": "d"})]


def test_a_quote_left_open_is_told_where_it_opens_and_never_fills_the_memory() -> None:
    text = 'q,a\nx,y\n"open,z\n' + "b,c\n" * 500
    found = read(text, limit=400)
    assert found[:2] == [(2, {"q": "x", "a": "y"}), (3, "bad_table")]
    assert found[-1] == (503, {"q": "b", "a": "c"})


def test_two_columns_of_one_name_are_refused() -> None:
    assert read("q,a,q\n1,2,3\n") == [(1, "duplicate_key")]


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("question,answer\na,b\n", True),
        ("问题\t答案\na\tb\n", True),
        ("question,answer\n", False),
        (json.dumps({"a": 1}) + "\n", False),
        ("not json\nnor this\n", False),
        ('Oops, no JSON\n{"a": 1, "b": 2}\n', False),
        ("", False),
    ],
)
def test_a_table_is_told_from_what_is_none(text: str, table: bool) -> None:
    assert delimited.is_table(text.encode()) is table
