"""Evidence in words: what is known is told, what is not is kept, and nothing in it can break a report."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.records import Evidence
from app.web.report_csv import render_csv
from app.web.report_evidence import view
from app.web.report_html import render_html
from app.web.report_markdown import render_markdown
from tests.unit.web.examples import conflict_finding, diagnosis_report
from tests.unit.web.large import full_evidence

KNOWN_KEYS = (
    "unseen_terms",
    "length",
    "pattern",
    "nearest_percentile",
    "methods",
    "language_known",
    "note",
    "contradicting_pair",
    "counts",
    "label_groups",
    "paraphrase",
    "reasons",
    "confusable",
    "adapter",
    "novelty",
    "remarks",
    "language",
)
_leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
_inner = st.sampled_from(
    ["value", "percentile", "text", "seen", "left", "right", "differences", "labels", "kind", "input", "x"]
)
_json = st.recursive(
    _leaf, lambda v: st.lists(v, max_size=3) | st.dictionaries(_inner, v, max_size=4), max_leaves=8
)
_part = st.dictionaries(st.sampled_from(KNOWN_KEYS) | st.text(max_size=4), _json, max_size=5)


def told(evidence: Evidence) -> dict[str, list[str]]:
    return {name: [f.says for f in facts] for name, facts in view(evidence).facts}


def test_everything_that_is_known_is_told_in_words() -> None:
    seen = view(full_evidence(conflict_finding(), 1))
    assert seen.pair is not None
    assert (seen.pair.left.example_id, seen.pair.right.example_id) == (None, "train-0012")
    assert [(d.kind, d.left, d.right) for d in seen.pair.differences] == [("direction", "late", "soon")]
    assert seen.sides == (3, 5, 1)
    facts = {name: {f.says: f for f in found} for name, found in seen.facts}
    assert facts["ood"]["Words that no training row holds"].words == ("ETC", "高速")
    assert "Length 18: longer than 41% of the training rows" in facts["ood"]
    assert "Its sentence pattern is in no training row" in facts["ood"]
    assert "Further from its nearest row than 99.8% of the training rows from theirs" in facts["ood"]
    assert facts["conflict"]["Perhaps one label under several names"].shown_share == "93%"
    assert facts["hard"]["Operands: five numbers are combined"].share == 0.97
    assert "Lies between two groups by a margin of 0.03" in facts["hard"]
    assert seen.symptoms == (("copied_training_output", "the output is another row's answer", "train-0012"),)
    assert [t.score for t in seen.taught] == [0.31, 0.12]
    assert dict(seen.judge)["agrees"] == "yes"


def test_what_is_new_about_a_prompt_is_told_by_its_remarks() -> None:
    novelty = {
        "unseen_terms": ["ETC"],
        "length": {"tokens": 40, "percentile": 0.99},
        "pattern": {"name": "question", "trained_share": 0.0},
        "language": {"name": "Thai", "trained_share": 0.0, "embedder_knows": False},
        "remarks": ["40 tokens are longer than 99.0% of the prompts"],
    }
    for ood in (novelty, {"novelty": novelty}):
        seen = view(Evidence(ood=ood))
        assert told(Evidence(ood=ood))["ood"] == ["Words that no training row holds", novelty["remarks"][0]]
        assert dict(seen.rest)["ood"]["length"] == novelty["length"]
    without = {key: value for key, value in novelty.items() if key != "remarks"}
    assert told(Evidence(ood=without))["ood"] == [
        "Words that no training row holds",
        "Length 40: longer than 99% of the training rows",
        "Its sentence pattern is in no training row",
        "The embedder does not know this language: nearness says little here",
    ]


def test_what_an_adapter_shows_is_told_in_its_own_sentence() -> None:
    adapter = {"reading": "learned_wrong", "sentence": "The wrong answer is what it learned.", "samples": 4}
    seen = view(Evidence(hard={"adapter": adapter}))
    assert told(Evidence(hard={"adapter": adapter}))["hard"] == ["The wrong answer is what it learned."]
    assert dict(seen.rest)["hard"]["adapter"] == {"reading": "learned_wrong", "samples": 4}


def test_what_is_not_known_is_kept_as_it_is() -> None:
    seen = view(Evidence(ood={"nearest_percentile": 0.5, "density": 0.3}, hard={"a": [1]}, conflict={}))
    assert dict(seen.rest) == {"ood": {"density": 0.3}, "hard": {"a": [1]}}


def test_a_language_that_the_embedder_does_not_know_is_said() -> None:
    assert told(Evidence(ood={"language_known": False}))["ood"] == [
        "The embedder does not know this language: nearness says little here"
    ]
    assert told(Evidence(ood={"language_known": True})) == {}


@pytest.mark.parametrize(
    "wrong", [None, 3, "text", [], {}, {"left": {}}, {"left": 1, "right": 2}, float("nan")]
)
def test_a_known_key_with_something_else_in_it_is_shown_as_it_is(wrong: Any) -> None:
    seen = view(Evidence(conflict={"contradicting_pair": wrong}))
    assert seen.pair is None
    assert "contradicting_pair" in dict(seen.rest)["conflict"]


@given(_part, _part, _part, st.lists(_part, max_size=2).map(tuple))
@settings(max_examples=120, deadline=None)
def test_no_evidence_whatever_is_in_it_breaks_a_report(
    ood: dict[str, Any], conflict: dict[str, Any], hard: dict[str, Any], listed: tuple[dict[str, Any], ...]
) -> None:
    evidence = Evidence(
        ood=ood, conflict=conflict, hard=hard, symptoms=listed, attribution=listed, judge=hard
    )
    assert all(f.share is None or f.share == f.share for _, facts in view(evidence).facts for f in facts)
    report = replace(diagnosis_report(), findings=(replace(conflict_finding(), evidence=evidence),))
    for render in (render_html, render_markdown, render_csv):
        assert render(report)
