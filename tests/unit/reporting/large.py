"""A report as large as one is in practice: thousands of training rows and hundreds of cases on the map."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from app.domain.diagnosis.clusters.projection import MAP_SCALE
from app.domain.diagnosis.clusters.trends import CaseChange, ClusterTrend, Trend
from app.domain.evidence import (
    AdapterEvidence,
    ConflictEvidence,
    ConfusableGroups,
    ContradictingPair,
    Evidence,
    HardEvidence,
    HardReason,
    JudgeEvidence,
    LabelGroup,
    Neighbor,
    OodEvidence,
    PairDifference,
    PairSide,
    Paraphrase,
    PromptLength,
    Reading,
    SentencePattern,
    SideCounts,
    SymptomFinding,
    TaughtRow,
)
from app.domain.language.pair_differences import DifferenceKind
from app.domain.records import Agreement, RootCause, Symptom
from app.domain.reports.map import ReportComparison, ReportedChange, ReportMap
from app.domain.reports.report import FixedCluster, ReportDataset, ReportFinding, ReportModel
from tests.unit.reporting.examples import conflict_finding, cycle_report, diagnosis_report

TOPICS = (
    ("Route the customer's message.", "how do I freeze my {} card", "cards / freeze card"),
    ("Route the customer's message.", "where is my {} parcel", "orders / track parcel"),
    ("Work out the amount.", "a {} coat costs 120 and is reduced by a quarter", "90"),
    ("Answer the customer in one line.", "may I return the {} shoes after a month", "Within 30 days."),
    ("请分派客户留言。", "我的{}信用卡丢了怎么办", "卡片 / 挂失"),
    ("请分派客户留言。", "{}快递什么时候能到", "订单 / 查询物流"),
    ("把这句话译成英文。", "今天{}的天气很好", "The weather is nice today."),
)
WORDS = ("black", "gold", "new", "old", "second", "family", "白色", "黑色", "新办的", "公司", "上海", "北京")


def drawn_map(rows: int, findings: tuple[ReportFinding, ...], *, seed: int = 0) -> ReportMap:
    """Clouds of rows, most cases inside of them, those that nothing covers on islands of their own."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(0.15, 0.85, (40, 2))
    of_row = rng.integers(0, len(centres), rows)
    widths = rng.uniform(0.008, 0.035, len(centres))
    places = centres[of_row] + rng.standard_normal((rows, 2)) * widths[of_row, None]
    islands = rng.uniform(0.03, 0.97, (6, 2))
    cases = np.array(
        [
            islands[i % 6] + 0.008 * rng.standard_normal(2)
            if f.category is RootCause.OOD
            else places[rng.integers(rows)] + 0.004 * rng.standard_normal(2)
            for i, f in enumerate(findings)
        ]
    ).reshape(-1, 2)
    topics = [TOPICS[g % len(TOPICS)] for g in of_row]
    words = rng.integers(0, len(WORDS), rows)
    names = tuple(dict.fromkeys(t[0] for t in TOPICS))
    return ReportMap(
        examples=_steps(places),
        cases=_steps(cases),
        finding_ids=tuple(f.id for f in findings),
        groups=np.array([names.index(t[0]) for t in topics], dtype=np.int32),
        group_names=names,
        total_examples=rows,
        texts=tuple(t[1].format(WORDS[w])[:60] for t, w in zip(topics, words, strict=True)),
    )


def _steps(places: np.ndarray) -> np.ndarray:
    return np.round(np.clip(places, 0, 1) * MAP_SCALE).astype(np.uint16)


def full_evidence(finding: ReportFinding, number: int) -> Evidence:
    """Every kind of evidence that is known, beside the finding's own."""
    asked, expected = finding.prompt, finding.expected_output or ""
    return finding.evidence.model_copy(
        update={
            "ood": OodEvidence(
                nearest_cosine=0.44,
                nearest_percentile=0.998,
                methods={"mean_of_five": 0.99, "task_distance": 0.97, "text_overlap": 0.88},
                unseen_terms=("ETC", "高速"),
                length=PromptLength(value=18, percentile=0.41),
                pattern=SentencePattern(text="how late is too late for <noun>", seen=number % 2 == 0),
                language_known=number % 5 != 0,
                remarks=("no training prompt is built alike",),
            ),
            "conflict": ConflictEvidence(
                rows_that_should_agree=9.1,
                counts=SideCounts(expected=3, model_output=5, neither=1),
                contradicting_pair=ContradictingPair(
                    left=PairSide(example_id=None, input=asked, output=expected),
                    right=PairSide(
                        example_id="train-0012",
                        input=asked.replace("late", "soon"),
                        output=finding.model_output,
                    ),
                    differences=(PairDifference(kind=DifferenceKind.DIRECTION, left="late", right="soon"),),
                ),
                paraphrase=Paraphrase(
                    probability=0.91, usual=0.2, differs=(DifferenceKind.NUMBER, DifferenceKind.NEGATION)
                ),
                label_groups=(
                    LabelGroup(
                        labels=("cards / freeze", "card / block"),
                        score=0.93,
                        first_taken_for_second=0.9,
                        second_taken_for_first=0.96,
                    ),
                ),
            ),
            "hard": HardEvidence(
                reasons=(
                    HardReason(
                        kind="prompt_numbers",
                        detail="the prompt holds 5 numbers to work with",
                        percentile=0.97,
                    ),
                    HardReason(
                        kind="prompt_constraints", detail="the prompt sets 3 conditions", percentile=0.9
                    ),
                ),
                confusable=ConfusableGroups(
                    labels=("orders / track", "orders / delay"),
                    similarities=(0.9, 0.87),
                    margin=0.03,
                    closer_than=0.8,
                ),
                adapter=AdapterEvidence(
                    reading=Reading.LEARNED_WRONG,
                    sentence="The wrong answer is what it learned.",
                    expected_loss=2.31,
                    wrong_loss=0.42,
                    first_token_entropy=1.2,
                    samples=5,
                    modal_answer=finding.model_output,
                    modal_share=0.4,
                    says_the_recorded_output=True,
                    near_rows_loss=0.1,
                    training_rows_loss=0.1,
                ),
            ),
            "symptoms": (
                SymptomFinding(
                    symptom=Symptom.COPIED_TRAINING_OUTPUT,
                    detail="the output is another row's answer",
                    example_id="train-0012",
                ),
            ),
            "attribution": tuple(
                TaughtRow(
                    example_id=row,
                    score=score,
                    towards_wrong=score,
                    towards_expected=None,
                    input=asked,
                    output=output,
                )
                for row, score, output in (
                    ("train-0012", 0.31, finding.model_output),
                    ("train-0098", 0.12, expected),
                )
            ),
            "judge": JudgeEvidence(
                verdict=RootCause.CONFLICT,
                quote=finding.model_output,
                reason="the rows contradict",
                model="judge-1",
                agrees=True,
            ),
        }
    )


def large_findings(count: int) -> tuple[ReportFinding, ...]:
    causes = (RootCause.OOD, RootCause.CONFLICT, RootCause.HARD, RootCause.OOD, RootCause.UNDETERMINED)
    made = []
    for number in range(count):
        task, asked, answer = TOPICS[number % len(TOPICS)]
        cause = RootCause.SERVING_MISMATCH if number % 29 == 0 else causes[number % len(causes)]
        word = WORDS[number % len(WORDS)]
        other = TOPICS[(number + 1) % len(TOPICS)][2]
        base = conflict_finding(number)
        neighbors = tuple(
            Neighbor(
                example_id=f"train-{number + i:05d}",
                similarity=0.93 - 0.07 * i,
                input=f"{task}\n" + asked.format(WORDS[(number + i) % len(WORDS)]),
                output=other if i % 2 else answer,
                agrees_with=Agreement.MODEL_OUTPUT if i % 2 else Agreement.EXPECTED,
            )
            for i in range(5)
        )
        finding = replace(
            base,
            category=cause,
            prompt=f"{task}\n" + asked.format(word),
            model_output=other,
            expected_output=answer,
            evidence=Evidence(neighbors=neighbors),
            probabilities={c: 0.91 if c is cause else 0.03 for c in causes} | {cause: 0.91},
            verdict=None,
            after_output=None,
            cluster_id="cl_1" if number % 2 else "cl_2",
        )
        made.append(replace(finding, evidence=full_evidence(finding, number)))
    return tuple(made)


def comparison(findings: tuple[ReportFinding, ...]) -> ReportComparison:
    changes = tuple(
        ReportedChange(
            bad_case_id=f.bad_case_id,
            external_id=f.external_id,
            change=change,
            before=None if change is CaseChange.NEW else RootCause.CONFLICT,
            after=f.category,
            prompt=f.prompt,
            finding_id=f.id,
        )
        for f, change in zip(
            findings[:3], (CaseChange.NEW, CaseChange.CHANGED, CaseChange.FIXED), strict=False
        )
    )
    return ReportComparison(
        before_id="dg_0",
        before_title="support desk 客服, 48 cases, 2026-03-01 08:00 UTC",
        by_category={c: (12, 7 + i) for i, c in enumerate(RootCause)},
        case_counts={
            CaseChange.NEW: 41,
            CaseChange.CHANGED: 9,
            CaseChange.UNCHANGED: 520,
            CaseChange.FIXED: 30,
            CaseChange.GONE: 12,
        },
        clusters=(
            ClusterTrend(
                cluster_id="cl_1", label="returns, days", trend=Trend.GROWING, size=24, size_before=9
            ),
            ClusterTrend(
                cluster_id="cl_2",
                label="高速 ETC",
                trend=Trend.CAME_BACK,
                size=4,
                size_before=0,
                since="dg_9",
            ),
            ClusterTrend(cluster_id="cl_9", label="login", trend=Trend.FIXED, size=0, size_before=6),
        ),
        changes=changes,
        total_changes=92,
    )


def large_report(rows: int = 18_000, cases: int = 600) -> ReportModel:
    """A diagnosis of ``cases`` cases against ``rows`` rows, with every part that a report can have before a fix."""
    base = diagnosis_report()
    findings = large_findings(cases)
    first, second = base.clusters
    return replace(
        base,
        title="Support desk 客服: why 600 answers were wrong",
        dataset=ReportDataset(
            name="support desk 客服", version_id="dsv_1", rows=rows, content_hash="9f2b" * 16
        ),
        diagnosis=replace(
            base.diagnosis, cases=cases, by_category=dict(Counter(f.category for f in findings))
        ),
        roadmap=tuple(
            replace(
                step,
                gain=f"Helps up to {cases // (step.step + 1)} of {cases} cases ({100 // (step.step + 1)}%).",
            )
            for step in base.roadmap
        ),
        clusters=(
            replace(first, trend=Trend.GROWING, size_before=1),
            replace(second, trend=Trend.NEW),
        ),
        fixed_clusters=(FixedCluster(label="login, locked", size_before=6),),
        findings=findings,
        map=drawn_map(rows, findings),
        comparison=comparison(findings),
    )


def mapped_cycle_report(rows: int = 200) -> ReportModel:
    """A whole closed loop whose diagnosis has a map, a comparison and every kind of evidence."""
    base = cycle_report()
    findings = tuple(replace(f, evidence=full_evidence(f, i)) for i, f in enumerate(base.findings))
    return replace(base, findings=findings, map=drawn_map(rows, findings), comparison=comparison(findings))
