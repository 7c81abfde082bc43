from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.reports.report import CycleReport, GateReport, RateEstimate, ReportModel, ReportStage
from app.reporting.instructions import shared_instructions, without_instruction
from app.reporting.report_summary import Tone, before_and_after, figures, headline
from app.reporting.report_words import percent
from tests.unit.reporting.examples import conflict_finding, cycle_report, diagnosis_report, empty_report


def _with_gate(accepted: bool, *, n: int = 48) -> ReportModel:
    report = cycle_report()
    assert report.verification is not None
    rate = replace(report.verification.fix_rate, n=n)
    gate = GateReport(accepted=accepted, reasons=("Retention 0.7 is below 0.9.",))
    return replace(report, verification=replace(report.verification, gate=gate, fix_rate=rate))


def test_an_accepted_adapter_is_good_news() -> None:
    top = headline(_with_gate(True))
    assert (top.tone, top.tag) == (Tone.GOOD, "Accepted")
    assert "41 of 48 bad cases fixed" in top.title


def test_a_rejected_adapter_says_so_and_why() -> None:
    top = headline(_with_gate(False))
    assert (top.tone, top.tag) == (Tone.BAD, "Rejected")
    assert top.details == ("Retention 0.7 is below 0.9.",)


def test_a_verification_of_nothing_claims_nothing() -> None:
    report = _with_gate(True, n=0)
    assert "no bad case was measured" in headline(report).title
    fix_rate = figures(report)[0]
    assert (fix_rate.shown, fix_rate.note, fix_rate.value) == ("–", "not measured", None)


def test_a_failed_cycle_names_its_stage() -> None:
    stages = (ReportStage(name="diagnose", status="succeeded"), ReportStage(name="train", status="failed"))
    report = replace(diagnosis_report(), cycle=CycleReport(id="cyc_1", status="failed", stages=stages))
    assert headline(report).title == "The cycle failed in the stage train."
    assert headline(report).tone is Tone.BAD


def test_a_diagnosis_names_its_most_frequent_cause() -> None:
    assert headline(diagnosis_report()).title == "4 bad cases fail for 4 reasons that are equally frequent."
    assert headline(empty_report()).title == "No bad cases were diagnosed."


def test_a_diagnosis_says_first_what_to_do_about_how_many_cases() -> None:
    assert headline(diagnosis_report()).details[:4] == (
        "Fix the request for 1 case (25%): no training is needed.",
        "Correct or remove the contradicting rows behind 1 case (25%), then train.",
        "Add rows for 1 case (25%) that nothing covers, then train.",
        "Train differently for 1 case (25%): the training data covers them and agrees.",
    )


def test_a_gate_that_measured_nothing_is_no_rejection() -> None:
    report = _with_gate(False)
    assert report.verification is not None
    top = headline(replace(report, verification=replace(report.verification, retention=None)))
    assert (top.tone, top.tag) == (Tone.WARN, "Inconclusive")


def test_a_verdict_says_how_many_questions_are_open() -> None:
    report = _with_gate(True)
    assert report.repair is not None
    asked = replace(report, repair=replace(report.repair, open_questions=2, rows_kept_out=5))
    assert headline(asked).details[-1] == (
        "2 questions wait for a person; 5 rows are left out of the training until then."
    )


def test_the_figures_of_a_verification_carry_their_interval_and_count() -> None:
    fix_rate, held_back, retention = figures(cycle_report())
    assert fix_rate.shown == "85%"
    assert "73%\u00a0to\u00a093%, n\u00a0=\u00a048" in fix_rate.note
    assert held_back.tone is Tone.GOOD
    assert retention.maximum == pytest.approx(1.01)


def test_a_verification_without_held_back_cases_shows_no_figure_for_them() -> None:
    report = cycle_report()
    assert report.verification is not None
    alone = replace(report.verification, held_back_fix_rate=None, retention=None)
    assert [f.label for f in figures(replace(report, verification=alone))] == ["Fix rate"]


def test_a_low_fix_rate_is_not_shown_as_good() -> None:
    report = cycle_report()
    assert report.verification is not None
    low = replace(report.verification, fix_rate=RateEstimate(rate=0.1, low=0.0, high=0.2, n=48))
    assert figures(replace(report, verification=low))[0].tone is Tone.BAD


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0, "0%"), (0.004, "<1%"), (0.5, "50%"), (0.996, ">99%"), (1, "100%"), (1.02, "102%")],
)
def test_a_share_that_is_not_all_never_reads_as_all(share: float, shown: str) -> None:
    assert percent(share) == shown


def test_the_table_of_cases_is_made_of_the_findings_where_none_is_given() -> None:
    cases = before_and_after(cycle_report())
    assert [c.verdict for c in cases] == ["regressed", "not_fixed", "fixed"]
    assert cases[1].part == "held_back"
    assert before_and_after(diagnosis_report()) == ()


def test_a_shared_instruction_is_left_out_of_headings() -> None:
    findings = [conflict_finding(n) for n in range(4)]
    instructions = shared_instructions(findings)
    assert without_instruction(findings[0].prompt, instructions) == "how late is too late for returning shoes"
    assert without_instruction("Another first line\nx", instructions) == "Another first line\nx"
    assert without_instruction("Answer the customer in one line.\n ", instructions).startswith("Answer")
