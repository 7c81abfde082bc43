from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reporting import charts
from app.reporting.charts import Part


def _elements(svg: str, tag: str) -> list[ET.Element]:
    return list(ET.fromstring(svg).iter(tag))  # noqa: S314 - our own output


@given(counts=st.lists(st.integers(0, 10_000), min_size=1, max_size=8))
def test_the_parts_of_a_bar_fill_it_and_none_is_lost(counts: list[int]) -> None:
    svg = charts.stacked_bar(
        [Part(label=str(i), count=c, style="ood") for i, c in enumerate(counts)], label="x"
    )
    shown = [c for c in counts if c]
    if not shown:
        assert svg == ""
        return
    rects = _elements(svg, "rect")
    assert len(rects) == len(shown)
    last = rects[-1]
    assert 990 <= float(last.attrib["x"]) + float(last.attrib["width"]) <= 1000.2


def test_a_single_case_among_thousands_stays_visible() -> None:
    parts = [Part(label="a", count=9999, style="ood"), Part(label="b", count=1, style="hard")]
    widths = [float(r.attrib["width"]) for r in _elements(charts.stacked_bar(parts, label="x"), "rect")]
    assert min(widths) >= 5


def test_a_label_is_escaped() -> None:
    svg = charts.stacked_bar([Part(label='"><script>', count=1, style="ood")], label='"><img>')
    assert "<script>" not in svg
    assert "<img>" not in svg
    assert len(_elements(svg, "rect")) == 1


@pytest.mark.parametrize("value", [-0.5, 0.0, 0.5, 1.0, 7.0])
def test_an_interval_never_leaves_its_track(value: float) -> None:
    svg = charts.interval(value, value - 0.1, value + 0.1)
    (dot,) = _elements(svg, "circle")
    assert 6 <= float(dot.attrib["cx"]) <= 206


def test_a_loss_curve_falls_from_left_to_right_and_skips_what_is_not_finite() -> None:
    points = [(1, 3.0), (2, math.nan), (3, 2.0), (4, math.inf), (5, 1.0)]
    (line,) = _elements(charts.loss_curve(points), "polyline")
    places = [tuple(map(float, p.split(","))) for p in line.attrib["points"].split()]
    assert len(places) == 3
    assert places == sorted(places)
    assert [y for _, y in places] == sorted(y for _, y in places)


@pytest.mark.parametrize("points", [[], [(1, 2.0)], [(1, math.nan), (2, math.nan)]])
def test_too_few_points_make_no_curve(points: list[tuple[int, float]]) -> None:
    assert charts.loss_curve(points) == ""


def test_a_loss_of_nothing_at_all_is_still_drawn() -> None:
    assert "polyline" in charts.loss_curve([(1, 0.0), (2, 0.0)])


@given(share=st.floats(-10, 10))
def test_a_meter_stays_within_its_width(share: float) -> None:
    width = re.findall(r'width="([\d.]+)"', charts.meter(share))[-1]
    assert 0 <= float(width) <= 60
