"""Evidence in words and in figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.domain.diagnosis.features import coverage
from app.domain.evidence import (
    ConflictEvidence,
    ConflictFigures,
    ConfusableGroups,
    Evidence,
    HardEvidence,
    HardReason,
    OodEvidence,
    Paraphrase,
    PromptLength,
    SideCounts,
)
from app.domain.language.pair_differences import DifferenceKind
from app.domain.records import RootCause
from app.reporting import evidence_facts
from app.reporting.evidence_facts import Fact
from app.reporting.report_evidence import runner_up, view
from app.reporting.report_html import render_html
from app.reporting.report_markdown import render_markdown
from tests.unit.reporting.examples import conflict_finding, diagnosis_report
from tests.unit.reporting.large import full_evidence


def told(evidence: Evidence) -> dict[str, list[str]]:
    return {name: [f.says for f in facts] for name, facts in view(evidence).facts}


def test_everything_that_is_known_is_told_in_words() -> None:
    seen = view(full_evidence(conflict_finding(), 1))
    facts = {name: {f.says: f for f in found} for name, found in seen.facts}
    assert facts["ood"]["Words that no training row holds"].words == ("ETC", "高速")
    assert not any(says.startswith("Length") for says in facts["ood"])  # 41 % is nothing to tell
    assert seen.figures["ood"]["length"] == {"value": 18, "percentile": 0.41}
    assert "no training prompt is built alike" in facts["ood"]
    assert "Further from its nearest row than 99.8% of the task's training rows from theirs" in facts["ood"]
    named = "Perhaps one label under several names: rows of each are taken for the other"
    assert facts["conflict"][named].shown_share == "93%"
    assert facts["hard"]["The prompt holds 5 numbers to work with"].share == 0.97
    assert "Lies between two groups by a margin of 0.03" in facts["hard"]
    assert "The wrong answer is what it learned." in facts["hard"]
    assert dict(seen.judge)["agrees"] == "yes"


def test_what_is_told_in_words_does_not_stand_among_the_figures_again() -> None:
    figures = view(full_evidence(conflict_finding(), 1)).figures
    assert list(figures) == ["ood", "conflict", "hard", "serving_mismatch"]
    assert not {"unseen_terms", "remarks", "nearest_percentile"} & figures["ood"].keys()
    assert figures["conflict"].keys() == ConflictFigures.model_fields.keys()
    assert {"prompt_numbers", "looks_alike", "adapter"} < figures["hard"].keys()
    assert "right_by" not in figures["hard"]
    assert "sentence" not in str(figures["hard"]["adapter"])


def test_a_length_that_is_out_of_range_is_told_from_the_side_it_is_out_on() -> None:
    short = OodEvidence(length=PromptLength(value=3, percentile=0.01))
    assert told(Evidence(ood=short))["ood"] == ["Length 3: shorter than 99% of the training rows"]
    assert told(Evidence(ood=short.model_copy(update={"remarks": ("3 tokens are shorter",)})))["ood"] == [
        "3 tokens are shorter"
    ]
    assert told(Evidence(ood=OodEvidence(length=PromptLength(value=30, percentile=0.5)))) == {}


def test_a_label_that_no_row_has_is_told_first() -> None:
    ood = OodEvidence(unseen_label="set_clock", unseen_terms=("x",))
    (fact, *_) = dict(view(Evidence(ood=ood)).facts)["ood"]
    assert (fact.says, fact.words) == ("No training row has the expected answer", ("set_clock",))
    assert told(Evidence(ood=OodEvidence(unseen_label=None))) == {}


def test_measures_are_counted_the_furthest_named_in_words_and_all_stay_with_the_scores() -> None:
    ranks = {
        "text_overlap": 0.9997,
        "task_distance": 0.95,
        "label_distance": 0.95,
        "mean_of_five": 0.4,
        "surprisal": 0.01,
    }
    shown = view(Evidence(ood=OodEvidence(methods=ranks)))
    (fact,) = dict(shown.facts)["ood"]
    assert fact.says == "Unusual on 2 of 4 distance measures (beyond the 90th percentile)"
    assert fact.words == (
        "wording that no near row shares 99.9%",
        "distance to its task as a whole 95%",
    )
    assert shown.figures["ood"]["methods"] == ranks
    assert told(Evidence(ood=OodEvidence(methods={"text_overlap": 0.4}))) == {}


def test_every_measure_of_coverage_has_a_name_in_words() -> None:
    told = coverage.evidence(np.full(len(coverage.FEATURES), -3.0), np.ones(5), 1).methods
    assert told.keys() <= evidence_facts.MEASURE_NAMES.keys()


def test_what_speaks_for_the_verdict_comes_first() -> None:
    evidence = Evidence(
        ood=OodEvidence(nearest_percentile=0.3), conflict=ConflictEvidence(counts=SideCounts(expected=3))
    )
    assert [name for name, _ in view(evidence, RootCause.HARD).facts] == ["hard", "ood"]
    assert [name for name, _ in view(evidence, RootCause.OOD).facts] == ["ood"]


def test_a_hard_case_is_shown_to_be_covered_and_consistent() -> None:
    evidence = Evidence(
        ood=OodEvidence(nearest_percentile=0.1), conflict=ConflictEvidence(counts=SideCounts(expected=3))
    )
    assert dict(view(evidence, RootCause.HARD).facts)["hard"] == (
        Fact(
            says="Rows near enough to have the same answer: 3 with the expected one, 0 with the wrong one, "
            "0 with another"
        ),
        Fact(says="Its kind is covered: 90% of the task's rows are further from their nearest"),
        Fact(says="Nothing measured stands out: it asks for no more than its task's other rows"),
    )
    mixed = Evidence(conflict=ConflictEvidence(counts=SideCounts(expected=3, neither=2)))
    said = [f.says for f in dict(view(mixed, RootCause.HARD).facts)["hard"]]
    assert said[1:] == ["It lies where several answers meet"]
    first, *_ = dict(view(Evidence(), RootCause.HARD).facts)["hard"]
    assert first.says == "No row asks exactly this, so none contradicts the expected answer"


def test_what_was_taught_and_not_learnt_is_told_before_what_makes_it_hard() -> None:
    reason = HardReason(kind="prompt_numbers", detail="the prompt holds 6 numbers", percentile=0.9)
    once = Evidence(hard=HardEvidence(taught_by=("ex_1",), reasons=(reason,)))
    _, first, second = dict(view(once, RootCause.HARD).facts)["hard"]
    assert (
        first.says == "Taught, and not learnt: a training row asks the very same and has the expected answer"
    )
    assert first.words == ("ex_1",)
    assert second.says == "The prompt holds 6 numbers"
    twice = Evidence(hard=HardEvidence(taught_by=("ex_1", "ex_2")))
    _, only = dict(view(twice, RootCause.HARD).facts)["hard"]
    assert "2 training rows ask the very same and have" in only.says
    assert "hard" not in dict(view(Evidence()).facts)


def test_a_contradiction_word_for_word_is_said_to_be_one() -> None:
    paraphrase = Paraphrase(probability=0.29, usual=0.02, differs=())
    same, often = told(Evidence(conflict=ConflictEvidence(paraphrase=paraphrase)))["conflict"]
    assert same == "The contradicting row asks the same, word for word"
    assert often.endswith("29% have the same answer (of near rows of the task in general 2%)")
    other = paraphrase.model_copy(update={"differs": (DifferenceKind.NUMBER,)})
    assert told(Evidence(conflict=ConflictEvidence(paraphrase=other)))["conflict"][-1] == "Differs from it in"


def test_groups_that_are_told_apart_well_are_not_told_as_a_reason() -> None:
    groups = ConfusableGroups(labels=("a", "b"), similarities=(0.9, 0.7), margin=0.2, closer_than=0.1)
    assert told(Evidence(hard=HardEvidence(confusable=groups))) == {}
    near = groups.model_copy(update={"margin": 0.01, "closer_than": 0.8})
    assert told(Evidence(hard=HardEvidence(confusable=near)))["hard"] == [
        "Lies between two groups by a margin of 0.01"
    ]


def test_a_second_likely_cause_is_named_and_an_unlikely_one_is_not() -> None:
    chances = {RootCause.HARD: 0.6, RootCause.CONFLICT: 0.35, RootCause.OOD: 0.05}
    assert runner_up(chances, RootCause.HARD) == (RootCause.CONFLICT, 0.35)
    assert runner_up({RootCause.HARD: 0.9, RootCause.OOD: 0.1}, RootCause.HARD) is None
    assert runner_up({}, RootCause.UNDETERMINED) is None


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
