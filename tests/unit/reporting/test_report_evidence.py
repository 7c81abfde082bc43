"""Evidence in words: what is known is told, what is not is kept, and nothing in it can break a report."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.diagnosis.features import coverage
from app.domain.records import Evidence, RootCause
from app.reporting import evidence_facts
from app.reporting.evidence_facts import Fact
from app.reporting.report_csv import render_csv
from app.reporting.report_evidence import runner_up, view
from app.reporting.report_html import render_html
from app.reporting.report_markdown import render_markdown
from tests.effort import examples
from tests.unit.reporting.examples import conflict_finding, diagnosis_report
from tests.unit.reporting.large import full_evidence

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
    assert not any(says.startswith("Length") for says in facts["ood"])  # 41 % is nothing to tell
    assert dict(seen.rest)["ood"]["length"]["percentile"] == 0.41
    assert "Its sentence pattern is in no training row" in facts["ood"]
    assert "Further from its nearest row than 99.8% of the task's training rows from theirs" in facts["ood"]
    named = "Perhaps one label under several names: rows of each are taken for the other"
    assert facts["conflict"][named].shown_share == "93%"
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
@settings(max_examples=examples(120))
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


def test_a_length_that_is_out_of_range_is_told_from_the_side_it_is_out_on() -> None:
    assert told(Evidence(ood={"length": {"value": 3, "percentile": 0.01}}))["ood"] == [
        "Length 3: shorter than 99% of the training rows"
    ]
    assert told(Evidence(ood={"length": {"value": 30, "percentile": 0.5}})) == {}


def test_a_label_that_no_row_has_is_told_first() -> None:
    (fact, *_) = dict(view(Evidence(ood={"unseen_label": "set_clock", "unseen_terms": ["x"]})).facts)["ood"]
    assert (fact.says, fact.words) == ("No training row has the expected answer", ("set_clock",))
    assert told(Evidence(ood={"unseen_label": None})) == {}


def test_measures_are_counted_the_furthest_named_in_words_and_all_stay_with_the_scores() -> None:
    ranks = {
        "text_overlap": 0.9997,
        "task_distance": 0.95,
        "label_distance": 0.95,
        "mean_of_five": 0.4,
        "surprisal": 0.01,
    }
    shown = view(Evidence(ood={"methods": ranks}))
    (fact,) = dict(shown.facts)["ood"]
    assert fact.says == "Unusual on 2 of 4 distance measures (beyond the 90th percentile)"
    assert fact.words == (
        "wording that no near row shares 99.9%",
        "distance to its task as a whole 95%",
    )
    assert dict(shown.rest)["ood"] == {"methods": ranks}
    assert told(Evidence(ood={"methods": {"text_overlap": 0.4}})) == {}


def test_every_measure_of_coverage_has_a_name_in_words() -> None:
    told = coverage.evidence(np.full(len(coverage.FEATURES), -3.0), np.ones(5), 1)["methods"]
    assert told.keys() <= evidence_facts.MEASURE_NAMES.keys()


def test_what_speaks_for_the_verdict_comes_first() -> None:
    evidence = Evidence(ood={"nearest_percentile": 0.3}, conflict={"counts": {"expected": 3}}, hard={})
    assert [name for name, _ in view(evidence, RootCause.HARD).facts] == ["hard", "ood"]
    assert [name for name, _ in view(evidence, RootCause.OOD).facts] == ["ood"]


def test_a_hard_case_is_shown_to_be_covered_and_consistent() -> None:
    counts = {"expected": 3, "model_output": 0, "neither": 0}
    evidence = Evidence(ood={"nearest_percentile": 0.1}, conflict={"counts": counts})
    assert dict(view(evidence, RootCause.HARD).facts)["hard"] == (
        Fact(
            says="Rows near enough to have the same answer: 3 with the expected one, 0 with the wrong one, "
            "0 with another"
        ),
        Fact(says="Its kind is covered: 90% of the task's rows are further from their nearest"),
        Fact(says="Nothing measured stands out: it asks for no more than its task's other rows"),
    )
    mixed = Evidence(conflict={"counts": {**counts, "neither": 2}})
    said = [f.says for f in dict(view(mixed, RootCause.HARD).facts)["hard"]]
    assert said[1:] == ["It lies where several answers meet"]
    alone = Evidence(conflict={"counts": dict.fromkeys(counts, 0)})
    first, *_ = dict(view(alone, RootCause.HARD).facts)["hard"]
    assert first.says == "No row asks exactly this, so none contradicts the expected answer"


def test_what_was_taught_and_not_learnt_is_told_before_what_makes_it_hard() -> None:
    reasons = [{"kind": "prompt_numbers", "detail": "the prompt holds 6 numbers", "percentile": 0.9}]
    once = Evidence(hard={"taught_by": ["ex_1"], "reasons": reasons})
    first, second = dict(view(once, RootCause.HARD).facts)["hard"]
    assert (
        first.says == "Taught, and not learnt: a training row asks the very same and has the expected answer"
    )
    assert first.words == ("ex_1",)
    assert second.says == "The prompt holds 6 numbers"
    twice = Evidence(hard={"taught_by": ["ex_1", "ex_2"]})
    (only,) = dict(view(twice, RootCause.HARD).facts)["hard"]
    assert "2 training rows ask the very same and have" in only.says
    assert "hard" not in dict(view(Evidence(hard={"taught_by": []})).facts)


def test_a_contradiction_word_for_word_is_said_to_be_one() -> None:
    paraphrase = {"probability": 0.29, "usual": 0.02, "differs": []}
    same, often = told(Evidence(conflict={"paraphrase": paraphrase}))["conflict"]
    assert same == "The contradicting row asks the same, word for word"
    assert often.endswith("29% have the same answer (of near rows of the task in general 2%)")
    other = told(Evidence(conflict={"paraphrase": {**paraphrase, "differs": ["number"]}}))["conflict"]
    assert other[-1] == "Differs from it in"


def test_groups_that_are_told_apart_well_are_not_told_as_a_reason() -> None:
    groups = {"labels": ["a", "b"], "margin": 0.2, "closer_than": 0.1}
    assert told(Evidence(hard={"confusable": groups})) == {}
    near = {**groups, "margin": 0.01, "closer_than": 0.8}
    assert told(Evidence(hard={"confusable": near}))["hard"] == [
        "Lies between two groups by a margin of 0.01"
    ]


def test_a_second_likely_cause_is_named_and_an_unlikely_one_is_not() -> None:
    chances = {RootCause.HARD: 0.6, RootCause.CONFLICT: 0.35, RootCause.OOD: 0.05}
    assert runner_up(chances, RootCause.HARD) == (RootCause.CONFLICT, 0.35)
    assert runner_up({RootCause.HARD: 0.9, RootCause.OOD: 0.1}, RootCause.HARD) is None
    assert runner_up({}, RootCause.UNDETERMINED) is None


def test_what_a_measure_is_called_is_not_told_beside_its_sentence() -> None:
    reason = {
        "kind": "answer_operators",
        "detail": "the expected output takes 5 calculations",
        "percentile": 0.98,
    }
    assert told(Evidence(hard={"reasons": [reason]}))["hard"] == ["The expected output takes 5 calculations"]
    assert told(Evidence(hard={"reasons": [{"kind": "answer_steps"}]}))["hard"] == ["Answer steps"]


def test_markdown_tells_what_speaks_for_the_verdict_and_a_second_likely_cause() -> None:
    finding = replace(
        conflict_finding(),
        evidence=full_evidence(conflict_finding(), 1),
        probabilities={RootCause.CONFLICT: 0.6, RootCause.HARD: 0.4},
    )
    said = render_markdown(replace(diagnosis_report(), findings=(finding,)))
    assert "Not certain: hard is likely too (40%)." in said
    assert "- Rows near enough to have the same answer: 3 with the expected one" in said
    assert "- Conflict: Perhaps one label under several names" in said
    assert "- Ood: " not in said
    page = render_html(replace(diagnosis_report(), findings=(finding,)))
    assert "Not certain: hard is likely too (40%)." in page
    assert "What speaks for a contradiction" not in page
    other = render_html(replace(diagnosis_report(), findings=(replace(finding, category=RootCause.HARD),)))
    assert "What speaks for a contradiction" in other
