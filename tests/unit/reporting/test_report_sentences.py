"""No sentence of a report contradicts its findings, its actions, or another sentence."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.records import RecommendedAction, RootCause
from app.domain.reports.report import (
    AugmentationReport,
    RepairReport,
    ReportDiagnosis,
    ReportFinding,
    ReportModel,
)
from app.reporting.report_evidence import runner_up
from app.reporting.report_html import render_html
from app.reporting.report_markdown import render_markdown
from app.reporting.report_sentences import about_the_plan, decided, main_causes, to_do
from app.reporting.report_summary import figures, headline
from tests.effort import examples
from tests.unit.reporting.examples import conflict_finding, diagnosis_report, empty_report

SAYS = {
    RootCause.CONFLICT: ("contradict", "Correct or remove the contradicting rows"),
    RootCause.OOD: ("no training row covers", "Add rows for"),
    RootCause.HARD: ("yet the model gets them wrong", "Train differently"),
    RootCause.SERVING_MISMATCH: ("was not built as", "Fix the request"),
    RootCause.UNDETERMINED: ("evidence does not decide", "Ask a person"),
}
CLOSE = RecommendedAction(action="close_case", reason="equal", cost="low")
COUNTS = st.dictionaries(
    st.sampled_from(["drop", "relabel", "merge"]),
    st.dictionaries(
        st.sampled_from(["proposed", "approved", "rejected", "applied"]), st.integers(1, 9), min_size=1
    ),
)


@st.composite
def finding(draw: st.DrawFn, number: int) -> ReportFinding:
    causes = [c for c in RootCause if c is not RootCause.UNDETERMINED]
    weights = draw(st.lists(st.floats(0.01, 1), min_size=len(causes), max_size=len(causes)))
    probabilities = {c: w / sum(weights) for c, w in zip(causes, weights, strict=True)}
    said = max(causes, key=lambda c: probabilities[c])
    return replace(
        conflict_finding(number),
        category=draw(st.sampled_from([said, RootCause.UNDETERMINED])),
        probabilities=probabilities,
        expected_output=draw(st.sampled_from([None, "right"])),
        recommended_actions=draw(st.sampled_from([(), (CLOSE,)])),
        verdict=None,
    )


@st.composite
def report(draw: st.DrawFn) -> ReportModel:
    findings = tuple(draw(finding(i)) for i in range(draw(st.integers(0, 6))))
    categories = [f.category for f in findings]
    counts = draw(COUNTS)
    proposed = sum(by.get("proposed", 0) for by in counts.values())
    questions = draw(st.integers(0, proposed))
    repair = RepairReport(
        id="rp",
        counts=counts,
        actions=(),
        total_actions=sum(sum(by.values()) for by in counts.values()),
        open_questions=questions,
        rows_kept_out=draw(st.integers(0, 9)) if questions else 0,
    )
    return replace(
        empty_report(),
        diagnosis=ReportDiagnosis(
            id="dg", cases=len(findings), by_category={c: categories.count(c) for c in RootCause}
        ),
        findings=findings,
        roadmap=(),
        repair=draw(st.sampled_from([None, repair])),
        augmentation=draw(st.sampled_from([None, AugmentationReport(counts={"paraphrase": 3})])),
    )


def wrong(made: ReportModel, cause: RootCause) -> int:
    return sum(f.category is cause and CLOSE not in f.recommended_actions for f in made.findings)


@given(report())
def test_a_cause_is_spoken_of_where_a_case_has_it_and_nowhere_else(made: ReportModel) -> None:
    said = to_do(made)
    for cause, (because, advice) in SAYS.items():
        assert any(advice in sentence for sentence in said) == bool(wrong(made, cause))
        if because in main_causes(made):
            assert wrong(made, cause) == max(wrong(made, c) for c in RootCause) > 0
    numbers = [int(n) for sentence in said for n in re.findall(r"(\d+) cases?\b", sentence)]
    assert sum(numbers) == made.diagnosis.cases


@given(report())
def test_the_share_that_is_decided_leaves_out_close_calls_and_what_a_person_decides(
    made: ReportModel,
) -> None:
    sure, close, left = decided(made)
    assert sure + close + left == made.diagnosis.cases
    shown = {f.label: f.shown for f in figures(made)}["Decided by evidence"]
    unsure = [
        f
        for f in made.findings
        if f.category is RootCause.UNDETERMINED or runner_up(f.probabilities, f.category) is not None
    ]
    assert (shown == "100%") == (bool(made.findings) and not unsure)


@given(report())
def test_the_plan_is_told_as_its_actions_are(made: ReportModel) -> None:
    said = " ".join(about_the_plan(made))
    if made.repair is None:
        assert said == ""
        return
    by_decision = list(made.repair.counts.values())
    assert ("changes no row" in said) == (not by_decision)
    for decision, words in (
        ("applied", "carried out."),
        ("proposed", "nobody has decided"),
        ("rejected", "rejected"),
    ):
        assert (words in said.replace("not carried out yet", "")) == any(decision in by for by in by_decision)
    assert ("for a person" in said) == bool(made.repair.open_questions)
    if made.repair.rows_kept_out:
        assert re.search(rf"\b{made.repair.rows_kept_out} rows? (is|are) left out", said)
    uncovered = wrong(made, RootCause.OOD)
    assert ("that no training row covers" in said) == bool(uncovered)
    if uncovered:
        assert ("No row is added" in said) == (made.augmentation is None)


@settings(max_examples=examples(20))
@given(report())
def test_every_rendering_says_the_same(made: ReportModel) -> None:
    page, text = render_html(made), render_markdown(made)
    for rendered in (page, text):
        assert "needed no repair" not in rendered
        assert ("Clean the data" in rendered) is False
    for sentence in (*headline(made).details, *about_the_plan(made)):
        assert sentence.split("(")[0].strip() in page.replace("&#39;", "'")


def test_one_case_that_is_right_already_is_no_hard_one() -> None:
    right = replace(
        conflict_finding(),
        category=RootCause.HARD,
        recommended_actions=(CLOSE,),
        probabilities={RootCause.HARD: 1.0},
    )
    made = replace(
        diagnosis_report(),
        diagnosis=ReportDiagnosis(id="dg", cases=1, by_category={RootCause.HARD: 1}),
        findings=(right,),
    )
    assert headline(made).title == "1 bad case: the answer is right already."
    assert headline(made).details[0] == "Close 1 case (100%): the answer is right already."


def test_causes_that_are_equally_frequent_are_all_named() -> None:
    made = replace(
        diagnosis_report(),
        findings=(),
        diagnosis=ReportDiagnosis(id="dg", cases=4, by_category={RootCause.CONFLICT: 2, RootCause.OOD: 2}),
    )
    assert main_causes(made) == (
        "2 of 4 bad cases each: training rows contradict each other or the expected answer; no training row covers "
        "them."
    )
