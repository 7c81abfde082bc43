from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import example, given, settings

from app.reporting.report_csv import COLUMNS, render_csv
from tests.effort import examples
from tests.unit.reporting.examples import conflict_finding, cycle_report, empty_report
from tests.unit.reporting.hostile import FRAGMENTS, hostile_texts, poisoned
from tests.unit.reporting.large import mapped_cycle_report


def _read(document: str) -> list[dict[str, str]]:
    assert document.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(document[1:], newline=""), strict=True))


def test_each_finding_is_one_row() -> None:
    rows = _read(render_csv(cycle_report()))
    assert [r["finding_id"] for r in rows] == ["fd_1", "fd_2", "fd_3", "fd_4"]
    assert rows[1]["expected_output"] == "出行 / 办理ETC"
    assert rows[1]["held_back"] == "yes"
    assert rows[0]["cluster"] == "returns, days, free"
    assert (rows[0]["neighbors_with_expected"], rows[0]["neighbors_with_model_output"]) == ("1", "1")
    assert rows[2]["override_category"] == "hard"
    assert rows[3]["verdict"] == ""


def test_an_empty_report_is_a_header_alone() -> None:
    assert render_csv(empty_report()) == "\ufeff" + ",".join(COLUMNS) + "\r\n"


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\n=1", "＝1"])
def test_a_cell_that_begins_like_a_formula_is_quoted_as_text(start: str) -> None:
    finding = replace(conflict_finding(), model_output=start)
    (row,) = _read(render_csv(replace(cycle_report(), findings=(finding,))))
    assert row["model_output"] == "'" + start


@given(text=hostile_texts)
@example(text="".join(FRAGMENTS))
@settings(max_examples=examples(80))
@pytest.mark.parametrize("keys", [True, False])
def test_no_text_breaks_a_row_or_starts_a_formula(keys: bool, text: str) -> None:
    report = poisoned(mapped_cycle_report(rows=5), text, keys=keys)
    rows = _read(render_csv(report))
    assert len(rows) == len(report.findings)
    assert all(None not in row and None not in row.values() for row in rows)
    assert not [v for row in rows for v in row.values() if v.strip().startswith(("=", "+", "-", "@"))]


def test_a_huge_cell_is_cut_where_a_spreadsheet_would_break_it() -> None:
    finding = replace(conflict_finding(), model_output="x" * 1_000_000)
    (row,) = _read(render_csv(replace(cycle_report(), findings=(finding,))))
    assert len(row["model_output"]) == 32_001


def test_a_row_tells_why_where_on_the_map_and_what_changed() -> None:
    report = mapped_cycle_report(rows=5)
    rows = _read(render_csv(report))
    assert rows[1]["why"].startswith(
        "Words that no training row holds: ETC, 高速; no training prompt is built alike"
    )
    assert rows[0]["symptom_details"] == "copied_training_output: the output is another row's answer"
    assert (rows[0]["contradicting_example_id"], rows[0]["taught_by"]) == (
        "train-0012",
        "train-0012 train-0098",
    )
    assert [r["change"] for r in rows] == ["new", "changed", "fixed", ""]
    assert report.map is not None
    assert float(rows[2]["map_x"]) == pytest.approx(report.map.cases[2, 0] / 65_535, abs=1e-4)
