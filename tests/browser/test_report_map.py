"""The map in a real browser: drawn, quick, and of use to the mouse, the keys and the eye."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.reports.report import ReportModel
from app.reporting.report_html import render_html
from tests.browser.devtools import Page, chromium
from tests.unit.reporting.examples import cycle_report
from tests.unit.reporting.hostile import poisoned
from tests.unit.reporting.large import large_report, mapped_cycle_report

pytestmark = pytest.mark.browser

_PAINTED = """(id) => {
  const c = document.getElementById(id), d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
  let n = 0;
  for (let i = 3; i < d.length; i += 4) n += d[i] > 0;
  return n / (c.width * c.height);
}"""

_FRAMES = """async (count) => {
  const c = document.getElementById("map-cases"), box = document.getElementById("map-box");
  const keys = ["ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"], took = [];
  const drawn = Number(box.dataset.drawn);
  let last = await new Promise(requestAnimationFrame);
  for (let i = 0; i < count; i++) {
    c.dispatchEvent(new KeyboardEvent("keydown", { key: keys[(i >> 3) % 4], bubbles: true }));
    const now = await new Promise(requestAnimationFrame);
    took.push(now - last);
    last = now;
  }
  took.sort((a, b) => a - b);
  return { median: took[count >> 1], p90: took[Math.floor(count * 0.9)], drawn: Number(box.dataset.drawn) - drawn };
}"""


@pytest.fixture
def page(browser: str, tmp_path: Path) -> Iterator[Page]:
    with chromium(browser, tmp_path) as page:
        page.resize(1280, 900)
        yield page


def _load(page: Page, folder: Path, report: ReportModel) -> Path:
    file = folder / "report.html"
    file.write_text(render_html(report), encoding="utf-8")
    page.open(file)
    page.until("document.getElementById('map-box').dataset.drawn > 0")
    page.evaluate("document.documentElement.style.scrollBehavior = 'auto'")
    page.evaluate("document.getElementById('map-box').scrollIntoView({ block: 'center' })")
    return file


def _painted(page: Page, canvas: str) -> float:
    """The share of a canvas that is not empty."""
    return page.evaluate(f"({_PAINTED})({json.dumps(canvas)})")


def _tip(page: Page) -> list[str]:
    """The lines of the note beside the pointer; none while there is no note."""
    lines = "[...t.querySelectorAll('p')].map((p) => p.textContent)"
    return page.evaluate(f"((t) => (t.hidden ? [] : {lines}))(document.getElementById('map-tip'))")


def _box(page: Page) -> tuple[float, float, float, float]:
    """Left, top, width and height of the map on the screen."""
    found = "(r => [r.left, r.top, r.width, r.height])"
    left, top, width, height = page.evaluate(
        f"{found}(document.getElementById('map-box').getBoundingClientRect())"
    )
    return left, top, width, height


def _place_of_a_case(page: Page) -> tuple[float, float]:
    """Where a case is on the screen: found with the keys, which put it near the middle."""
    page.evaluate("document.getElementById('map-cases').focus()")
    page.press("n")
    page.until("document.getElementById('map-said').textContent.includes('Bad case')")
    left, top, width, height = _box(page)
    page.press("Escape")
    # The case may stand off the middle where the map ends: look around for it.
    for ring in range(60):
        for dx, dy in ((ring, 0), (-ring, 0), (0, ring), (0, -ring)):
            x, y = left + width * (0.5 + dx / 130), top + height * (0.5 + dy / 130)
            page.mouse("Moved", x, y)
            if any(line.startswith("Bad case") for line in _tip(page)):
                return x, y
    raise AssertionError("no case on the map")


def test_eighteen_thousand_rows_and_six_hundred_cases_are_drawn_without_a_complaint(
    page: Page, tmp_path: Path
) -> None:
    file = _load(page, tmp_path, large_report(18_000, 600))
    assert 0.02 < _painted(page, "map-rows") < 0.6
    assert 0.01 < _painted(page, "map-cases") < 0.4
    assert page.picture().startswith(b"\x89PNG")
    # The policy forbids what would need the network, so nothing was even tried.
    assert page.requested == [file.as_uri()]
    assert page.logged == []


def test_a_case_says_what_it_asked_and_a_click_opens_its_finding(page: Page, tmp_path: Path) -> None:
    _load(page, tmp_path, large_report(2_000, 80))
    x, y = _place_of_a_case(page)
    assert "Click for its finding" in _tip(page)
    asked = _tip(page)[1]
    assert len(asked) > 5
    page.click(x, y)
    page.until("location.hash.startsWith('#finding-')")
    opened = "document.getElementById(location.hash.slice(1))"
    page.until(f"{opened}.open")
    assert asked in page.evaluate(f"{opened}.innerText")
    page.mouse("Moved", 2, 2)
    assert page.logged == []


def test_a_finding_that_a_filter_hides_is_shown_when_it_is_asked_for(page: Page, tmp_path: Path) -> None:
    _load(page, tmp_path, large_report(500, 40))
    page.evaluate("document.querySelector('[data-filter=category][data-value=hard]').click()")
    hidden = "[...document.querySelectorAll('.finding[hidden]')]"
    assert page.evaluate(f"{hidden}.length") > 10
    page.evaluate(f"location.hash = {hidden}[0].id")
    page.until("!document.getElementById(location.hash.slice(1)).hidden")
    assert page.evaluate(f"{hidden}.length") == 0


def test_a_training_row_says_what_it_asks(page: Page, tmp_path: Path) -> None:
    report = mapped_cycle_report(rows=500)
    _load(page, tmp_path, report)
    for name in ("conflict", "ood", "hard", "serving_mismatch"):
        page.evaluate(f"document.querySelector('[data-map-layer={name}]').click()")
    left, top, width, height = _box(page)
    found: list[str] = []
    for i in range(21 * 21):
        page.mouse("Moved", left + width * (i % 21 + 0.5) / 21, top + height * (i // 21 + 0.5) / 21)
        if found := _tip(page):
            break
    assert report.map is not None
    number = int(found[0].removeprefix("Training row ")) - 1
    assert found[1] == report.map.texts[number]
    assert found[2] == report.map.group_names[report.map.groups[number]]


def test_the_keys_reach_every_case_and_open_it(page: Page, tmp_path: Path) -> None:
    _load(page, tmp_path, mapped_cycle_report())
    page.evaluate("document.getElementById('map-cases').focus()")
    told = set()
    for _ in range(4):
        page.press("n")
        told.add(page.evaluate("document.getElementById('map-said').textContent"))
    assert len(told) == 4
    assert float(page.evaluate("document.getElementById('map-box').dataset.zoom")) == 4
    page.press("Enter")
    page.until("location.hash.startsWith('#finding-')")
    page.evaluate("document.getElementById('map-cases').focus()")
    page.press("0")
    page.until("document.getElementById('map-box').dataset.zoom === '1.00'")
    page.press("+")
    page.until("document.getElementById('map-box').dataset.zoom === '1.50'")


def test_the_wheel_scrolls_the_page_until_the_map_has_been_chosen(page: Page, tmp_path: Path) -> None:
    _load(page, tmp_path, mapped_cycle_report())
    left, top, _, _ = _box(page)
    x, y = left + 20, top + 20
    wheel = {"deltaX": 0, "deltaY": -100}
    page.mouse("Wheel", x, y, **wheel)
    assert page.evaluate("document.getElementById('map-box').dataset.zoom") == "1.00"
    # A browser sends what follows at once to where the first turn went.
    time.sleep(1)
    page.evaluate("document.getElementById('map-box').scrollIntoView({ block: 'center' })")
    page.click(x, y)
    page.mouse("Wheel", x, y, **wheel)
    page.until("Number(document.getElementById('map-box').dataset.zoom) > 1.1")


def test_a_layer_is_switched_off_and_on(page: Page, tmp_path: Path) -> None:
    _load(page, tmp_path, large_report(2_000, 60))
    full = _painted(page, "map-rows"), _painted(page, "map-cases")

    def toggle(name: str) -> str:
        button = f"document.querySelector('[data-map-layer={name}]')"
        drawn = page.evaluate("document.getElementById('map-box').dataset.drawn")
        page.evaluate(f"{button}.click()")
        page.until(f"document.getElementById('map-box').dataset.drawn !== '{drawn}'")
        return page.evaluate(f"{button}.getAttribute('aria-pressed')")

    assert toggle("rows") == "false"
    assert _painted(page, "map-rows") == 0
    assert toggle("ood") == "false"
    assert 0 < _painted(page, "map-cases") < full[1]
    assert (toggle("rows"), toggle("ood")) == ("true", "true")
    assert (_painted(page, "map-rows"), _painted(page, "map-cases")) == full


def test_fifty_thousand_rows_move_smoothly(page: Page, tmp_path: Path) -> None:
    _load(page, tmp_path, large_report(50_000, 600))
    page.evaluate("document.getElementById('map-cases').focus()")
    for _ in range(2):
        page.press("+")
    frames = page.evaluate(f"({_FRAMES})(90)")
    print(frames)
    assert frames["drawn"] >= 85
    # More than thirty frames a second, without a graphics card.
    assert frames["median"] < 33.4
    assert page.logged == []


def test_the_map_follows_the_readers_light_and_dark(page: Page, tmp_path: Path) -> None:
    _load(page, tmp_path, large_report(2_000, 60))
    page.prefer("light")
    page.until("matchMedia('(prefers-color-scheme: light)').matches")
    pixel = """(() => {
      const c = document.getElementById("map-rows");
      const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
      for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 200) return [d[i], d[i + 1], d[i + 2]].join();
    })()"""
    light = page.evaluate(pixel)
    page.prefer("dark")
    page.until(f"{pixel} !== '{light}'")


def test_nothing_that_a_user_wrote_runs_from_the_map(page: Page, tmp_path: Path) -> None:
    attack = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    report = poisoned(mapped_cycle_report(), attack)
    _load(page, tmp_path, report)
    page.evaluate("document.getElementById('map-cases').focus()")
    page.press("n")
    page.until("!document.getElementById('map-tip').hidden")
    assert any("<script>" in line for line in _tip(page))
    assert page.evaluate("document.title") != "owned"
    assert page.evaluate("document.querySelectorAll('img').length") == 0
    assert page.logged == []


def test_a_report_without_a_map_has_no_trace_of_one(browser: str, tmp_path: Path) -> None:
    document = render_html(cycle_report())
    assert "map-data" not in document
    assert 'id="map"' not in document
