from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import timedelta

import numpy as np

from app.domain.json_ready import json_ready
from app.domain.reports.report import ReportStage, RetentionSlice
from tests.unit.reporting.examples import NOW, cycle_report, diagnosis_report


def test_the_whole_report_is_json() -> None:
    told = json.loads(json.dumps(cycle_report().as_dict(), allow_nan=False))
    assert told["generated_at"] == "2026-03-14T09:26:00+00:00"
    assert told["findings"][0]["category"] == "conflict"
    assert told["findings"][0]["evidence"]["neighbors"][0]["agrees_with"] == "model_output"
    assert told["diagnosis"]["by_category"]["ood"] == 1
    assert told["verification"]["fix_rate"]["n"] == 48
    assert told["training"]["loss_curve"][0][0] == 1


def test_what_has_not_happened_is_null() -> None:
    told = diagnosis_report().as_dict()
    assert all(told[part] is None for part in ("repair", "mixture", "training", "verification", "cycle"))


def test_numbers_json_cannot_say_become_null() -> None:
    report = cycle_report()
    assert report.training is not None
    odd = replace(report, training=replace(report.training, loss_curve=((1, math.nan), (2, math.inf))))
    assert odd.as_dict()["training"]["loss_curve"] == [[1, None], [2, None]]
    assert json_ready({"a": np.float32(0.5), "b": np.int64(3)}) == {"a": 0.5, "b": 3}


def test_a_slice_that_had_nothing_to_lose_lost_nothing() -> None:
    assert RetentionSlice(name="a", before=0.0, after=0.0, n=3).degradation == 0.0
    assert RetentionSlice(name="a", before=0.5, after=1.0, n=3).degradation == 0.0
    assert RetentionSlice(name="a", before=0.5, after=0.25, n=3).degradation == 0.5


def test_a_stage_that_has_not_finished_has_no_duration() -> None:
    assert ReportStage(name="train", status="running", started_at=NOW).seconds is None
    done = ReportStage(
        name="train", status="succeeded", started_at=NOW, finished_at=NOW + timedelta(seconds=5)
    )
    assert done.seconds == 5.0
