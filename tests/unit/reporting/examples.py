"""Report models for the tests of the renderers: a whole cycle, a diagnosis alone, and nothing at all."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.domain.evidence import (
    ConflictEvidence,
    Demand,
    Evidence,
    HardEvidence,
    Mismatch,
    Neighbor,
    OodEvidence,
    ServingEvidence,
    SideCounts,
)
from app.domain.records import Agreement, RecommendedAction, RoadmapStep, RootCause
from app.domain.reports.report import (
    AugmentationReport,
    CycleReport,
    Exemplar,
    GateReport,
    MixtureReport,
    Override,
    RateEstimate,
    RepairReport,
    ReportCluster,
    ReportDataset,
    ReportDiagnosis,
    ReportFinding,
    ReportModel,
    ReportRepairAction,
    ReportStage,
    RetentionEstimate,
    RetentionSlice,
    TrainingReport,
    VerificationReport,
)

NOW = datetime(2026, 3, 14, 9, 26, tzinfo=UTC)


def _row(prompt: str, answer: str) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]}


def _neighbor(number: int, similarity: float, text: str, output: str, agrees: Agreement) -> Neighbor:
    return Neighbor(
        example_id=f"train-{number:04d}", similarity=similarity, input=text, output=output, agrees_with=agrees
    )


def conflict_finding(number: int = 1) -> ReportFinding:
    return ReportFinding(
        id=f"fd_{number}",
        bad_case_id=f"bc_{number}",
        external_id=f"eval-{number:04d}",
        category=RootCause.CONFLICT,
        probabilities={
            RootCause.OOD: 0.03,
            RootCause.CONFLICT: 0.91,
            RootCause.HARD: 0.05,
            RootCause.SERVING_MISMATCH: 0.01,
        },
        confidence=0.91,
        symptoms=("copied_training_output",),
        prompt="Answer the customer in one line.\nhow late is too late for returning shoes",
        model_output="Returns cost 5 EUR within 14 days.",
        expected_output="Returns are free within 30 days.",
        evidence=Evidence(
            neighbors=(
                _neighbor(
                    12,
                    0.83,
                    "Answer the customer in one line.\nis a month too late to return a jumper",
                    "Returns cost 5 EUR within 14 days.",
                    Agreement.MODEL_OUTPUT,
                ),
                _neighbor(
                    345,
                    0.79,
                    "Answer the customer in one line.\nmay I try it at home and return it later?",
                    "Returns are free within 30 days.",
                    Agreement.EXPECTED,
                ),
                _neighbor(
                    77,
                    0.52,
                    "Route the customer's message.\nthe parcel with my shoes is late",
                    "orders / track parcel",
                    Agreement.NEITHER,
                ),
            ),
            ood=OodEvidence(nearest_cosine=0.83, nearest_percentile=0.41),
            conflict=ConflictEvidence(
                rows_that_should_agree=9.3, counts=SideCounts(expected=5, model_output=4, neither=0)
            ),
            hard=HardEvidence(answer_steps=Demand(value=1, more_than=0.62)),
        ),
        recommended_actions=(
            RecommendedAction(
                action="resolve_conflict", reason="4 near rows carry an outdated answer.", cost="low"
            ),
        ),
        cluster_id="cl_1",
        verdict="fixed",
        after_output="Returns are free within 30 days.",
    )


def missing_finding(number: int = 2) -> ReportFinding:
    return replace(
        conflict_finding(number),
        category=RootCause.OOD,
        confidence=0.97,
        probabilities={
            RootCause.OOD: 0.97,
            RootCause.CONFLICT: 0.01,
            RootCause.HARD: 0.02,
            RootCause.SERVING_MISMATCH: 0.0,
        },
        prompt="请分派客户留言。\n过高速的时候ETC没反应",
        model_output="账户 / 改手机号",
        expected_output="出行 / 办理ETC",
        evidence=Evidence(
            neighbors=(
                _neighbor(
                    201,
                    0.44,
                    "请分派客户留言。\n旧手机号已经注销，登录收不到短信",
                    "账户 / 改手机号",
                    Agreement.MODEL_OUTPUT,
                ),
                _neighbor(
                    18,
                    0.39,
                    "请分派客户留言。\n安装师傅一直没联系我",
                    "服务 / 预约安装",
                    Agreement.NEITHER,
                ),
            ),
            ood=OodEvidence(nearest_cosine=0.44, nearest_percentile=0.998),
        ),
        symptoms=("missing_knowledge",),
        recommended_actions=(
            RecommendedAction(
                action="add_data", reason="No training row covers ETC questions.", cost="medium"
            ),
        ),
        cluster_id="cl_2",
        verdict="not_fixed",
        after_output="出行 / 预约安装",
        held_back=True,
    )


def hard_finding(number: int = 3) -> ReportFinding:
    return replace(
        conflict_finding(number),
        category=RootCause.HARD,
        confidence=0.74,
        probabilities={
            RootCause.OOD: 0.08,
            RootCause.CONFLICT: 0.14,
            RootCause.HARD: 0.74,
            RootCause.SERVING_MISMATCH: 0.04,
        },
        prompt=(
            "Work out the amount.\nA coat of 120 EUR is reduced by a quarter and I have a 20 EUR voucher. "
            "What does it cost me?"
        ),
        model_output="120 EUR",
        expected_output="70 EUR",
        symptoms=(),
        override=Override(category=RootCause.HARD, note="Needs the steps written out.", by="lin"),
        cluster_id=None,
        verdict="regressed",
        after_output="120 EUR 120 EUR",
    )


def serving_finding(number: int = 4) -> ReportFinding:
    return replace(
        conflict_finding(number),
        category=RootCause.SERVING_MISMATCH,
        confidence=0.99,
        probabilities={
            RootCause.OOD: 0.0,
            RootCause.CONFLICT: 0.01,
            RootCause.HARD: 0.0,
            RootCause.SERVING_MISMATCH: 0.99,
        },
        prompt="Route the customer's message.\nmy login is locked after too many attempts",
        model_output="Once upon a time there was a login that nobody could open. " * 18,
        expected_output="security / unlock login",
        evidence=Evidence(serving_mismatch=ServingEvidence(said=True, mismatches=(_MISMATCH,))),
        verdict=None,
        after_output=None,
    )


_MISMATCH = Mismatch(kind="system_prompt", detail="no training row has this system prompt", strength=0.98)


def diagnosis_report() -> ReportModel:
    """Four findings, two clusters, a roadmap, and nothing after the diagnosis."""
    findings = tuple(
        replace(f, verdict=None, after_output=None, held_back=False)
        for f in (conflict_finding(), missing_finding(), hard_finding(), serving_finding())
    )
    return ReportModel(
        title="Support desk: why 4 answers were wrong",
        generated_at=NOW,
        project="default",
        dataset=ReportDataset(
            name="support desk 客服", version_id="dsv_01J9ZK", rows=430, content_hash="9f2b" * 16
        ),
        diagnosis=ReportDiagnosis(
            id="dg_01J9ZM",
            cases=4,
            by_category={
                RootCause.CONFLICT: 1,
                RootCause.OOD: 1,
                RootCause.HARD: 1,
                RootCause.SERVING_MISMATCH: 1,
            },
            calibration={
                "similarity_threshold": 0.5312,
                "learnt_from": "leave-one-out distances of 430 rows",
            },
        ),
        roadmap=(
            RoadmapStep(
                step=1, action="Cluster", key_point="2 groups; look at the returns first.", cost="low"
            ),
            RoadmapStep(step=2, action="Repair", key_point="27 rows carry an outdated answer.", cost="low"),
            RoadmapStep(step=3, action="Mix", key_point="70 % targeted, 30 % replay.", cost="low"),
            RoadmapStep(step=4, action="Tune", key_point="LoRA, rank 16, 3 epochs.", cost="medium"),
            RoadmapStep(
                step=5, action="Fall back", key_point="Route ETC to a person until fixed.", cost="medium"
            ),
        ),
        clusters=(
            ReportCluster(
                id="cl_1",
                label="returns, days, free",
                keywords=("return", "days", "shoes", "free"),
                size=2,
                category_counts={RootCause.CONFLICT: 1, RootCause.HARD: 1},
                exemplars=(Exemplar(bad_case_id="bc_1", prompt="how late is too late for returning shoes"),),
            ),
            ReportCluster(
                id="cl_2",
                label="高速 ETC",
                keywords=("ETC", "高速", "办理"),
                size=1,
                category_counts={RootCause.OOD: 1},
                exemplars=(Exemplar(bad_case_id="bc_2", prompt="过高速的时候ETC没反应"),),
            ),
        ),
        findings=findings,
    )


def cycle_report() -> ReportModel:
    """A whole closed loop."""
    findings = (conflict_finding(), missing_finding(), hard_finding(), serving_finding())
    returns = "Answer the customer in one line.\nis a month too late to return a jumper"
    outdated, right = "Returns cost 5 EUR within 14 days.", "Returns are free within 30 days."
    return replace(
        diagnosis_report(),
        title="Support desk: closed loop of 14 March",
        findings=findings,
        repair=RepairReport(
            id="rp_01",
            counts={
                "relabel": {"applied": 27},
                "drop": {"applied": 18, "rejected": 1},
                "normalise": {"proposed": 2},
            },
            actions=(
                ReportRepairAction(
                    kind="relabel",
                    reason="9 of 18 rows of this group contradict the expected answer of 5 bad cases.",
                    decision="applied",
                    score=0.96,
                    before=[_row(returns, outdated)],
                    after=[_row(returns, right)],
                    example_ids=("train-0012",),
                ),
                ReportRepairAction(
                    kind="merge",
                    reason="Near-duplicate of train-0136.",
                    decision="applied",
                    score=0.99,
                    before=[
                        _row("hello I've moved", "account / change address"),
                        _row("I've moved", "account / change address"),
                    ],
                    after=[_row("I've moved", "account / change address")],
                ),
                ReportRepairAction(
                    kind="normalise",
                    reason="A stray special token ends the answer.",
                    decision="proposed",
                    score=0.9,
                    before=[_row("积分什么时候过期", "商城 / 积分兑换<|im_end|>\x00")],
                    after=[_row("积分什么时候过期", "商城 / 积分兑换")],
                ),
                ReportRepairAction(
                    kind="add",
                    reason="An uncovered prompt with its expected answer.",
                    decision="approved",
                    after=[_row("怎么查高速路的通行记录", "出行 / 办理ETC")],
                ),
            ),
            total_actions=48,
            dataset_version_id="dsv_01J9ZX",
        ),
        augmentation=AugmentationReport(
            notes=("No language model is configured: only offline strategies were used.",),
            counts={"bad_cases": 33, "punctuation": 12},
        ),
        mixture=MixtureReport(
            counts={"targeted": 301, "replay": 129}, recipe={"seed": 7, "targeted_share": 0.7}, id="mix_1"
        ),
        training=TrainingReport(
            base_model="SmolLM2-135M-Instruct",
            hyperparameters={
                "rank": 16,
                "alpha": 32,
                "learning_rate": 5e-4,
                "epochs": 3,
                "target_modules": "all-linear",
            },
            device="cpu, 2 threads, bf16",
            seconds=143.2,
            loss_curve=tuple((s, 3.1 * math.exp(-s / 18) + 0.12 + 0.05 * math.sin(s)) for s in range(1, 82)),
            adapter_id="adp_1",
        ),
        verification=VerificationReport(
            id="ver_1",
            fix_rate=RateEstimate(rate=41 / 48, low=0.7283, high=0.9275, n=48),
            held_back_fix_rate=RateEstimate(rate=0.79, low=0.595, high=0.908, n=24),
            retention=RetentionEstimate(
                mean=0.986,
                low=0.96,
                high=1.01,
                n=74,
                largest_degradation=0.2,
                slices=(
                    RetentionSlice(name="cards", before=1.0, after=0.8, n=10),
                    RetentionSlice(name="积分", before=0.9, after=0.95, n=20),
                ),
            ),
            gate=GateReport(
                accepted=True, reasons=("Retention 0.986 is above 0.9.", "The largest loss 0.2 is below 0.5.")
            ),
        ),
        cycle=CycleReport(
            id="cyc_1",
            status="succeeded",
            stages=tuple(
                ReportStage(
                    name=name,
                    status="succeeded",
                    started_at=NOW + timedelta(seconds=40 * i),
                    finished_at=NOW + timedelta(seconds=40 * i + 31),
                )
                for i, name in enumerate(("diagnose", "repair", "augment", "train", "verify"))
            ),
        ),
    )


def empty_report() -> ReportModel:
    return ReportModel(
        title="Nothing yet",
        generated_at=NOW,
        project="default",
        dataset=ReportDataset(name="empty", version_id="dsv_0", rows=0, content_hash="0" * 64),
        diagnosis=ReportDiagnosis(id="dg_0", cases=0, by_category={}),
    )
