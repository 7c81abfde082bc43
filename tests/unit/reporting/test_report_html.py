from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cache
from html.parser import HTMLParser
from time import perf_counter

import numpy as np
import pytest
from hypothesis import example, given, settings

from app.domain.evidence import ConflictEvidence, ContradictingPair, Evidence, PairDifference, PairSide
from app.domain.language.pair_differences import DifferenceKind
from app.domain.reports.report import ReportModel
from app.reporting import report_html
from app.reporting.report_html import render_html
from tests.effort import examples
from tests.unit.reporting.examples import conflict_finding, cycle_report, diagnosis_report, empty_report
from tests.unit.reporting.hostile import FRAGMENTS, hostile_texts, poisoned
from tests.unit.reporting.large import large_report, mapped_cycle_report

REPORTS = (cycle_report, diagnosis_report, empty_report, mapped_cycle_report)


@dataclass
class Page(HTMLParser):
    """What a browser makes of a page: its elements, attributes and text."""

    tags: Counter[str] = field(default_factory=Counter)
    attributes: dict[str, set[str]] = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    inside: str = ""

    def __post_init__(self) -> None:
        HTMLParser.__init__(self, convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.inside = tag
        for name, value in attrs:
            self.attributes.setdefault(name, set()).add(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self.inside == "h2" and data.strip():
            self.headings.append(data.strip())

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def read(document: str) -> Page:
    page = Page()
    page.feed(document)
    page.close()
    return page


@cache
def _sound() -> tuple[ReportModel, Page]:
    """A report, and its page before anything is put into it."""
    report = mapped_cycle_report(rows=20)
    return report, read(render_html(report))


@given(text=hostile_texts)
@example(text="".join(FRAGMENTS))
@example(text="<script>")
@example(text='"><img onerror=')
@settings(max_examples=examples(40))
@pytest.mark.parametrize("keys", [True, False])
def test_no_text_of_a_user_ever_becomes_markup(keys: bool, text: str) -> None:
    report, sound = _sound()
    hostile = read(render_html(poisoned(report, text, keys=keys)))
    known = sound.tags.keys() | {"details", "summary", "span", "mark", "div"}
    assert hostile.tags.keys() <= known
    assert (hostile.tags["script"], hostile.tags["style"]) == (2, 1)
    assert hostile.attributes.keys() <= sound.attributes.keys() | {"lang", "dir", "class"}
    assert hostile.comments == []
    assert not [name for name in hostile.attributes if name.startswith("on")]
    assert all(target.startswith("#") for target in hostile.attributes["href"])
    assert "src" not in hostile.attributes


def test_a_script_in_a_field_is_shown_as_text() -> None:
    document = render_html(poisoned(cycle_report(), "<script>alert(1)</script>"))
    assert "<script>alert" not in document
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in document


@pytest.mark.parametrize("make", REPORTS)
def test_the_page_needs_nothing_from_the_network(make: type[ReportModel]) -> None:
    document = render_html(make())
    assert not re.search(r"https?://|url\(|@import|//cdn", document)
    page = read(document)
    assert not page.tags.keys() & {"link", "img", "iframe", "object", "embed", "base"}


def test_the_policy_allows_our_own_script_and_no_other() -> None:
    document = render_html(cycle_report())
    script = document.split("<script>")[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', document)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{digest}';" in policy[1]


def test_a_whole_cycle_shows_every_section_in_order() -> None:
    assert read(render_html(cycle_report())).headings == [
        "The adapter may be served: 41 of 48 bad cases fixed.",
        "Roadmap",
        "Groups of cases that fail alike",
        "Findings",
        "Changes to the data",
        "What the model was trained on",
        "Training",
        "Before and after",
        "Method and settings",
    ]


def test_map_and_comparison_stand_between_the_roadmap_and_the_findings() -> None:
    headings = read(render_html(mapped_cycle_report())).headings
    assert headings[1:6] == [
        "Roadmap",
        "Map of the training set and the cases",
        "Groups of cases that fail alike",
        "Against the diagnosis before",
        "Findings",
    ]


def test_the_map_in_the_page_holds_every_point() -> None:
    report = large_report(3_000, 50)
    document = render_html(report)
    data = json.loads(document.split('id="map-data">')[1].split("</script>")[0])
    assert report.map is not None
    places = np.frombuffer(base64.b64decode(data["rows"]), dtype="<u2").reshape(-1, 2)
    assert np.array_equal(places, report.map.examples)
    assert data["texts"].split("\n") == list(report.map.texts)
    assert data["cases"]["ids"] == [f.id for f in report.findings]
    assert data["causes"][data["cases"]["causes"][0]]["key"] == report.findings[0].category.value
    assert data["cases"]["texts"][4] == "我的second信用卡丢了怎么办"


@pytest.mark.parametrize("text", ["a\nb", "</script><script>", "\u2028", "\ud800", "\x00", "&lt;"])
def test_a_text_on_the_map_can_be_anything(text: str) -> None:
    report = mapped_cycle_report(rows=30)
    assert report.map is not None
    report = replace(report, map=replace(report.map, texts=(text,) * 30))
    data = render_html(report).split('id="map-data">')[1].split("</script>")[0]
    assert len(json.loads(data)["texts"].split("\n")) == 30


def test_a_case_beyond_what_the_page_shows_is_on_the_map_without_a_link(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(report_html, "MAX_FINDINGS", 3)
    document = render_html(large_report(100, 8))
    ids = json.loads(document.split('id="map-data">')[1].split("</script>")[0])["cases"]["ids"]
    assert (len(ids), ids.count("")) == (8, 5)


def test_eighteen_thousand_rows_and_six_hundred_cases_are_a_page_one_can_open_and_send() -> None:
    report = large_report(18_000, 600)
    started = perf_counter()
    document = render_html(report)
    assert perf_counter() - started < 20
    assert len(document.encode()) < 10_000_000
    data = document.split('id="map-data">')[1].split("</script>")[0]
    assert len(data.encode()) < 1_900_000
    assert read(document).tags["tr"] > 1500


def test_the_contradicting_pair_stands_side_by_side_with_its_differences_marked() -> None:
    finding = conflict_finding()
    pair = ContradictingPair(
        left=PairSide(example_id=None, input="freeze my card", output="cards / freeze"),
        right=PairSide(example_id="t-7", input="unfreeze my card", output="cards / unfreeze"),
        differences=(PairDifference(kind=DifferenceKind.NEGATION, left="freeze", right="unfreeze"),),
    )
    evidence = Evidence(conflict=ConflictEvidence(contradicting_pair=pair))
    document = render_html(replace(diagnosis_report(), findings=(replace(finding, evidence=evidence),)))
    for shown in (
        "This case",
        "<mark>freeze</mark> my card",
        "<mark>unfreeze</mark> my card",
        "<b>Negation</b> freeze → unfreeze",
        "<dt>Rows that should agree</dt>",
    ):
        assert shown in document
    assert "contradicting_pair" not in document
    assert "Contradicting pair" not in document


def test_a_roadmap_step_shows_cost_and_gain() -> None:
    document = render_html(large_report(10, 5))
    assert document.count("<h4>Expected gain</h4>") == document.count("<h4>Cost</h4>") == 5


def test_a_group_shows_how_it_moved() -> None:
    document = render_html(large_report(10, 5))
    assert '<span class="trend t-growing">Growing</span> <span class="quiet">1 before</span>' in document
    assert "Not seen since the diagnosis before" in document


def test_what_differs_from_the_prompt_is_marked_in_a_near_row_and_not_in_a_far_one() -> None:
    assert report_html.beside("freeze my gold card", "freeze my old card").count("<mark>") == 1
    assert "<mark>" not in report_html.beside("where is my parcel", "my dog bit another dog, am I insured")
    assert "<mark>信" in report_html.beside("我的信用卡丢了怎么办", "我的银行卡丢了怎么办")


def test_a_diagnosis_alone_shows_only_its_own_sections() -> None:
    page = read(render_html(diagnosis_report()))
    assert page.headings == [
        "4 bad cases fail for 4 reasons that are equally frequent.",
        "Roadmap",
        "Groups of cases that fail alike",
        "Findings",
        "Method and settings",
    ]
    assert not {"#repair", "#mixture", "#training", "#verification"} & page.attributes["href"]


def test_an_empty_report_says_so() -> None:
    page = read(render_html(empty_report()))
    assert page.headings == ["No bad cases were diagnosed.", "Findings", "Method and settings"]


@pytest.mark.parametrize("make", REPORTS)
def test_every_id_stands_once_and_every_link_has_its_target(make: type[ReportModel]) -> None:
    page = read(render_html(make()))
    assert len(page.ids) == len(set(page.ids))
    assert {target[1:] for target in page.attributes["href"]} <= set(page.ids)


def test_differences_between_wrong_and_expected_are_marked() -> None:
    document = render_html(replace(diagnosis_report(), findings=(conflict_finding(),)))
    assert "Returns <mark>cost 5 EUR</mark> within <mark>14</mark> days." in document.replace(
        "</mark> <mark>", " "
    )


def test_a_serving_mismatch_is_told_in_words() -> None:
    document = render_html(cycle_report())
    assert "<b>System prompt</b>: no training row has this system prompt" in document


def test_a_chinese_text_is_set_as_chinese() -> None:
    assert re.search(
        r'<div class="text" dir="auto" lang="zh-Hans">[^<]*过高速的时候', render_html(cycle_report())
    )


def test_a_long_text_is_folded_and_a_huge_one_cut() -> None:
    huge = "x" * 1_000_000
    finding = replace(conflict_finding(), model_output=huge, prompt=huge)
    document = render_html(replace(diagnosis_report(), findings=(finding,)))
    assert len(document) < 200_000
    assert "Show all 1,000,000 characters" in document
    assert "980,000 more characters" in document


def test_control_characters_and_direction_overrides_are_named() -> None:
    shown = report_html.text("a\x00b\u202ec\ud800")
    assert "a[U+0000]b[U+202E]c\ufffd" in shown
    render_html(poisoned(cycle_report(), "\ud800\x00")).encode("utf-8")


def test_more_findings_than_a_page_shows_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_html, "MAX_FINDINGS", 3)
    document = render_html(diagnosis_report())
    assert "The first 3 of 4 findings" in document
    assert document.count('class="finding card"') == 3


def test_what_is_still_open_comes_first() -> None:
    verdicts = re.findall(r'data-verdict="(\w*)"', render_html(cycle_report()))
    assert verdicts == ["regressed", "not_fixed", "", "fixed"]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "–"), (3.21, "3.2 s"), (59, "59 s"), (754, "12 min 34 s"), (7380, "2 h 3 min")],
)
def test_durations_read_as_people_say_them(seconds: float | None, shown: str) -> None:
    assert report_html.duration(seconds) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (True, "yes"),
        (0.50001, "0.5"),
        (0.00012, "0.00012"),
        (12345, "12,345"),
        (float("nan"), "–"),
        ([1, "a"], "1, a"),
        ([], "none"),
        ([{"kind": "a", "n": 1}, {"kind": "b"}], "kind a · n 1; kind b"),
        ({"low_share": 0.25, "n": 3}, "low share 0.25 · n 3"),
        ({"a": {"b": [1]}}, '{"a": {"b": [1]}}'),
    ],
)
def test_settings_read_as_short_text(value: object, shown: str) -> None:
    assert report_html.readable(value) == shown
