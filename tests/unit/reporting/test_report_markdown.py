from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import example, given, settings
from markdown_it import MarkdownIt
from markdown_it.token import Token

from app.reporting.markdown_text import cell, code, escaped, fenced
from app.reporting.report_markdown import render_markdown
from tests.effort import examples
from tests.unit.reporting.examples import conflict_finding, cycle_report, diagnosis_report, empty_report
from tests.unit.reporting.hostile import FRAGMENTS, hostile_texts, poisoned
from tests.unit.reporting.large import large_report, mapped_cycle_report

# A reader that lets HTML through, as many do: whatever got past the escaping would show here.
_READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


_MAPPED = mapped_cycle_report(rows=5)


def _headings(document: str) -> list[str]:
    return _headings_of(_READER.parse(document))


def _headings_of(tokens: list[Token]) -> list[str]:
    return [tokens[i + 1].content for i, t in enumerate(tokens) if t.type == "heading_open" and t.tag == "h2"]


@cache
def _sound() -> tuple[list[str], int]:
    """Headings and cells of the report before anything is put into it."""
    tokens = _READER.parse(render_markdown(_MAPPED))
    return _headings_of(tokens), _cells(tokens)


def _cells(tokens: list[Token]) -> int:
    return sum(t.type == "td_open" for t in tokens)


@given(text=hostile_texts)
@example(text="".join(FRAGMENTS))
@example(text="\\|`|`<b>|")
@settings(max_examples=examples(30))
@pytest.mark.parametrize("keys", [True, False])
def test_no_text_of_a_user_ever_becomes_markup(keys: bool, text: str) -> None:
    tokens = _READER.parse(render_markdown(poisoned(_MAPPED, text, keys=keys)))
    kinds = {t.type for token in tokens for t in (token, *(token.children or ()))}
    assert not kinds & {"html_block", "html_inline", "link_open", "image"}
    headings, cells = _sound()
    assert _headings_of(tokens) == headings
    # Evidence that repeats one key or one part collapses; nothing may add cells.
    assert _cells(tokens) <= cells


def test_a_whole_cycle_tells_every_section() -> None:
    assert _headings(render_markdown(cycle_report())) == [
        "What failed, and why",
        "Roadmap",
        "Groups of cases that fail alike",
        "Findings",
        "Changes to the data (48 actions)",
        "What the model was trained on",
        "Training",
        "Before and after",
        "Method and settings",
    ]


def test_a_diagnosis_alone_shows_only_its_own_sections() -> None:
    headings = _headings(render_markdown(diagnosis_report()))
    assert headings[-2:] == ["Findings", "Method and settings"]
    assert "Training" not in headings


def test_an_empty_report_says_so() -> None:
    document = render_markdown(empty_report())
    assert "No bad cases were diagnosed." in document
    assert _headings(document) == ["Findings", "Method and settings"]


def test_more_findings_than_are_told_are_counted() -> None:
    findings = tuple(conflict_finding(number) for number in range(500))
    document = render_markdown(replace(cycle_report(), findings=findings))
    assert "The first 200 of 500 findings" in document


def test_a_code_span_is_longer_than_the_backticks_in_it() -> None:
    assert code("a ``b`` c") == "```a ``b`` c```"
    assert code("`a`") == "`` `a` ``"
    assert fenced("```\nx").startswith("````text\n")


def test_a_pipe_never_ends_a_cell() -> None:
    assert cell("a|b") == r"a\|b"
    assert cell("a b") == "`a b`"


def test_plain_text_stays_readable() -> None:
    assert (
        escaped("Near-duplicate of train-0136 (70 %): free!") == "Near-duplicate of train-0136 (70 %): free!"
    )
    assert escaped("1. first") == r"1\. first"
    assert escaped("0.5 is low") == "0.5 is low"
    assert escaped("https://example.com") == r"https\://example.com"


def test_evidence_gain_trend_and_comparison_are_told() -> None:
    document = render_markdown(large_report(10, 4))
    assert "## Against the diagnosis before" in document
    for told in (
        "Expected gain: Helps up to",
        "| Growing, 1 before |",
        "Not seen since the diagnosis before: login, locked (6).",
        "| Fixed or gone | 6 | 0 |",
        "The contradiction:",
        "Words that no training row holds: `ETC`, `高速`",
        "Taught by train",
        "A language model's reading",
    ):
        assert told in document, told
