"""The inputs of ``bench.faults`` and how their results are told."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from bench.fault_siblings import MODULES, SIBLINGS
from bench.fault_siblings.trial import Check, Trial, brief, lines_of, said_by, together
from bench.faults import Line, table, told


def holds() -> Check:
    return Check("all is well", lambda _: "")


def test_no_two_inputs_of_a_kind_have_one_name():
    names = Counter((t.kind, t.name) for t in SIBLINGS)
    assert [name for name, count in names.items() if count > 1] == []


def test_every_module_has_inputs_and_every_input_is_checked():
    assert all(module.TRIALS for module in MODULES)
    assert [t.name for t in SIBLINGS if not t.checks] == []


def test_cases_of_an_input_have_ids_of_their_own():
    for trial in SIBLINGS:
        ids = [c["external_id"] for c in trial.cases]
        assert len(ids) == len(set(ids)), trial.name


def test_sets_planned_together_keep_their_rows_and_checks():
    parts = [
        Trial(kind="k", name=name, train=[{"instruction": name, "output": "x"}], checks=[holds()])
        for name in ("a", "b")
    ]
    whole = together("both", *parts)
    assert whole.train == [*parts[0].train, *parts[1].train]
    assert [c.expected for c in whole.checks] == ["a: all is well", "b: all is well"]


def test_only_rows_without_cases_go_together():
    with pytest.raises(ValueError, match="without cases"):
        together("both", Trial(kind="k", name="file", train=b"{}", checks=[holds()]))


def test_rows_are_written_one_a_line_as_they_are():
    assert [json.loads(x) for x in lines_of([{"a": "é"}, {"b": 1}]).splitlines()] == [{"a": "é"}, {"b": 1}]


def test_an_import_says_its_problem_and_its_rows_errors():
    imported = {"error": {"detail": "no rows"}, "errors": [{"code": "empty", "message": "line is empty"}]}
    assert said_by(imported) == "no rows | empty: line is empty"


def test_what_is_wrong_is_told_with_what_came():
    lines = [
        Line(kind="k", name="input", expected="two rows", got="one row"),
        Line(kind="k", name="input", expected="three rows", got=""),
    ]
    assert told(lines, every=False).splitlines() == [
        "k | input",
        "  WRONG  two rows",
        "         got: one row",
    ]
    assert "ok     three rows" in told(lines, every=True)
    assert table(lines).splitlines()[-1].split() == ["all", "2", "1"]


def test_long_values_are_shortened():
    assert brief("x" * 300, 10) == "x" * 9 + "…"
